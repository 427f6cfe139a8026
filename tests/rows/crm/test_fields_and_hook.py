"""Fields are picked with the least role that reads them; a webhook makes what is known old."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from rows.crm.conftest import NotebookOwner, import_all
from rows.crm.test_import import ANNA


def pick(owner: NotebookOwner, *chosen: tuple[int, str, str], status: int = 302) -> HttpResponse:
    """Pick fields by their place in the list."""
    fields: dict[str, Any] = {"unit": "stamp"}
    for number in range(3):
        fields |= {f"field-{number}-label": "", f"field-{number}-role": "owner"}
    for number, label, role in chosen:
        fields |= {
            f"field-{number}-show": "on",
            f"field-{number}-label": label,
            f"field-{number}-role": role,
        }
    return owner.office.post("crm/fields/", status=status, **fields)


def test_fields_are_picked_named_and_given_a_role(owner: NotebookOwner) -> None:
    owner.test()
    assert "Last contact" in owner.office.read("crm/fields/")
    pick(owner, (1, "Seen", "cashier"), (0, "", "lead"))
    source = owner.source()
    assert source.fields == [
        {"name": "notes", "label": "Notes", "role": "lead"},
        {"name": "seen", "label": "Seen", "role": "cashier"},
    ]
    assert source.unit == "stamp"
    assert "Notes · Seen" in owner.office.read("crm/")
    pick(owner, (0, "", "everybody"), status=422)


def test_more_than_fit_are_refused(owner: NotebookOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    from besnik.crm import choosing

    monkeypatch.setattr(choosing, "SHOWN_MOST", 2)
    owner.test()
    answer = pick(owner, *[(number, "", "owner") for number in range(3)], status=422)
    assert "Pick 2 at most" in answer.content.decode()


class TestHook:
    @pytest.fixture
    def customer(self, owner: NotebookOwner) -> str:
        number = owner.notebook.add("Anna", ANNA)
        owner.test()
        import_all(owner)
        assert not self.is_old()
        return number

    @staticmethod
    def is_old() -> bool:
        from besnik.store.models import CrmRecord

        return CrmRecord.objects.get().is_stale

    @staticmethod
    def address(owner: NotebookOwner) -> str:
        said = owner.office.read("crm/")
        (found,) = [word for word in said.split() if "/crm/hook/" in word]
        return found.removeprefix("http://localhost")

    def call(self, address: str, body: Any, kind: str = "application/json") -> int:
        browser = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return browser.post(address, data, content_type=kind).status_code

    @pytest.mark.parametrize(
        "body",
        [
            {"event": "items.update", "keys": ["{id}"], "collection": "customers"},
            [{"objectId": "{id}", "subscriptionType": "contact.propertyChange"}],
            {"module": "Contacts", "ids": ["77", "{id}"]},
        ],
    )
    def test_what_is_known_of_the_customer_is_old(
        self, owner: NotebookOwner, customer: str, body: Any
    ) -> None:
        said = json.loads(json.dumps(body).replace("{id}", customer))
        assert self.call(self.address(owner), said) == 204
        assert self.is_old()

    def test_a_form_does_too_and_a_number(self, owner: NotebookOwner, customer: str) -> None:
        form = "application/x-www-form-urlencoded"
        assert self.call(self.address(owner), f"id={customer}&x=1", form) == 204
        assert self.is_old()

    def test_a_value_that_no_database_takes_is_nobody_s(
        self, owner: NotebookOwner, customer: str
    ) -> None:
        assert self.call(self.address(owner), {"ids": ["\0", "a\0b", customer]}) == 204
        assert self.is_old()

    def test_others_customers_are_not(self, owner: NotebookOwner, customer: str) -> None:
        assert customer != "999"
        assert self.call(self.address(owner), {"id": "999", "yes": True}) == 204
        assert not self.is_old()

    def test_a_wrong_address_and_a_wrong_body_are_told(
        self, owner: NotebookOwner, customer: str
    ) -> None:
        address = self.address(owner)
        wrong = "1" if address.endswith("0") else "0"
        assert self.call(address[:-1] + wrong, {"id": customer}) == 404
        assert self.call(address, "{") == 400
        assert self.call(address, "[" * 5_000 + "]" * 5_000) == 400
        assert self.call(address, '{"id": "\xff"}'.encode("latin-1")) == 400
        assert self.call(address, [customer] * 90_000) == 413
        assert not self.is_old()

    def test_a_new_address_ends_the_old_one(self, owner: NotebookOwner, customer: str) -> None:
        old = self.address(owner)
        owner.office.post("crm/hook")
        assert self.call(old, {"id": customer}) == 404
        assert self.call(self.address(owner), {"id": customer}) == 204

    def test_a_card_that_was_nobody_s_is_asked_for_again(
        self, owner: NotebookOwner, customer: str
    ) -> None:
        from django.utils import timezone

        from besnik.store.models import CrmAnswer

        CrmAnswer.objects.create(
            program_id=owner.office.program, card=ANNA, state="none", fetched_at=timezone.now()
        )
        said = {"payload": {"id": customer, "nfc_card_id": ANNA}}
        assert self.call(self.address(owner), said) == 204
        assert not CrmAnswer.objects.exists()
