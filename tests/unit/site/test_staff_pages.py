"""The staff pages and the audit log, as those see them who may."""

from __future__ import annotations

import asyncio
import csv
import html
import io
import re
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from besnik.store import audit, staff
from besnik.store.models import AuditRecord, Program, Shop, Staff

from .conftest import LogIn

NORA = {"name": "Nora Dema", "username": "nora", "role": "cashier"}


def text_of(answer: HttpResponse) -> str:
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", html.unescape(words))


def sent(answer: Any) -> str:
    """Return the body of a sheet, which is sent as it is read."""

    async def pieces() -> bytes:
        return b"".join([piece async for piece in answer])

    return asyncio.run(pieces()).decode("utf-8-sig")


def test_a_person_is_added_logs_in_and_chooses_a_password(
    client: Client, anonymous: Client
) -> None:
    answer = client.post("/owner/staff/add", NORA)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    password = re.findall(r"<code[^>]*>([^<]+)</code>", answer.content.decode())[-1]
    given = {"username": "nora", "password": password}
    assert anonymous.post("/login", given)["Location"] == "/account/password"
    page = client.get("/owner/staff/")
    assert "Nora Dema nora Cashier · all shops" in text_of(page)
    assert password not in page.content.decode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"username": "Nora Dema"}, "Use 2 to 40 of a-z"),
        ({"username": "demo-owner"}, "Somebody has this user name already."),
        ({"name": " "}, "Please write the name"),
        ({"role": "janitor"}, "janitor is not one of the available choices"),
        ({"shops": ["999"]}, "999 is not one of the available choices"),
    ],
)
def test_what_cannot_be_used_is_asked_again_with_what_was_typed(
    client: Client, change: dict[str, object], message: str
) -> None:
    answer = client.post("/owner/staff/add", NORA | change)
    assert answer.status_code == 422
    assert message in text_of(answer)
    if "name" not in change:
        assert 'value="Nora Dema"' in answer.content.decode()
    assert Staff.objects.count() == 5


def test_a_manager_adds_no_owner_and_changes_nobody_above(log_in: LogIn) -> None:
    manager = log_in("manager")
    page = manager.get("/owner/staff/").content.decode()
    assert '<option value="lead"' in page
    assert '<option value="owner"' not in page
    assert manager.post("/owner/staff/add", NORA | {"role": "owner"}).status_code == 422
    owner = Staff.objects.get(role="owner")
    assert (
        "<form"
        not in manager.get(f"/owner/staff/{owner.pk}/")
        .content.decode()
        .split('<div class="room">')[1]
    )
    for act in ("password", "deactivate", "pin", "change", "activate"):
        answer = manager.post(f"/owner/staff/{owner.pk}/{act}", {"name": "X", "pin": "2580"})
        assert answer.status_code == 422
    assert Staff.objects.get(pk=owner.pk).password == owner.password


def test_role_and_shops_are_changed(client: Client) -> None:
    cashier, shop = Staff.objects.get(role="cashier"), Shop.objects.get()
    answer = client.post(
        f"/owner/staff/{cashier.pk}/change",
        {"name": "Mira L.", "role": "lead", "shops": [str(shop.pk)]},
    )
    assert answer.status_code == 302
    person = Staff.objects.get(pk=cashier.pk)
    assert (person.name, person.role, list(person.shops.all())) == ("Mira L.", "lead", [shop])


def test_a_pin_is_set_in_any_digits_and_taken_away(client: Client) -> None:
    lead = Staff.objects.get(role="lead")
    assert "This PIN is guessed first" in text_of(
        client.post(f"/owner/staff/{lead.pk}/pin", {"pin": "1234"})
    )
    assert client.post(f"/owner/staff/{lead.pk}/pin", {"pin": "۲۵۸۰"}).status_code == 302
    assert staff.check_pin(lead, "2580")
    assert client.post(f"/owner/staff/{lead.pk}/pin", {"pin": ""}).status_code == 302
    with pytest.raises(staff.PinError):
        staff.check_pin(lead, "2580")


def test_one_s_own_pin(log_in: LogIn) -> None:
    lead = log_in("lead")
    assert lead.post("/account/pin", {"pin": "258"}).status_code == 422
    assert lead.post("/account/pin", {"pin": "2580"}).status_code == 302
    assert staff.check_pin(Staff.objects.get(role="lead"), "2580")


def test_who_is_let_go_is_out_at_once_and_can_come_back(client: Client, log_in: LogIn) -> None:
    lead, theirs = Staff.objects.get(role="lead"), log_in("lead")
    assert theirs.get("/").status_code == 200
    assert client.post(f"/owner/staff/{lead.pk}/deactivate").status_code == 302
    assert theirs.get("/").status_code == 302
    assert "does not work here any more" in text_of(client.get("/owner/staff/"))
    assert client.post(f"/owner/staff/{lead.pk}/activate").status_code == 200
    assert Staff.objects.get(pk=lead.pk).is_active


def test_a_new_password_ends_a_lockout(client: Client, anonymous: Client) -> None:
    person, _ = staff.add(Program.objects.get(), by=None, **NORA)
    for _ in range(5):
        anonymous.post("/login", {"username": "nora", "password": "wrong"})
    answer = client.post(f"/owner/staff/{person.pk}/password")
    password = re.findall(r"<code[^>]*>([^<]+)</code>", answer.content.decode())[-1]
    assert anonymous.post("/login", {"username": "nora", "password": password}).status_code == 302


def test_nobody_changes_oneself(client: Client) -> None:
    owner = Staff.objects.get(role="owner")
    assert "This is you." in text_of(client.get(f"/owner/staff/{owner.pk}/"))
    answer = client.post(f"/owner/staff/{owner.pk}/deactivate")
    assert answer.status_code == 422
    assert "You cannot change yourself." in text_of(answer)


class TestAuditPage:
    """The log, its filters, its sheet and its chain."""

    @pytest.fixture
    def written(self, client: Client) -> Client:
        client.post("/owner/staff/add", NORA)
        lead = Staff.objects.get(role="lead")
        client.post(f"/owner/staff/{lead.pk}/deactivate")
        audit.record(lead, "login", "staff:1")
        return client

    def test_it_shows_who_did_what_newest_first(self, written: Client) -> None:
        page = text_of(written.get("/owner/audit/"))
        assert "The newest 3 records were checked, and nothing was changed." in page
        shown = [page.index(f"{words} staff:") for words in ("let a person in no more",)]
        assert page.index("Petros Vlahos logged in") < shown[0]
        assert shown[0] < page.index("Olga Dema added a person")
        assert "Nora" not in page.split("Of what")[1]

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("action=login", 1),
            ("action=staff.add&first=2020-01-01", 1),
            ("first=2999-01-01", 0),
            ("last=2020-01-01", 0),
            ("first=1300-01-01&last=1500-01-01", 3),
            ("before=1", 0),
            ("before=x", 3),
        ],
    )
    def test_it_is_filtered(self, written: Client, query: str, count: int) -> None:
        page = written.get(f"/owner/audit/?{query}")
        assert page.status_code == 200
        assert page.content.decode().count("<tr><td>") == count

    def test_it_is_filtered_by_person(self, written: Client) -> None:
        owner = Staff.objects.get(role="owner")
        page = written.get(f"/owner/audit/?who={owner.pk}").content.decode()
        assert page.count("<tr><td>") == 2
        assert written.get("/owner/audit/?who=nobody").status_code == 422

    def test_the_sheet_holds_what_the_chain_is_made_of(self, written: Client) -> None:
        lines = list(csv.reader(io.StringIO(sent(written.get("/owner/audit/audit.csv")))))
        header, *rows = lines
        assert header[-2:] == ["previous", "hash"]
        assert len(rows) == 4  # that it was saved is written down too
        for before, row in pairwise(rows):
            assert row[-2] == before[-1]
        assert all(re.fullmatch(r"[0-9a-f]{64}", row[-1]) for row in rows)

    def test_a_changed_record_is_shown(self, written: Client) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("ALTER TABLE store_auditrecord DISABLE TRIGGER USER")
            else:
                cursor.execute("DROP TRIGGER IF EXISTS store_auditrecord_update")
        AuditRecord.objects.filter(action="staff.add").update(staff=None)
        page = written.get("/owner/audit/?whole=1").content.decode()
        assert 'data-chain="broken"' in page
        assert "This log was changed" in page

    def test_another_program_s_records_are_not_shown(self, written: Client) -> None:
        other = Program.objects.create(name="Other")
        stranger, _ = staff.add(other, username="other", name="Stranger", role="owner")
        audit.record(stranger, "test.secret", "secret:1")
        page = written.get("/owner/audit/").content.decode()
        assert "secret" not in page and "Stranger" not in page
        assert "secret" not in sent(written.get("/owner/audit/audit.csv"))
