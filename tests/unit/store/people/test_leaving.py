"""Leaving, coming back, being forgotten: what goes, and what stays as it was."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing

import pytest
from django.db import connection
from django.db.models import Count, Sum

from besnik.loyalty import operations
from besnik.loyalty.ledger import NewLot
from besnik.store import books, people
from besnik.store.models import (
    Account,
    Card,
    Consent,
    CrmDifference,
    CrmLink,
    CrmRecord,
    CrmRun,
    Entry,
    ImportRun,
    Lot,
    LotMove,
    Member,
    Note,
    Posting,
    Program,
    Reader,
    Request,
    Tap,
)
from besnik.store.people import Agreed, Details, NewCard, enrol

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
UID = "04DEADBEEF1280"
NAME, PHONE = "Zefirina Qerimllari", "+355691234567"
SECRETS = (NAME, "Zefirina", "Qerimllari", "zefirina", PHONE, "691234567", UID, "1990-05-17")


def earn(member: Member, unit: str, amount: int, until: dt.datetime | None = None) -> None:
    with books.writing(member.program_id, [member.pk]) as ledger:
        lot = NewLot(member.pk, unit, amount, NOON, NOON, until)
        ledger.post(operations.accrue(member.program_id, lot), at=NOON, source="till")


def spend(member: Member, unit: str, amount: int) -> None:
    with books.writing(member.program_id, [member.pk]) as ledger:
        lots = ledger.lots(member.pk, unit)
        ledger.post(
            operations.redeem(member.program_id, lots, amount, NOON), at=NOON, source="till"
        )


@pytest.fixture
def member(program: Program) -> Member:
    made = enrol(
        program,
        name=NAME,
        language="sq",
        card=NewCard("uid", UID),
        details=Details(
            phone=PHONE,
            email="zefirina@example.org",
            birthday=dt.date(1990, 5, 17),
            tags=("Zefirina likes tea",),
        ),
        consents=[Agreed("marketing", True, "Zefirina may be written to.")],
    )
    earn(made, "point", 100, NOON + dt.timedelta(days=30))
    earn(made, "stamp", 7)
    spend(made, "point", 40)
    people.add_note(made, "Zefirina is left-handed", None, NOON)
    people.add_comment(made, 5, f"Call me, {PHONE}. Zefirina", NOON)
    for number, owner in enumerate((None, made)):
        tap_of(owner, number)
    CrmLink.objects.create(program_id=made.program_id, member=made, external_id="Z-77")
    CrmRecord.objects.create(
        program_id=made.program_id,
        external_id="Z-77",
        name=NAME,
        fields={"note": "Zefirina collects stamps"},
        fetched_at=NOON,
    )
    CrmDifference.objects.create(
        program_id=made.program_id,
        kind="name",
        external_id="Z-77",
        member=made,
        there="Zefirina B.",
        found_at=NOON,
    )
    CrmRun.objects.create(
        program_id=made.program_id,
        dry=True,
        examples=[["unnamed", "5", "", ""], ["name", "Z-77", "Z. B.", NAME]],
        started_at=NOON,
        beat_at=NOON,
    )
    Request.objects.create(
        client="till",
        key="1",
        digest="0" * 64,
        status=200,
        answer=json.dumps({"member": made.ref, "name": NAME}, ensure_ascii=False),
        created_at=NOON,
    )
    return made


def tap_of(member: Member | None, number: int) -> Tap:
    return Tap.objects.create(
        reader=Reader.objects.get(),
        tap_id=f"00001-{number:06d}",
        kind="uid",
        data=UID,
        card=Card.objects.get(data=UID) if member else None,
        member=member,
        tier="D",
        outcome="accepted" if member else "rejected",
        reason="ok" if member else "unknown",
        read_at=1,
        clock_quality=2,
        queued=False,
        received_at=NOON,
    )


def sums() -> list[object]:
    """Every sum and every count of the ledger."""
    accounts = Account.objects.order_by("unit", "account").values_list("unit", "account")
    return [
        *Account.objects.order_by("pk").values_list(),
        *accounts.annotate(total=Sum("balance"), count=Count("pk")),
        *Entry.objects.order_by("pk").values_list(),
        *Posting.objects.order_by("pk").values_list(),
        *Lot.objects.order_by("pk").values_list(),
        *LotMove.objects.order_by("pk").values_list(),
        Tap.objects.count(),
        Member.objects.count(),
    ]


def dump(url: str) -> str:
    """Return everything in the database as text."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return "\n".join(file.iterdump())
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        lines: list[str] = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            lines += [row[0] for row in cursor.fetchall()]
    return "\n".join(lines)


def traces(url: str) -> list[str]:
    text = dump(url).casefold()
    return [secret for secret in SECRETS if secret.casefold() in text]


def test_an_erased_member_leaves_no_trace_and_every_sum(orm: str, member: Member) -> None:
    assert traces(orm) == list(SECRETS)
    before = sums()
    people.erase(member, NOON)
    assert traces(orm) == []
    assert sums() == before
    row = Member.objects.get(pk=member.pk)
    assert (row.name, row.status, row.ref) == ("", "erased", member.ref)


def test_an_erased_member_is_found_by_nothing_and_the_link_is_dead(member: Member) -> None:
    link = people.link(member)
    program = member.program
    people.erase(member, NOON)
    for text in (NAME, PHONE, UID, member.ref, link):
        assert people.find(program, text, "owner") == []
    assert people.read_link(link) is None


def test_an_erased_card_can_be_enrolled_anew_and_erased_again(member: Member) -> None:
    people.erase(member, NOON)
    anew = enrol(member.program, name="New", language="en", card=NewCard("uid", UID))
    people.erase(anew, NOON)
    assert Card.objects.filter(state="erased").count() == 2
    assert enrol(member.program, name="Newer", language="en", card=NewCard("uid", UID))


def test_what_lapses_at_erasure_is_expired_in_the_ledger(member: Member) -> None:
    people.erase(member, NOON, lapse=True)
    assert {unit: line.active for unit, line in books.balances_of(member.pk, NOON).items()} == {
        "point": 0,
        "stamp": 0,
    }
    assert Entry.objects.filter(kind="expire").count() == 2


def test_money_is_paid_out_before_a_member_is_erased(orm: str, member: Member) -> None:
    earn(member, "EUR", 1250)
    with pytest.raises(people.LeaveError) as caught:
        people.erase(member, NOON)
    assert caught.value.code == "money"
    assert traces(orm) == list(SECRETS)
    people.erase(member, NOON, forfeit_money=True)
    assert traces(orm) == []


def test_an_import_that_named_somebody_forgets_them_too(orm: str, member: Member) -> None:
    told = [[2, "name", "name_long", NAME], [3, "phone", "phone_wrong", "12"]]
    run = ImportRun.objects.create(
        program_id=member.program_id, name="members.csv", content="", problems=told, at=NOON
    )
    people.erase(member, NOON)

    run.refresh_from_db()
    assert run.problems == told[1:]


def test_nobody_is_erased_twice(member: Member) -> None:
    people.erase(member, NOON)
    with pytest.raises(people.LeaveError) as caught:
        people.erase(member, NOON)
    assert caught.value.code == "erased"


def test_who_leaves_keeps_what_they_have_and_may_come_back(member: Member) -> None:
    before = sums()
    people.close(member, NOON)
    assert sums() == before
    assert Member.objects.get(pk=member.pk).status == "closed"
    with pytest.raises(people.LeaveError):
        people.close(member, NOON)
    people.reopen(member)
    assert Member.objects.get(pk=member.pk).status == "active"


def test_who_leaves_may_give_up_points_but_money_stays(member: Member) -> None:
    earn(member, "EUR", 1250)
    people.close(member, NOON, lapse=True)
    active = {unit: line.active for unit, line in books.balances_of(member.pk, NOON).items()}
    assert active == {"point": 0, "stamp": 0, "EUR": 1250}


def test_an_erasure_that_fails_erases_nothing(
    orm: str, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sums()
    delete = type(Note.objects.none()).delete

    def broken(query: object) -> object:
        if query.model is Note:  # type: ignore[attr-defined]  # a query set
            raise RuntimeError("the power went")
        return delete(query)  # type: ignore[arg-type]  # a query set

    monkeypatch.setattr(type(Note.objects.none()), "delete", broken)
    with pytest.raises(RuntimeError):
        people.erase(member, NOON, lapse=True)
    monkeypatch.undo()
    assert traces(orm) == list(SECRETS)
    assert sums() == before


def test_the_export_has_everything_that_is_held(member: Member) -> None:
    made = people.export(member, NOON)
    text = people.as_json(made).decode()
    for secret in (NAME, PHONE, UID, "1990-05-17", "left-handed", "may be written to", "tea"):
        assert secret in text
    told = json.loads(text)
    assert told["balances"]["point"]["active"] == 60
    assert sum(line["amount"] for line in told["history"] if line["unit"] == "point") == 60
    assert len(told["visits"]) == 1
    table = people.as_csv(made).decode("utf-8-sig")
    assert f"person,1,phone,{PHONE}" in table.replace("'", "")
    assert "balances,1,point," in table


def test_a_formula_in_an_export_is_text(program: Program) -> None:
    made = enrol(program, name='=HYPERLINK("x")', language="en")
    assert "'=HYPERLINK" in people.as_csv(people.export(made, NOON)).decode("utf-8-sig")


def test_the_newest_consent_holds_and_every_change_is_kept(member: Member) -> None:
    assert people.consents.may(member, "marketing")
    for given in (False, False, True):
        people.consents.record(member, [Agreed("marketing", given, "Read this.")], source="page")
    assert people.consents.may(member, "marketing")
    assert not people.consents.may(member, "profiling")
    rows = Consent.objects.filter(member=member).order_by("pk")
    assert list(rows.values_list("given", flat=True)) == [True, False, True]
    with pytest.raises(people.ConsentError):
        people.consents.record(member, [Agreed("anything", True, "Read.")], source="page")


def test_staff_see_no_phone_number_in_a_comment(member: Member) -> None:
    (line,) = people.comments(member)
    assert (line.rating, line.text) == (5, "Call me, •••4567. Zefirina")


def test_a_renewed_link_ends_the_old_one(member: Member) -> None:
    old = people.link(member)
    assert people.read_link(old) == member
    people.renew(member)
    assert people.read_link(old) is None
    assert people.read_link(people.link(member)) == member


def test_a_link_that_was_changed_opens_nothing(member: Member) -> None:
    _, _, ref, token = people.link(member).split("/")
    other = enrol(member.program, name="Other", language="en")
    assert people.open_link(ref, token) == member
    assert people.open_link(other.ref, token) is None
    assert people.open_link(ref, ("B" if token[0] == "A" else "A") + token[1:]) is None
    assert people.open_link(ref, "ü") is None
    assert people.open_link("nobody", token) is None
