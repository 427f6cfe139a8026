"""The same faults where readers come in by certificate alone, as they do by default."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from support.bridge import BridgeRunner
from support.chaos import Parts, Shop, opened
from support.line_faults import BREAKS, mend
from support.processes import Processes
from support.proxy import Proxy
from support.secure_broker import SecureBroker
from support.tray import LOADS

CARDS = 100
LEAP_MS = 1500


@pytest.fixture
def broker(
    mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes
) -> Iterator[SecureBroker]:
    """A running broker that lets readers in by their certificates."""
    running = SecureBroker(mosquitto, state, processes)
    running.start()
    yield running


@pytest.fixture
def line(broker: SecureBroker) -> Iterator[Proxy]:
    """The reader's way to the broker."""
    with Proxy(broker.readers_port) as proxy:
        yield proxy


@pytest.fixture
async def shop(
    processes: Processes,
    broker: SecureBroker,
    bridges: BridgeRunner,
    line: Proxy,
    state: Path,
    root: Path,
    database_url: str,
) -> AsyncIterator[Shop]:
    """A shop that is ready."""
    tls = {slug: broker.door(slug)[1] for slug in LOADS}
    parts = Parts(state, root, processes, broker, bridges, line.port, tls)
    async with opened(parts, database_url, CARDS, site=False) as shop:
        yield shop


async def test_kills_and_a_broken_line_under_tls(
    shop: Shop, line: Proxy, chance: random.Random
) -> None:
    for part in ("broker", "reader"):
        print("kills", part)
        async with shop.busy():
            await asyncio.sleep(chance.uniform(0.2, 0.8))
            await shop.kill(part)
            await asyncio.sleep(chance.uniform(0, 0.5))
            await shop.start(part)
        await shop.ready()
    way = chance.choice(list(BREAKS))
    print("line:", way)
    async with shop.busy():
        await asyncio.sleep(chance.uniform(0.2, 0.8))
        await asyncio.to_thread(BREAKS[way], line)
        await asyncio.sleep(0.5)
        mend(line)
    await shop.quiet(LEAP_MS)
    assert shop.count().is_clean, shop.count()
