"""A card that is unknown here, where the program's other CRM may know it, waits for that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from besnik.bridge.decide import decide
from besnik.credentials.assess import CardRef, Credential
from besnik.store.hot import DecidedTap, HotStore, KnownReader, Recorded, open_hot
from besnik.store.models import CrmAnswer, CrmPending, CrmSource, Program, Shop, Tap
from support.store import settings_for

NEW, OTHER = "04DEADBEEF1280", "04DEADBEEF1281"
NOW = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)
PENDING = Recorded("accepted", "pending", None, repeat=False)
UNKNOWN = Recorded("rejected", "unknown", None, repeat=False)


@pytest.fixture
def hot(orm: str) -> Iterator[HotStore]:
    store = open_hot(settings_for(orm))
    yield store
    store.close()


@pytest.fixture
def source(orm: str) -> CrmSource:
    program = Shop.objects.get(slug="corner").program
    return CrmSource.objects.create(program=program, adapter="other", is_on=True)


def reader(hot: HotStore) -> KnownReader:
    return hot.readers(["counter-1"])["counter-1"]


def tap(hot: HotStore, number: int, uid: str = NEW, at: dt.datetime = NOW) -> DecidedTap:
    """Return a tap of a card that nobody knows here, decided as the bridge does."""
    known = reader(hot)
    credential = Credential(CardRef("uid", uid), "D")
    decision = decide(credential, None, known, at)
    return DecidedTap(
        reader=known.id,
        tap_id=f"00001-{number:06d}",
        ref=credential.ref,
        card=None,
        tier="D",
        outcome=decision.outcome,
        reason=decision.reason,
        read_at=0,
        clock_quality=0,
        queued=False,
        received_at=at,
        entry=decision.entry,
    )


def said(source: CrmSource, state: str, *, seconds_ago: float, card: str = NEW) -> None:
    at = NOW - dt.timedelta(seconds=seconds_ago)
    CrmAnswer.objects.create(program=source.program, card=card, state=state, fetched_at=at)


def test_nobody_waits_for_a_crm_that_is_off(hot: HotStore, source: CrmSource) -> None:
    assert hot.record([tap(hot, 1)]) == [PENDING]
    CrmSource.objects.update(is_on=False)
    assert hot.record([tap(hot, 2)]) == [UNKNOWN]
    CrmSource.objects.update(is_on=True)
    assert hot.record([tap(hot, 3)]) == [PENDING]


def test_the_crm_of_another_program_is_not_asked(hot: HotStore, source: CrmSource) -> None:
    CrmSource.objects.update(program=Program.objects.create(name="Another"))
    assert hot.record([tap(hot, 1)]) == [UNKNOWN]


def test_a_waiting_tap_is_written_once_with_what_it_waits_for(
    hot: HotStore, source: CrmSource
) -> None:
    one, other = tap(hot, 1), tap(hot, 2, OTHER)
    again = Recorded("accepted", "pending", None, repeat=True)
    assert hot.record([one, other, one]) == [PENDING, PENDING, again]
    assert hot.record([one]) == [again]
    waiting = CrmPending.objects.order_by("tap__tap_id").select_related("tap")
    assert [(each.tap.data, each.state, each.settled_at) for each in waiting] == [
        (NEW, "waiting", None),
        (OTHER, "waiting", None),
    ]
    assert {each.program_id for each in waiting} == {source.program_id}
    assert set(Tap.objects.values_list("outcome", "reason", "card", "member")) == {
        ("accepted", "pending", None, None)
    }


@pytest.mark.parametrize(
    ("answer", "seconds_ago", "verdict"),
    [
        ("none", 59, UNKNOWN),
        ("none", 61, PENDING),
        ("ambiguous", 59, UNKNOWN),
        ("ambiguous", 61, PENDING),
    ],
)
def test_what_the_crm_said_lately_counts_at_once(
    hot: HotStore, source: CrmSource, answer: str, seconds_ago: float, verdict: Recorded
) -> None:
    said(source, answer, seconds_ago=seconds_ago)
    assert hot.record([tap(hot, 1), tap(hot, 2, OTHER)]) == [verdict, PENDING]
    assert CrmPending.objects.count() == (2 if verdict == PENDING else 1)


def test_what_another_program_s_crm_said_does_not_count(hot: HotStore, source: CrmSource) -> None:
    said(source, "none", seconds_ago=1)
    CrmAnswer.objects.update(program=Program.objects.create(name="Another"))
    assert hot.record([tap(hot, 1)]) == [PENDING]
