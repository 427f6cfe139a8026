"""A customer and a member become one with all that both have; what is in dispute is not written."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from besnik.crm import creating, outbox, pending, sources, telling
from besnik.crm.foreign import Customer, Delivered
from besnik.crm.matching import Here
from besnik.crm.taking import note, take
from besnik.store.models import (
    Account,
    Card,
    CrmDelivery,
    CrmDifference,
    CrmLink,
    CrmPending,
    CrmSource,
    Member,
)
from besnik.store.people import NewCard, enrol
from support.hot_counter import CARD, HotCounter
from support.store import assert_ledger_adds_up

OTHER, THIRD = "04DEADBEEF1281", "04DEADBEEF1282"
MINUTE = dt.timedelta(minutes=1)
ZANA = Customer("c-7", "Zana Krasniqi", (CARD,), 500)


@pytest.fixture
def source(other_crm: CrmSource, no_margin: None) -> CrmSource:
    return other_crm


def joined(source: CrmSource, name: str, *cards: str) -> Member:
    """Enrol somebody at the till."""
    member = enrol(source.program, name=name, language="en", card=NewCard("uid", cards[0]))
    for data in cards[1:]:
        Card.objects.create(program=source.program, member=member, kind="uid", data=data)
    return member


def balance(member: Member) -> int:
    return Account.objects.get(member=member, unit="stamp", account="main").balance


def told(source: CrmSource) -> list[tuple[str, int, int | None]]:
    """Tell the CRM all that there is: whose, what it moved, what they have then."""
    outbox.collect(source.pk, timezone.now(), can_create=True)
    visits = []
    while batch := telling.batch(source.pk, 50, timezone.now() + MINUTE):
        telling.settle(batch.rows, [Delivered(each.event_id, "done") for each in batch.visits])
        visits += [(each.customer, each.points, each.balance) for each in batch.visits]
    return visits


def tell_members(source: CrmSource, *customers: Customer) -> None:
    """Let the worker find new members among the CRM's customers."""
    outbox.collect(source.pk, timezone.now(), can_create=True)
    asked = creating.batch(source.pk, 50, timezone.now())
    found = {card: each for each in customers for card in each.cards}
    creating.take_known(source, asked, found, timezone.now())


def test_a_tap_of_a_customer_brings_their_points_along(
    source: CrmSource, counter: HotCounter, orm: str
) -> None:
    counter.tap()
    pending.take(counter.program, {CARD: ZANA}, timezone.now())
    member = Member.objects.get(name="Zana Krasniqi")
    assert balance(member) == 501
    assert told(source) == [("c-7", 1, 501)]
    counter.tap(minute=1)
    pending.take(counter.program, {CARD: ZANA}, timezone.now())
    assert told(source) == [("c-7", 1, 502)]
    assert not CrmDifference.objects.exists()
    assert_ledger_adds_up(orm, each_earns=False)


def test_who_was_enrolled_at_the_till_and_is_a_customer_has_both(
    source: CrmSource, counter: HotCounter, orm: str
) -> None:
    member = joined(source, "Zana Krasniqi", CARD)
    counter.tap()
    tell_members(source, ZANA)
    assert balance(member) == 501
    assert told(source) == [("c-7", 1, 501)]
    assert_ledger_adds_up(orm, each_earns=False)


def test_points_from_before_are_in_dispute_and_nothing_is_written_over(
    source: CrmSource, counter: HotCounter
) -> None:
    member = joined(source, "Zana Krasniqi", CARD)
    counter.tap()
    # What they have is from before the CRM was switched on.
    CrmSource.objects.update(started_at=None)
    source.refresh_from_db()
    sources.switch_on(source, timezone.now())
    counter.tap(minute=1)
    CrmDelivery.objects.create(
        program=source.program, event_id=f"m{member.ref}", member=member, at=timezone.now()
    )
    tell_members(source, ZANA)
    assert balance(member) == 2
    (row,) = CrmDifference.objects.all()
    assert (row.kind, row.there, row.here) == ("points", "500", "2")
    assert told(source) == [("c-7", 1, None)]
    # An import while something is on its way does not forget the dispute.
    counter.tap(minute=2)
    matches = Here(source, [ZANA]).matches()
    take(source, matches, "en", timezone.now())
    note(source, matches, timezone.now())
    assert told(source) == [("c-7", 1, None)]
    CrmDifference.objects.all().delete()
    counter.tap(minute=3)
    assert told(source) == [("c-7", 1, 4)]


def test_a_tap_of_another_card_of_a_member_is_theirs(
    source: CrmSource, counter: HotCounter
) -> None:
    member = joined(source, "Zana Krasniqi", OTHER)
    counter.tap()
    found = Customer("c-7", "Zana Krasniqi", (CARD, OTHER), 5)
    (done,) = pending.take(counter.program, {CARD: found}, timezone.now())
    assert (done.member, done.outcome) == (member.ref, "accepted")
    assert Member.objects.filter(name="Zana Krasniqi").count() == 1
    assert CrmLink.objects.get().member == member
    assert balance(member) == 6


def test_a_customer_whose_cards_are_of_two_members_is_for_somebody_to_decide(
    source: CrmSource, counter: HotCounter
) -> None:
    joined(source, "Zana Krasniqi", OTHER)
    joined(source, "Ben", THIRD)
    found = Customer("c-7", "Zana Krasniqi", (CARD, OTHER, THIRD), 5)
    counter.tap()
    (done,) = pending.take(counter.program, {CARD: found}, timezone.now())
    assert (done.outcome, done.reason) == ("rejected", "unknown")
    assert CrmPending.objects.get().state == "ambiguous"
    assert CrmDifference.objects.get().kind == "two_members"
    assert counter.tap() == ("rejected", "unknown"), "it is not asked for again at once"
    tell_members(source, found)
    rows = CrmDelivery.objects.filter(state="refused")
    assert {row.member.name for row in rows if row.member} == {"Zana Krasniqi", "Ben"}
    assert not CrmLink.objects.exists()
