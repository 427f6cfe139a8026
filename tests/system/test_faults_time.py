"""Long outages and clocks that jump, in the reader's emulated time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from support.bridge import BridgeRunner
from support.broker import READERS, RunningBroker
from support.chaos import Parts, Shop, opened
from support.outage import an_hour_without_wifi
from support.processes import Processes
from support.proxy import Proxy
from support.store import execute, rows
from support.tray import LOADS

CARDS = 60
TAPS_IN_AN_HOUR = 8  # 200 in the long run
DAY_S, YEAR_S = 86_400, 365 * 86_400
TAPS = """SELECT tap_id, read_at FROM store_tap tap JOIN store_reader reader
    ON reader.id = tap.reader_id WHERE reader.slug = 'counter-1' ORDER BY tap.id"""


@pytest.fixture
def broker(
    mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes
) -> Iterator[RunningBroker]:
    """A running broker that knows the load readers too."""
    running = RunningBroker(mosquitto, state / "broker", processes, (*READERS, *LOADS))
    running.start()
    yield running


@pytest.fixture
def line(broker: RunningBroker) -> Iterator[Proxy]:
    """The reader's way to the broker: through the air."""
    with Proxy(broker.port) as proxy:
        yield proxy


@pytest.fixture
async def shop(
    processes: Processes,
    broker: RunningBroker,
    bridges: BridgeRunner,
    line: Proxy,
    state: Path,
    root: Path,
    database_url: str,
) -> AsyncIterator[Shop]:
    """A shop that is ready, its reader behind the line."""
    parts = Parts(state, root, processes, broker, bridges, line.port)
    async with opened(parts, database_url, CARDS, site=False) as shop:
        yield shop


async def test_an_hour_without_wifi_loses_nothing_and_keeps_the_order(
    shop: Shop, line: Proxy, database_url: str
) -> None:
    free = await shop.heap_free()
    await an_hour_without_wifi(shop, line, TAPS_IN_AN_HOUR)
    assert {shown.outcome for shown in shop.presenter.done} == {"stored"}, shop.presenter.done
    assert await shop.outbox() == TAPS_IN_AN_HOUR

    await shop.quiet()

    assert shop.count().is_clean, shop.count()
    ids = [tap_id for tap_id, _ in rows(database_url, TAPS)]
    assert ids == sorted(ids)
    assert len(ids) == TAPS_IN_AN_HOUR
    assert await shop.heap_free() > free - 4096


async def test_clocks_of_reader_and_host_that_jump(
    shop: Shop, database_url: str, chance: random.Random
) -> None:
    """The bridge waits by the monotonic clock; set back, the host finds its rows in the future."""
    for jump_s in chance.sample((-20 * YEAR_S, 10 * YEAR_S, -DAY_S, DAY_S), 4):
        await asyncio.to_thread(shop.probe.move_clock, jump_s)
        async with shop.busy():
            await asyncio.sleep(0.5)
        execute(database_url, "UPDATE store_tap SET received_at = '2099-01-01 00:00:00'")
    await shop.quiet()
    assert shop.count().is_clean, shop.count()
    taps = rows(database_url, TAPS)
    assert len({tap_id for tap_id, _ in taps}) == len(taps)
    times = [read_at for _, read_at in taps]
    assert max(times) - min(times) > YEAR_S, "the clock did jump"
