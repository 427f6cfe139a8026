"""What stands in front of a CRM: it is asked as hard as it may be, left alone while it fails."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from django.utils import timezone

from besnik.crm.breaker import CutShortError, HeldBackError
from besnik.crm.foreign import (
    CrmAnswerError,
    CrmAwayError,
    CrmRefusedError,
    Customer,
    Delivered,
    Visit,
)
from besnik.crm.front import Front
from besnik.crm.thread import DatabaseThread
from besnik.store.models import CrmSource
from support.hot_counter import CARD
from support.paper_crm import PaperCrm, PaperServer
from support.paper_server import KEY


class Fronts:
    """Makes fronts of the CRM as its row says at that moment. ``now`` is their time."""

    def __init__(self, source: int, paper: PaperServer, database: DatabaseThread) -> None:
        self.now = timezone.now()
        self.made: list[Front] = []
        self._source = source
        self._paper = paper
        self._database = database

    async def row(self) -> CrmSource:
        return await self._database(CrmSource.objects.get, pk=self._source)

    async def open(self, key: str = KEY, call_max_s: float = 10, **able: object) -> Front:
        settings = {**self._paper.settings, "able": json.dumps(able)}
        crm = PaperCrm.open_crm(settings, {"key": key})
        row, now = await self.row(), lambda: self.now
        front = Front(crm, row, self._database, now=now, call_max_s=call_max_s)
        self.made.append(front)
        return front

    async def fault(self, **what: object) -> list[str]:
        return await asyncio.to_thread(lambda: self._paper.fault(**what))

    def pass_s(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
async def fronts(source: CrmSource, paper: PaperServer) -> AsyncIterator[Fronts]:
    async with DatabaseThread() as database:
        made = Fronts(source.pk, paper, database)
        yield made
        for each in made.made:
            await each.aclose()


async def look(front: Front) -> None:
    found = await front.lookup_many([CARD, "04DEADBEEF1299"], ["note"])
    fields = {"note": "note on Zana Krasniqi"}
    assert found == {CARD: Customer("1", "Zana Krasniqi", (CARD,), 0, fields)}


async def test_what_the_crm_says_comes_through(fronts: Fronts) -> None:
    front = await fronts.open()
    await look(front)
    at = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    visit = Visit("e1-1", "1", "visit", "Corner", at, 1, 1)
    assert await front.record_visits([visit], again=False) == [Delivered("e1-1", "done")]
    assert await front.record_visits([visit], again=True) == [Delivered("e1-1", "already")]
    assert (await front.refresh(["1"], []))["1"].points == 1
    assert (await fronts.row()).answered_at == fronts.now


async def test_a_crm_over_its_limit_is_left_alone_as_long_as_it_asks(fronts: Fronts) -> None:
    front = await fronts.open()
    await fronts.fault(status=429, headers={"Retry-After": "77"})
    with pytest.raises(CrmAwayError) as told:
        await look(front)
    assert told.value.retry_after_s == 77
    row = await fronts.row()
    assert (row.breaker, row.retry_at) == ("open", fronts.now + dt.timedelta(seconds=77))
    asked = await fronts.fault()
    for seconds in (0, 76):
        fronts.pass_s(seconds)
        with pytest.raises(HeldBackError):
            await look(front)
    assert await fronts.fault() == asked
    # Whoever takes over leaves it alone as well.
    with pytest.raises(HeldBackError):
        await look(await fronts.open())
    fronts.pass_s(1)
    await look(front)
    row = await fronts.row()
    assert (row.breaker, row.why, row.retry_at) == ("closed", "", None)


async def test_a_key_that_is_refused_is_not_tried_until_somebody_says_so(fronts: Fronts) -> None:
    wrong = await fronts.open(key="wrong")
    with pytest.raises(CrmRefusedError):
        await look(wrong)
    fronts.pass_s(1_000_000)
    with pytest.raises(HeldBackError):
        await look(wrong)
    row = await fronts.row()
    assert (row.breaker, row.retry_at) == ("open", None)
    assert "wrong" not in row.why
    right = await fronts.open()
    assert (await right.health()).ok
    await look(right)
    assert (await fronts.row()).breaker == "closed"


async def test_nonsense_and_a_fault_of_the_adapter_are_told_as_such(
    fronts: Fronts, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = await fronts.open()
    await fronts.fault(nonsense=True)
    with pytest.raises(CrmAnswerError):
        await look(front)

    async def broken(*_: object, **__: object) -> Sequence[Delivered]:
        raise KeyError("Zana Krasniqi")

    monkeypatch.setattr(PaperCrm, "lookup_many", broken)
    with pytest.raises(CrmAnswerError, match=r"^its adapter failed: KeyError$"):
        await look(front)
    monkeypatch.undo()
    await look(front)


async def test_what_cannot_be_kept_is_made_fit_or_refused(
    fronts: Fronts, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[str, object] = {}

    async def odd(*_: object, **__: object) -> object:
        return answers

    monkeypatch.setattr(PaperCrm, "lookup_many", odd)
    front = await fronts.open()
    fields = {"a": "x\0y", "b": float("inf"), "c": dt.date(2026, 1, 2), "d": 3, "e": None}
    answers[CARD] = Customer("1", "Za\0na", fields=fields)  # type: ignore[arg-type]  # as odd ones do
    found = (await front.lookup_many([CARD], []))[CARD]
    kept = {"a": "xy", "b": None, "c": "2026-01-02", "d": 3, "e": None}
    assert found == Customer("1", "Zana", fields=kept)
    for wrong in (Customer("", "A"), Customer("x" * 101, "A"), Customer("1", "A", points=10**19)):
        answers[CARD] = wrong
        front.breaker.reset()
        with pytest.raises(CrmAnswerError):
            await front.lookup_many([CARD], [])


async def test_an_adapter_that_never_ends_is_given_up(fronts: Fronts) -> None:
    front = await fronts.open(call_max_s=0.2)
    await fronts.fault(delay_s=2)
    with pytest.raises(CrmAwayError, match="did not answer"):
        await look(front)


async def test_the_requests_of_a_day_are_counted_by_all_and_kept_for_tills(
    fronts: Fronts,
) -> None:
    first, second = await fronts.open(per_day=5), await fronts.open(per_day=5)
    await first.refresh(["1"], [])
    await second.refresh(["1"], [])
    await first.refresh(["1"], [])
    await first.refresh(["1"], [])
    with pytest.raises(HeldBackError, match="used up"):
        await second.refresh(["1"], [])
    await look(second)
    with pytest.raises(HeldBackError, match="used up"):
        await look(first)
    row = await fronts.row()
    midnight = (fronts.now + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0)
    assert (row.asked, row.breaker) == (5, "closed")
    assert row.retry_at == midnight.replace(microsecond=0)
    assert "the 5 requests of a day are used up" in row.why
    fronts.pass_s(86_400)
    await look(first)
    row = await fronts.row()
    assert (row.why, row.retry_at) == ("", None)
    assert (await fronts.row()).asked == 1
    assert (await fronts.row()).breaker == "closed"


async def test_it_is_asked_no_faster_than_it_may_be(fronts: Fronts) -> None:
    front = await fronts.open(per_second=5)
    began_s = time.monotonic()
    for _ in range(8):
        await look(front)
    assert time.monotonic() - began_s >= 0.5


async def test_every_request_of_a_call_counts(fronts: Fronts) -> None:
    front = await fronts.open(per_day=5)
    visits = [Visit(f"e1-{n}", "1", "visit", "Corner", timezone.now(), 1, 1) for n in range(3)]
    await front.record_visits(visits, again=False)
    assert (await fronts.row()).asked == 1
    # It looks first which of them are there.
    await front.record_visits(visits, again=True)
    assert (await fronts.row()).asked == 3
    await front.refresh(["1"], [])
    with pytest.raises(HeldBackError, match="used up"):
        await front.refresh(["1"], [])


async def test_a_call_of_many_requests_keeps_to_the_limit_and_is_given_the_time(
    fronts: Fronts,
) -> None:
    front = await fronts.open(call_max_s=0.25, per_second=2)
    began_s = time.monotonic()
    for _ in range(3):
        visits = [Visit("e1-1", "1", "visit", "Corner", timezone.now(), 1, 1)]
        await front.record_visits(visits, again=True)
    assert time.monotonic() - began_s >= 1.5


async def test_a_call_that_is_cut_short_was_perhaps_carried_out(fronts: Fronts) -> None:
    front = await fronts.open(per_day=3)
    visits = [Visit("e1-1", "1", "visit", "Corner", timezone.now(), 1, 1)]
    await front.refresh(["1"], [])
    await front.refresh(["1"], [])
    with pytest.raises(CutShortError, match="used up") as cut:
        await front.record_visits(visits, again=True)
    assert cut.value.retry_after_s is not None
    row = await fronts.row()
    assert (row.breaker, "used up" in row.why) == ("closed", True)
