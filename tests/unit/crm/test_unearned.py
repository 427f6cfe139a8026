"""Visits that earned nothing are told to the CRM as well: once, in order, with no points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from besnik.crm import outbox, pending, sources, telling, unearned
from besnik.crm.foreign import Customer, Delivered, Visit
from besnik.loyalty.guards import Velocity
from besnik.loyalty.rules import Cap
from besnik.store.models import CrmDelivery, CrmLink, CrmSource, Member, Tap
from besnik.store.people import NewCard, add_card, enrol
from support.hot_counter import CARD, NOON, HotCounter
from support.published import STAMP, publish

OTHER = "04DEADBEEF1281"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def source(other_crm: CrmSource, no_margin: None) -> CrmSource:
    return other_crm


@pytest.fixture
def ana(source: CrmSource) -> Member:
    """A member who is customer 7 there; she has two cards."""
    member = Member.objects.get(name="Ana Hoxha")
    CrmLink.objects.create(program=source.program, member=member, external_id="7")
    for data in (CARD, OTHER):
        add_card(member, NewCard("uid", data))
    return member


def collect(source: CrmSource, *, can_create: bool = True) -> int:
    return outbox.collect(source.pk, timezone.now(), can_create=can_create)


def told(source: CrmSource, *, can_create: bool = True) -> list[Visit]:
    """Collect, and take all that is told for written there."""
    collect(source, can_create=can_create)
    visits: list[Visit] = []
    while batch := telling.batch(source.pk, 50, timezone.now() + MINUTE):
        telling.settle(batch.rows, [Delivered(each.event_id, "done") for each in batch.visits])
        visits += batch.visits
    return visits


def event(tap: Tap) -> str:
    return f"t{tap.reader.shop.program_id}-{tap.pk}-{int(tap.received_at.timestamp()):x}"


def test_a_visit_where_visits_earn_nothing_is_told_once(
    source: CrmSource, ana: Member, counter: HotCounter, orm: str
) -> None:
    publish(orm)
    assert counter.tap() == ("accepted", "ok")
    (visit,) = told(source)
    tap = Tap.objects.select_related("reader__shop").get()
    assert visit == Visit(
        event(tap), "7", "visit", tap.reader.shop.name, NOON, points=0, balance=0, card=CARD
    )
    assert told(source) == []
    counter.tap(minute=1)
    assert [each.at for each in told(source)] == [NOON + MINUTE]


def test_visits_with_and_without_points_are_told_in_the_order_they_happened(
    source: CrmSource, ana: Member, counter: HotCounter, orm: str
) -> None:
    publish(orm, STAMP, Cap(id="day", unit="stamp", most=2, per="day"))
    for minute in range(4):
        counter.tap(minute=minute)
    publish(orm)
    counter.tap(minute=4)
    publish(orm, STAMP)
    counter.tap(minute=5)
    visits = told(source)
    assert [each.points for each in visits] == [1, 1, 0, 0, 0, 1]
    assert [each.at for each in visits] == [NOON + number * MINUTE for number in range(6)]
    assert {each.kind for each in visits} == {"visit"}
    assert [each.balance for each in visits] == [None] * 5 + [3]
    assert told(source) == []


def test_what_was_refused_or_is_of_nobody_who_is_told_is_not_told(
    source: CrmSource, ana: Member, counter: HotCounter, orm: str
) -> None:
    publish(orm)
    stranger = enrol(source.program, name="B", language="en", card=NewCard("uid", "04AA0011223344"))
    collect(source, can_create=False)
    counter.tap("04AA0011223344")
    assert counter.tap("04BB0011223344") == ("accepted", "pending")
    ana.cards.filter(data=CARD).update(state="blocked")
    assert counter.tap() == ("rejected", "blocked")
    assert told(source, can_create=False) == []
    assert not CrmDelivery.objects.filter(member=stranger).exists()


def test_a_card_that_comes_again_too_soon_makes_no_other_visit(
    source: CrmSource, ana: Member, counter: HotCounter, orm: str
) -> None:
    publish(orm, velocity=Velocity(most=9, minutes=10, gap_s=180))
    counter.tap(minute=0)
    assert len(told(source)) == 1
    for minute in (1, 2, 3, 5, 6):
        counter.tap(minute=minute)
    counter.tap(OTHER, minute=6)
    assert [(each.card, each.at) for each in told(source)] == [
        (CARD, NOON + 3 * MINUTE),
        (CARD, NOON + 6 * MINUTE),
        (OTHER, NOON + 6 * MINUTE),
    ]
    assert told(source) == []


def test_a_visit_that_earned_makes_the_next_one_too_soon_as_well(
    source: CrmSource, ana: Member, counter: HotCounter, orm: str
) -> None:
    limit = Velocity(most=2, minutes=10)
    publish(orm, STAMP, velocity=limit)
    counter.tap(minute=0)
    publish(orm, velocity=limit)
    for minute in (1, 2, 11):
        counter.tap(minute=minute)
    assert [(each.points, each.at) for each in told(source)] == [
        (1, NOON), (0, NOON + MINUTE), (0, NOON + 11 * MINUTE),
    ]  # fmt: skip


def test_a_tap_that_waited_for_the_crm_and_earned_nothing_is_told(
    source: CrmSource, counter: HotCounter, orm: str
) -> None:
    publish(orm)
    counter.tap()
    assert told(source) == []
    for _ in range(2):
        pending.take(counter.program, {CARD: Customer("9", "Zana", (CARD,))}, timezone.now())
    assert [(each.customer, each.points) for each in told(source)] == [("9", 0)]
    assert told(source) == []


@pytest.mark.parametrize("can_create", [True, False])
def test_a_tap_of_a_member_enrolled_meanwhile_is_told_if_they_are_made_there(
    source: CrmSource, counter: HotCounter, orm: str, can_create: bool
) -> None:
    publish(orm)
    counter.tap()
    member = enrol(source.program, name="Besa", language="en", card=NewCard("uid", CARD))
    pending.settle_known(counter.program, CARD, timezone.now())
    assert told(source, can_create=can_create) == []
    assert CrmDelivery.objects.filter(tap__isnull=False).exists() == can_create
    if can_create:
        CrmLink.objects.create(program=source.program, member=member, external_id="9")
        CrmDelivery.objects.filter(event_id=f"m{member.ref}").update(state="done")
        assert [each.customer for each in told(source)] == ["9"]


def test_more_than_a_page_is_taken_in_one_round(
    source: CrmSource, ana: Member, counter: HotCounter, orm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unearned, "PAGE", 2)
    publish(orm)
    for minute in range(5):
        counter.tap(minute=minute)
    assert collect(source) == 5
    assert len(told(source)) == 5


def test_visits_from_before_it_was_switched_on_are_not_told(
    source: CrmSource, ana: Member, counter: HotCounter, orm: str
) -> None:
    publish(orm)
    counter.tap()
    CrmSource.objects.update(started_at=None)
    source.refresh_from_db()
    sources.switch_on(source, timezone.now())
    counter.tap(minute=1)
    assert [each.at for each in told(source)] == [NOON + MINUTE]


def test_a_visit_that_is_looked_at_again_makes_the_next_one_no_sooner(
    source: CrmSource,
    ana: Member,
    counter: HotCounter,
    orm: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL: the mark stays below what is new, and the next round finds it again."""
    monkeypatch.setattr(outbox, "settled_before", lambda _now: NOON)
    publish(orm, velocity=Velocity(most=2, minutes=10))
    counter.tap(minute=0)
    assert len(told(source)) == 1
    counter.tap(minute=1)
    assert [each.at for each in told(source)] == [NOON + MINUTE]
    counter.tap(minute=2)
    assert told(source) == []


def test_a_visit_of_one_who_is_linked_while_it_is_dropped_stays(
    source: CrmSource, counter: HotCounter, orm: str
) -> None:
    """Between finding what was done by no customer there and dropping it, an import comes."""
    publish(orm)
    counter.tap()
    member = enrol(source.program, name="Besa", language="en", card=NewCard("uid", CARD))
    pending.settle_known(counter.program, CARD, timezone.now())
    linked: list[CrmLink] = []

    def between(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("SELECT") and "store_crmlink" in sql and "store_crmdelivery" in sql:
            new = CrmLink(program=source.program, member=member, external_id="9")
            new.save(force_insert=True)
            linked.append(new)
        return result

    with connection.execute_wrapper(between):
        collect(source, can_create=False)
    assert len(linked) == 1
    assert [each.customer for each in told(source, can_create=False)] == ["9"]
