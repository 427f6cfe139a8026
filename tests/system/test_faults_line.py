"""The line between a reader or the bridge and the broker: cut, frozen, slow, and tampered with."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from support import mqtt_wire
from support.bridge import BridgeRunner
from support.broker import READERS, RunningBroker
from support.chaos import Parts, Shop, opened
from support.line_faults import BREAKS, Scrambler, aim, mend, thrice, without
from support.processes import Processes
from support.proxy import Proxy, as_it_is
from support.tray import LOADS

CARDS = 100
# Long enough for a reader to give up on a broker that is silent (30 s) within a few looks.
LEAP_MS = 1500
# What one moment's heap may differ by from another's.
HEAP_SLACK = 2048


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
    """The line to the broker that something happens to."""
    with Proxy(broker.port) as proxy:
        yield proxy


Open = Callable[[str], contextlib.AbstractAsyncContextManager[Shop]]


@pytest.fixture
def open_shop(
    processes: Processes,
    broker: RunningBroker,
    bridges: BridgeRunner,
    line: Proxy,
    state: Path,
    root: Path,
    database_url: str,
) -> Open:
    """Opens a shop whose reader, or whose bridge, is at the far end of the line."""

    @contextlib.asynccontextmanager
    async def open_it(far: str) -> AsyncIterator[Shop]:
        if far == "bridge":
            aim(bridges.settings_file, broker.port, line)
        port = line.port if far == "reader" else 0
        parts = Parts(state, root, processes, broker, bridges, port)
        async with opened(parts, database_url, CARDS, site=False) as shop:
            yield shop

    return open_it


async def clean_after(shop: Shop, leap_ms: int = LEAP_MS) -> None:
    """Let the shop come to rest and count."""
    await shop.quiet(leap_ms)
    assert shop.count().is_clean, shop.count()


async def broken(shop: Shop, line: Proxy, way: str, chance: random.Random) -> None:
    """Break the line in a way while the shop is busy, mend it, and count."""
    print("line:", way)
    async with shop.busy():
        await asyncio.sleep(chance.uniform(0.1, 0.8))
        await asyncio.to_thread(BREAKS[way], line)
        await asyncio.sleep(chance.uniform(0.3, 0.8))
        mend(line)
    await clean_after(shop)


@pytest.mark.parametrize(
    "ways", [("half-open", "reset at both ends"), ("gone", "frozen for a while")]
)
async def test_a_readers_line_breaks(
    open_shop: Open, line: Proxy, chance: random.Random, ways: tuple[str, str]
) -> None:
    async with open_shop("reader") as shop:
        free = []
        for way in ways:
            await broken(shop, line, way, chance)
            free.append(await shop.heap_free())
        assert free[1] > free[0] - HEAP_SLACK, free


async def test_a_bridges_line_breaks_is_slow_and_brings_no_acknowledgement(
    open_shop: Open, line: Proxy, chance: random.Random
) -> None:
    async with open_shop("bridge") as shop:
        for way in ("reset at both ends", "frozen for a while"):
            await broken(shop, line, way, chance)
        line.delay_s = 0.2
        async with shop.busy():
            await asyncio.sleep(0.5)
        mend(line)
        line.from_broker = without(mqtt_wire.PUBACK)
        line.reset()
        async with shop.busy():
            await asyncio.sleep(1)
        await clean_after(shop)


async def test_a_broker_that_takes_readers_in_and_does_not_answer(
    open_shop: Open, line: Proxy
) -> None:
    async with open_shop("reader") as shop:
        for kind in (mqtt_wire.CONNACK, mqtt_wire.SUBACK, mqtt_wire.PUBACK):
            print(f"withheld: {kind:02X}")
            line.from_broker = without(kind)
            line.reset()
            for _ in range(2):
                assert (await shop.presenter.present()).is_answered
                await shop.leap(6000)
            line.from_broker = as_it_is
            await clean_after(shop)


async def test_taps_verdicts_and_acknowledgements_twice_late_and_in_another_order(
    open_shop: Open, line: Proxy, chance: random.Random
) -> None:
    async with open_shop("reader") as shop:
        line.from_broker = Scrambler(chance)
        line.to_broker = thrice
        async with shop.busy():
            await asyncio.sleep(3)
        await clean_after(shop, 100)
