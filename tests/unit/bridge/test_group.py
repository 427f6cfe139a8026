"""Group commit: batches form by themselves, outages are waited out, one bad item harms no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from itertools import islice

import pytest

from besnik.bridge import group
from besnik.bridge.group import GroupCommit, backoff


class AwayError(Exception):
    """The database is away."""


class Ledger:
    """Settles numbers by doubling them; takes as long, and fails as often, as it is told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.outages = 0
        self.poison: set[int] = set()
        self.away: set[int] = set()
        self.settled_one = asyncio.Event()

    async def settle(self, items: Sequence[int]) -> list[str]:
        self.batches.append(list(items))
        await self.open.wait()
        if self.outages:
            self.outages -= 1
            raise AwayError("gone fishing")
        if self.poison & set(items):
            raise KeyError("poison")
        if self.away & set(items):
            raise AwayError("a page is broken")
        if len(items) == 1:
            self.settled_one.set()
        return [str(2 * item) for item in items]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def commits(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[GroupCommit[int, str]]:
    monkeypatch.setattr(group, "_FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(group, "_LONGEST_DELAY_S", 0.004)
    started = GroupCommit(
        ledger.settle,
        failed=lambda error: f"failed: {type(error).__name__}",
        away=(AwayError,),
        batch_size=4,
    )
    task = asyncio.create_task(started.run())
    yield started
    task.cancel()


async def test_one_item_does_not_wait_for_company(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    assert await commits.submit(1) == "2"
    assert await commits.submit(2) == "4"
    assert ledger.batches == [[1], [2]]


async def test_what_arrives_during_a_commit_is_the_next_batch(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    ledger.open.clear()
    first = commits.submit(1)
    await asyncio.sleep(0)
    rest = [commits.submit(number) for number in (2, 3, 4)]
    await asyncio.sleep(0.01)
    assert not first.done()
    ledger.open.set()
    assert await asyncio.gather(first, *rest) == ["2", "4", "6", "8"]
    assert ledger.batches == [[1], [2, 3, 4]]


async def test_a_batch_has_a_largest_size(commits: GroupCommit[int, str], ledger: Ledger) -> None:
    results = await asyncio.gather(*(commits.submit(number) for number in range(10)))
    assert results == [str(2 * number) for number in range(10)]
    assert [len(batch) for batch in ledger.batches] == [4, 4, 2]


async def test_an_outage_is_waited_out_and_said_once(
    commits: GroupCommit[int, str], ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ledger.outages = 3
    assert await asyncio.gather(commits.submit(1), commits.submit(2)) == ["2", "4"]
    assert ledger.batches == [[1, 2]] * 4
    assert [record.getMessage().split()[0] for record in caplog.records] == [
        "event=store_away",
        "event=store_back",
    ]


async def test_one_bad_item_fails_alone(commits: GroupCommit[int, str], ledger: Ledger) -> None:
    ledger.poison = {2}
    results = await asyncio.gather(*(commits.submit(number) for number in (1, 2, 3)))
    assert results == ["2", "failed: KeyError", "6"]
    assert await commits.submit(4) == "8"


async def test_of_many_only_the_bad_ones_fail(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    ledger.poison = {2, 7}
    results = await asyncio.gather(*(commits.submit(number) for number in range(12)))
    assert [number for number, result in enumerate(results) if "failed" in result] == [2, 7]


async def test_while_a_bad_one_is_sought_all_else_has_its_turns(ledger: Ledger) -> None:
    """A store that never waits must not keep verdicts from leaving."""
    ledger.poison = {2, 3}
    turns = 0
    seen: list[int] = []

    async def settle(items: Sequence[int]) -> list[str]:
        seen.append(turns)
        return await ledger.settle(items)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    commits = GroupCommit(settle, failed=lambda _: "failed", away=(AwayError,), batch_size=8)
    tasks = [asyncio.create_task(each) for each in (others(), commits.run())]
    results = await asyncio.gather(*(commits.submit(number) for number in range(8)))
    assert results.count("failed") == 2
    assert len(set(seen)) == len(seen) > 5
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize("bad", [{1}, {3}, {1, 2}, {1, 3}, {2, 3}])
async def test_an_item_that_looks_like_an_outage_blocks_no_other(
    commits: GroupCommit[int, str], ledger: Ledger, bad: set[int]
) -> None:
    ledger.away = bad
    waiting = {number: commits.submit(number) for number in (1, 2, 3, 4, 5)}
    async with asyncio.timeout(2):
        for number in waiting.keys() - bad:
            assert await waiting[number] == str(2 * number)
        assert all([await waiting[number] == "failed: AwayError" for number in bad])


async def test_an_item_alone_that_looks_like_an_outage_waits_for_others_and_blocks_none(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    ledger.away = {1}
    bad = commits.submit(1)
    await asyncio.sleep(0.03)
    assert not bad.done()
    assert await asyncio.wait_for(commits.submit(2), 1) == "4"
    assert await bad == "failed: AwayError"


async def test_in_a_long_outage_nothing_fails_and_what_comes_joins_the_batch(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    ledger.outages = 50
    first = commits.submit(1)
    await asyncio.sleep(0.01)
    assert await asyncio.gather(first, *(commits.submit(number) for number in (2, 3))) == [
        "2", "4", "6",
    ]  # fmt: skip
    assert ledger.batches[-1] == [1, 2, 3]


async def test_an_outage_that_begins_while_a_culprit_is_sought_condemns_nobody(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    ledger.away = {1}
    waiting = [commits.submit(number) for number in (1, 2, 3, 4)]
    await ledger.settled_one.wait()
    ledger.outages = 20
    assert (await asyncio.gather(*waiting))[1:] == ["4", "6", "8"]


async def test_an_outage_while_items_are_tried_alone_is_waited_out(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    ledger.poison = {1}
    first, second = commits.submit(1), commits.submit(2)
    await asyncio.sleep(0)
    ledger.outages = 1
    assert await asyncio.gather(first, second) == ["failed: KeyError", "4"]


async def test_dropped_items_are_those_no_batch_has(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    ledger.open.clear()
    taken = commits.submit(1)
    await asyncio.sleep(0)
    waiting = [commits.submit(2), commits.submit(3)]
    commits.drop_waiting()
    assert await asyncio.gather(*waiting) == [None, None]
    ledger.open.set()
    assert await taken == "2"
    assert ledger.batches == [[1]]


async def test_stopping_finishes_the_batch_and_leaves_the_rest(ledger: Ledger) -> None:
    commits: GroupCommit[int, str] = GroupCommit(ledger.settle, str, (AwayError,), batch_size=1)
    ledger.open.clear()
    run = asyncio.create_task(commits.run())
    first, second = commits.submit(1), commits.submit(2)
    await asyncio.sleep(0)
    commits.stop()
    ledger.open.set()
    await asyncio.wait_for(run, 1)
    assert first.result() == "2"
    assert not second.done()


async def test_stopping_while_idle_returns_at_once(ledger: Ledger) -> None:
    commits: GroupCommit[int, str] = GroupCommit(ledger.settle, str, (AwayError,), batch_size=1)
    run = asyncio.create_task(commits.run())
    await asyncio.sleep(0)
    commits.stop()
    await asyncio.wait_for(run, 1)


async def test_a_caller_who_gave_up_harms_nobody(
    commits: GroupCommit[int, str], ledger: Ledger
) -> None:
    ledger.open.clear()
    gone, stays = commits.submit(1), commits.submit(2)
    gone.cancel()
    ledger.open.set()
    assert await stays == "4"


def test_delays_grow_to_two_seconds_with_jitter() -> None:
    delays = list(islice(backoff(), 20))
    assert 0.15 <= delays[0] <= 0.25
    assert all(1.5 <= delay <= 2.5 for delay in delays[6:])
    assert len(set(delays)) == len(delays)
