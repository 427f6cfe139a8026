"""A customer who was erased here does not come back by what the CRM says."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from besnik.crm import cache, creating, pending
from besnik.crm.creating import Newcomer, Newcomers
from besnik.crm.foreign import Customer, Delivered, NewCustomer
from besnik.store.models import (
    Card,
    CrmAnswer,
    CrmDelivery,
    CrmLeftOut,
    CrmLink,
    CrmPending,
    CrmRecord,
    CrmRun,
    CrmSource,
    Entry,
    Member,
    Shop,
)
from besnik.store.people import NewCard, count_left_out, enrol, erase, left_out
from support.hot_counter import CARD, HotCounter
from support.store import assert_ledger_adds_up

NOW = dt.datetime(2026, 11, 22, 12, 1, tzinfo=dt.UTC)
NUMBER = "customer-7788"
ZANA = Customer(NUMBER, "Zana Krasniqi", (CARD,), 40, {"note": "likes oat milk"})


@pytest.fixture
def erased(counter: HotCounter, orm: str) -> Member:
    """Zana was a member by her first tap, and then erased."""
    counter.tap()
    pending.take(counter.program, {CARD: ZANA}, NOW)
    member = Member.objects.get(name="Zana Krasniqi")
    CrmRun.objects.create(
        program_id=counter.program,
        examples=[["unnamed", NUMBER, "", ""], ["unnamed", "another", "", ""]],
        started_at=NOW,
        beat_at=NOW,
    )
    erase(member, NOW)
    assert_ledger_adds_up(orm)
    return member


def everything() -> str:
    """All text that is in the tables."""
    said = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            said += [str(row) for row in cursor.fetchall()]
    return "\n".join(said)


def test_the_crm_s_number_is_nowhere(erased: Member, counter: HotCounter) -> None:
    said = everything()
    assert NUMBER not in said
    assert "another" in said, "what is said of others stays"
    assert left_out(counter.program, [NUMBER, "another"]) == {NUMBER}
    assert count_left_out(counter.program) == 1
    assert left_out(counter.program + 1, [NUMBER]) == set(), "another program's business"
    assert len(CrmLeftOut.objects.get().digest) == 64


def test_their_card_is_an_unknown_card(erased: Member, counter: HotCounter, orm: str) -> None:
    assert counter.tap() == ("accepted", "pending")
    (settled,) = pending.take(counter.program, {CARD: ZANA}, NOW)
    assert (settled.member, settled.outcome, settled.reason) == (None, "rejected", "unknown")
    assert CrmPending.objects.latest("pk").state == "nobody"
    assert CrmAnswer.objects.get().state == "none"
    assert counter.tap() == ("rejected", "unknown"), "for a minute without asking"
    assert not Card.objects.filter(data=CARD).exists()
    assert not CrmRecord.objects.exists()
    assert not CrmLink.objects.exists()
    assert_ledger_adds_up(orm)


def test_numbers_of_another_crm_are_other_people(erased: Member, counter: HotCounter) -> None:
    CrmSource.objects.filter(program=counter.program).update(adapter="another")
    assert left_out(counter.program, [NUMBER]) == set()
    assert count_left_out(counter.program) == 0


def waits(member: Member) -> Newcomers:
    """The member waits to be told of."""
    row = CrmDelivery.objects.create(
        program_id=member.program_id, event_id=f"m{member.ref}", member=member, at=NOW
    )
    new = NewCustomer(row.event_id, member.name, (CARD,))
    return Newcomers((Newcomer(row.pk, member.pk, new),), again=False)


def test_who_is_enrolled_with_their_card_is_not_taken_for_them(
    erased: Member, counter: HotCounter
) -> None:
    program = Shop.objects.get(slug="corner").program
    anew = enrol(program, name="Ben", language="en", card=NewCard("uid", CARD))
    source = CrmSource.objects.get(program=program)
    left = creating.take_known(source, waits(anew), {CARD: ZANA}, NOW)
    assert left.people == ()
    refused = CrmDelivery.objects.get(member=anew)
    assert (refused.state, "take them in again" in refused.why) == ("refused", True)
    assert not CrmLink.objects.exists()
    assert not CrmRecord.objects.exists()


def test_who_is_erased_while_the_crm_makes_a_customer_of_them_stays_erased(
    counter: HotCounter,
) -> None:
    program = Shop.objects.get(slug="corner").program
    ben = enrol(program, name="Ben", language="en", card=NewCard("uid", CARD))
    asked = waits(ben)
    erase(ben, NOW)
    source = CrmSource.objects.get(program=program)
    made = Delivered(asked.people[0].new.event_id, "done", customer="9")
    creating.take_made(source, asked, [made], NOW)
    assert not CrmLink.objects.exists()
    assert not CrmRecord.objects.exists(), "their name least of all"
    assert left_out(program.pk, ["9"]) == {"9"}


def test_who_is_erased_while_their_fields_are_asked_for_is_not_kept(
    erased: Member, counter: HotCounter
) -> None:
    cache.renew(counter.program, [NUMBER], [ZANA], NOW)
    assert not CrmRecord.objects.exists()


def test_what_was_earned_stays_and_is_nobody_s(erased: Member, orm: str) -> None:
    kinds = list(Entry.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["open", "accrue"]
    assert_ledger_adds_up(orm)
