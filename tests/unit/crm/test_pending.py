"""Taps that waited for the CRM's word: enrolled and counted once, by the rules of their moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from besnik.bridge.decide import decide
from besnik.credentials.assess import CardRef, Credential
from besnik.crm import pending
from besnik.crm.foreign import Ambiguous, Customer
from besnik.loyalty.guards import Velocity
from besnik.store.hot import CardKey, DecidedTap, HotStore, open_hot
from besnik.store.models import (
    Account,
    Card,
    CrmAnswer,
    CrmLink,
    CrmPending,
    CrmRecord,
    CrmSource,
    Entry,
    Member,
    Shop,
    Tap,
)
from besnik.store.people import NewCard, add_card
from support.published import STAMP, publish
from support.store import assert_ledger_adds_up, settings_for

CARD, OTHER = "04DEADBEEF1280", "04DEADBEEF1281"
NOW = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
ZANA = Customer("c-7", "Zana Krasniqi", (CARD,), 40, {"note": "likes oat milk"})


class Counter:
    """The bridge's side: cards held to reader counter-1."""

    def __init__(self, hot: HotStore, program: int) -> None:
        self._hot = hot
        self._number = 0
        self.program = program

    def tap(
        self, uid: str = CARD, *, kind: str = "uid", counter: int | None = None, minute: int = 0
    ) -> tuple[str, str]:
        reader = self._hot.readers(["counter-1"])["counter-1"]
        credential = Credential(CardRef(kind, uid), "D" if counter is None else "A", counter)
        at = NOW + dt.timedelta(minutes=minute)
        key = CardKey(self.program, credential.ref)
        card = self._hot.cards([key]).get(key)
        decision = decide(credential, card, reader, at)
        self._number += 1
        tap = DecidedTap(
            reader=reader.id,
            tap_id=f"00001-{self._number:06d}",
            ref=credential.ref,
            card=card,
            tier=credential.tier,
            outcome=decision.outcome,
            reason=decision.reason,
            read_at=0,
            clock_quality=0,
            queued=False,
            received_at=at,
            entry=decision.entry,
            counter=counter,
            bounds=decision.bounds,
        )
        (done,) = self._hot.record([tap])
        return done.outcome, done.reason


@pytest.fixture
def counter(orm: str) -> Iterator[Counter]:
    program = Shop.objects.get(slug="corner").program
    CrmSource.objects.create(program=program, adapter="other", is_on=True)
    hot = open_hot(settings_for(orm))
    yield Counter(hot, program.pk)
    hot.close()


def balance(member: Member) -> int:
    return Account.objects.get(member=member, unit="stamp", account="main").balance


def verdicts() -> list[tuple[str, str]]:
    return list(Tap.objects.order_by("pk").values_list("outcome", "reason"))


def test_a_customer_of_the_crm_is_enrolled_and_the_visits_that_waited_count_once(
    counter: Counter, orm: str
) -> None:
    assert [counter.tap(), counter.tap()] == [("accepted", "pending")] * 2
    assert pending.waiting(counter.program) == {CARD: False}
    done = pending.take(counter.program, {CARD: ZANA}, NOW)
    member = Member.objects.get(name="Zana Krasniqi")
    assert [(each.tap, each.shop, each.reader, each.member) for each in done] == [
        (f"00001-{number:06d}", "corner", "counter-1", member.ref) for number in (1, 2)
    ]
    assert {(each.outcome, each.reason) for each in done} == {("accepted", "ok")}
    assert balance(member) == 2
    assert CrmLink.objects.get(member=member).external_id == "c-7"
    assert set(Tap.objects.values_list("member", "reason")) == {(member.pk, "ok")}
    assert set(CrmPending.objects.values_list("state", "settled_at")) == {("counted", NOW)}
    record = CrmRecord.objects.get()
    assert (record.external_id, record.points, record.fields) == (
        "c-7",
        40,
        {"note": "likes oat milk"},
    )
    assert pending.take(counter.program, {CARD: ZANA}, NOW) == []
    assert pending.waiting(counter.program) == {}
    assert (Member.objects.filter(name="Zana Krasniqi").count(), balance(member)) == (1, 2)
    assert_ledger_adds_up(orm)
    assert counter.tap() == ("accepted", "ok")
    assert_ledger_adds_up(orm)


def test_a_second_card_of_a_customer_goes_to_the_same_member(counter: Counter, orm: str) -> None:
    counter.tap()
    pending.take(counter.program, {CARD: ZANA}, NOW)
    counter.tap(OTHER)
    pending.take(counter.program, {OTHER: ZANA}, NOW)
    member = Member.objects.get(name="Zana Krasniqi")
    assert set(member.cards.values_list("data", flat=True)) == {CARD, OTHER}
    assert balance(member) == 2
    assert_ledger_adds_up(orm)


@pytest.mark.parametrize(
    ("found", "outcome", "kept", "ids"),
    [(None, "nobody", "none", []), (Ambiguous(("1", "2")), "ambiguous", "ambiguous", ["1", "2"])],
)
def test_a_card_of_nobody_or_of_several_is_refused_and_remembered(
    counter: Counter, found: Ambiguous | None, outcome: str, kept: str, ids: list[str], orm: str
) -> None:
    counter.tap()
    (done,) = pending.take(counter.program, {CARD: found}, NOW)
    assert (done.member, done.outcome, done.reason) == (None, "rejected", "unknown")
    assert CrmPending.objects.get().state == outcome
    answer = CrmAnswer.objects.get()
    assert (answer.card, answer.state, answer.ids, answer.fetched_at) == (CARD, kept, ids, NOW)
    assert counter.tap() == ("rejected", "unknown")
    assert not Entry.objects.exists()
    assert_ledger_adds_up(orm)


def test_a_card_enrolled_at_the_till_meanwhile_is_counted_without_the_crm(
    counter: Counter, orm: str
) -> None:
    counter.tap()
    counter.tap(OTHER)
    ana = Member.objects.get(name="Ana Hoxha")
    add_card(ana, NewCard("uid", CARD))
    assert pending.waiting(counter.program) == {CARD: True, OTHER: False}
    assert [each.member for each in pending.settle_known(counter.program, CARD, NOW)] == [ana.ref]
    assert pending.settle_known(counter.program, OTHER, NOW) == []
    assert pending.waiting(counter.program) == {OTHER: False}
    assert balance(ana) == 1


def test_a_card_that_is_blocked_meanwhile_counts_nothing(counter: Counter) -> None:
    counter.tap()
    add_card(Member.objects.get(name="Ana Hoxha"), NewCard("uid", CARD))
    Card.objects.filter(data=CARD).update(state="blocked")
    pending.settle_known(counter.program, CARD, NOW)
    assert verdicts() == [("rejected", "blocked")]
    assert not Entry.objects.exists()


def test_an_address_played_again_while_it_waits_counts_once(counter: Counter, orm: str) -> None:
    for number in (5, 5, 6):
        counter.tap(kind="ntag", counter=number)
    pending.take(counter.program, {CARD: ZANA}, NOW)
    assert verdicts() == [("accepted", "ok"), ("rejected", "replayed"), ("accepted", "ok")]
    assert Card.objects.get(data=CARD).counter == 6
    assert counter.tap(kind="ntag", counter=6) == ("rejected", "replayed")
    assert_ledger_adds_up(orm)


def test_visits_that_waited_are_held_to_the_program_s_bounds(counter: Counter, orm: str) -> None:
    publish(orm, STAMP, velocity=Velocity(most=1, minutes=10))
    for minute in (0, 5, 15):
        counter.tap(minute=minute)
    pending.take(counter.program, {CARD: ZANA}, NOW)
    assert verdicts() == [("accepted", "ok"), ("rejected", "too_soon"), ("accepted", "ok")]
    assert_ledger_adds_up(orm)


def test_a_name_that_cannot_be_kept_gives_way_to_the_number(counter: Counter) -> None:
    counter.tap()
    pending.take(counter.program, {CARD: Customer("c-8", " \t")}, NOW)
    assert Card.objects.get(data=CARD).member.name == "c-8"
