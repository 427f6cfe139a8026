"""Parts of the shop are killed at random moments under load: no tap is lost, none counts twice."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from support.bridge import BridgeRunner
from support.broker import READERS, RunningBroker
from support.chaos import Parts, Shop, opened
from support.processes import Processes
from support.tray import LOADS

CARDS = 300
PAIRS = 3  # of six; the long run (tests/bench/kills.py) takes them all, often


@pytest.fixture
def broker(
    mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes
) -> Iterator[RunningBroker]:
    """A running broker that knows the load readers too."""
    running = RunningBroker(mosquitto, state / "broker", processes, (*READERS, *LOADS))
    running.start()
    yield running


@pytest.fixture
async def shop(
    processes: Processes,
    broker: RunningBroker,
    bridges: BridgeRunner,
    state: Path,
    root: Path,
    database_url: str,
) -> AsyncIterator[Shop]:
    """The whole shop, ready and under load."""
    parts = Parts(state, root, processes, broker, bridges)
    async with opened(parts, database_url, CARDS) as shop:
        yield shop


async def test_each_part_alone(shop: Shop, chance: random.Random) -> None:
    for part in chance.sample(shop.parts, len(shop.parts)):
        print("kills", part)
        async with shop.busy():
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            await shop.kill(part)
            await asyncio.sleep(chance.uniform(0, 0.5))
            await shop.start(part)
        await shop.ready()
        await shop.quiet()
        assert shop.count().is_clean, shop.count()
    assert await asyncio.to_thread(shop.site.status, "cashier/corner/till-1/") == 200


async def test_two_parts_at_once(shop: Shop, chance: random.Random) -> None:
    pairs = list(itertools.combinations(shop.parts, 2))
    for pair in chance.sample(pairs, PAIRS):
        print("kills", pair)
        async with shop.busy():
            await asyncio.sleep(chance.uniform(0.1, 0.8))
            for part in pair:
                await shop.kill(part)
                await asyncio.sleep(chance.choice((0, chance.uniform(0, 0.8))))
            for part in chance.sample(pair, 2):
                await shop.start(part)
        await shop.ready()
    await shop.quiet()
    assert shop.count().is_clean, shop.count()
