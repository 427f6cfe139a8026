"""Taps that waited for the CRM's word: enrolled and counted once, by the rules of their moment."""

from __future__ import annotations

import datetime as dt

import pytest

from besnik.contract import Outcome, Reason
from besnik.crm import pending
from besnik.crm.foreign import Ambiguous, Customer
from besnik.loyalty.guards import Velocity
from besnik.store.models import (
    Account,
    Card,
    CrmAnswer,
    CrmLink,
    CrmPending,
    CrmRecord,
    Entry,
    Member,
    Tap,
)
from besnik.store.people import NewCard, add_card
from support.hot_counter import CARD, HotCounter
from support.published import STAMP, publish
from support.store import assert_ledger_adds_up

OTHER = "04DEADBEEF1281"
NOW = dt.datetime(2026, 11, 22, 12, 1, tzinfo=dt.UTC)
ZANA = Customer("c-7", "Zana Krasniqi", (CARD,), 40, {"note": "likes oat milk"})


def balance(member: Member) -> int:
    return Account.objects.get(member=member, unit="stamp", account="main").balance


def verdicts() -> list[tuple[str, str]]:
    return list(Tap.objects.order_by("pk").values_list("outcome", "reason"))


def test_a_customer_of_the_crm_is_enrolled_and_the_visits_that_waited_count_once(
    counter: HotCounter, orm: str
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


def test_many_taps_of_one_card_are_counted_one_by_one(
    counter: HotCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in range(7):
        counter.tap(minute=minute)
    real, counted = pending.count, []

    def killed_at_the_fifth(tap: Tap, card: Card) -> tuple[Outcome, Reason]:
        counted.append(tap.pk)
        if len(counted) == 5:
            raise KeyboardInterrupt
        return real(tap, card)

    monkeypatch.setattr(pending, "count", killed_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        pending.take(counter.program, {CARD: ZANA}, NOW)
    member = Member.objects.get(name="Zana Krasniqi")
    assert balance(member) == 4, "the one that was under way is undone"
    assert pending.waiting(counter.program) == {CARD: True}
    assert len(pending.settle_known(counter.program, CARD, NOW)) == 3
    assert balance(member) == 7


def test_a_second_card_of_a_customer_goes_to_the_same_member(counter: HotCounter, orm: str) -> None:
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
    counter: HotCounter, found: Ambiguous | None, outcome: str, kept: str, ids: list[str], orm: str
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
    counter: HotCounter, orm: str
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


def test_a_card_that_is_blocked_meanwhile_counts_nothing(counter: HotCounter) -> None:
    counter.tap()
    add_card(Member.objects.get(name="Ana Hoxha"), NewCard("uid", CARD))
    Card.objects.filter(data=CARD).update(state="blocked")
    pending.settle_known(counter.program, CARD, NOW)
    assert verdicts() == [("rejected", "blocked")]
    assert not Entry.objects.exists()


def test_an_address_played_again_while_it_waits_counts_once(counter: HotCounter, orm: str) -> None:
    for number in (5, 5, 6):
        counter.tap(kind="ntag", counter=number)
    pending.take(counter.program, {CARD: ZANA}, NOW)
    assert verdicts() == [("accepted", "ok"), ("rejected", "replayed"), ("accepted", "ok")]
    assert Card.objects.get(data=CARD).counter == 6
    assert counter.tap(kind="ntag", counter=6) == ("rejected", "replayed")
    assert_ledger_adds_up(orm)


def test_visits_that_waited_are_held_to_the_program_s_bounds(counter: HotCounter, orm: str) -> None:
    publish(orm, STAMP, velocity=Velocity(most=1, minutes=10))
    for minute in (0, 5, 15):
        counter.tap(minute=minute)
    pending.take(counter.program, {CARD: ZANA}, NOW)
    assert verdicts() == [("accepted", "ok"), ("rejected", "too_soon"), ("accepted", "ok")]
    assert_ledger_adds_up(orm)


def test_a_name_that_cannot_be_kept_gives_way_to_the_number(counter: HotCounter) -> None:
    counter.tap()
    pending.take(counter.program, {CARD: Customer("c-8", " \t")}, NOW)
    assert Card.objects.get(data=CARD).member.name == "c-8"


def test_of_what_waits_for_nobody_s_answer_the_enrolled_are_found(
    counter: HotCounter, orm: str
) -> None:
    counter.tap()
    counter.tap(OTHER)
    assert pending.enrolled(counter.program) == []
    assert pending.resting([]) == [counter.program]
    assert pending.resting([counter.program]) == []
    ana = Member.objects.get(name="Ana Hoxha")
    add_card(ana, NewCard("uid", CARD))
    assert pending.enrolled(counter.program) == [CARD]
    pending.settle_known(counter.program, CARD, NOW)
    assert pending.enrolled(counter.program) == []
    assert balance(ana) == 1
    assert_ledger_adds_up(orm, each_earns=False)


def test_what_is_waited_for_no_more_is_of_unknown_cards_but_for_the_enrolled(
    counter: HotCounter, orm: str
) -> None:
    for card in (CARD, OTHER, OTHER):
        counter.tap(card)
    add_card(Member.objects.get(name="Ana Hoxha"), NewCard("uid", CARD))
    assert pending.refuse_waiting(counter.program, NOW) == 2
    assert verdicts() == [("accepted", "ok"), *[("rejected", "unknown")] * 2]
    assert list(CrmPending.objects.order_by("pk").values_list("state", flat=True)) == [
        "counted",
        "nobody",
        "nobody",
    ]
    assert not CrmAnswer.objects.exists(), "the CRM has not said so"
    assert pending.refuse_waiting(counter.program, NOW) == 0
    assert_ledger_adds_up(orm)


def test_who_taps_again_between_being_known_and_being_counted_loses_nothing(
    counter: HotCounter, monkeypatch: pytest.MonkeyPatch, orm: str
) -> None:
    """A card that counts its reads: the later read is counted first."""

    def killed(_tap: Tap, _card: Card) -> tuple[Outcome, Reason]:
        raise KeyboardInterrupt

    counter.tap(kind="ntag", counter=5)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pending, "count", killed)
        pending.take(counter.program, {CARD: ZANA}, NOW)
    assert counter.tap(kind="ntag", counter=6) == ("accepted", "ok")
    assert len(pending.settle_known(counter.program, CARD, NOW)) == 1
    assert verdicts() == [("accepted", "ok")] * 2
    assert balance(Member.objects.get(name="Zana Krasniqi")) == 2
    assert Card.objects.get(data=CARD).counter == 6
    assert counter.tap(kind="ntag", counter=5) == ("rejected", "replayed")
    assert_ledger_adds_up(orm)
