"""Parts of the shop are killed at random moments under load: no tap is lost, none counts twice."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.sim.control import Control
from support.bridge import BridgeRunner
from support.broker import READERS, RunningBroker
from support.chaos import LOADS, Shop, prepare
from support.counter import Counter
from support.probe import Probe
from support.processes import Processes

CARDS = 300


@pytest.fixture
def chance() -> random.Random:
    """What is left to chance in this run; BESNIK_TEST_SEED repeats one."""
    seed = int(os.environ.get("BESNIK_TEST_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_TEST_SEED={seed}")
    return random.Random(seed)


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
    counter = Counter(state, processes, broker, root)
    made = prepare(counter, database_url, CARDS)
    counter.start_counter()
    with Probe() as probe:
        async with await Control.connect(counter.control_socket) as control:
            shop = Shop(processes, broker, bridges, counter, probe, database_url, control, made)
            await shop.open()
            yield shop
            await shop.close()


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


async def test_two_parts_at_once(shop: Shop, chance: random.Random) -> None:
    pairs = list(itertools.combinations(shop.parts, 2))
    for pair in chance.sample(pairs, len(pairs)):
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
