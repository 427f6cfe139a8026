"""The bridge as it runs in a shop, at a real broker and a real database."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from besnik.sim.control import Control
from support.bridge import BridgeRunner, CardStation, ReaderStation, SiteStation
from support.broker import RunningBroker
from support.counter import Counter
from support.customer import Customer
from support.processes import Processes, Running
from support.supervised import Start, Supervised
from support.tryton import TrytonServer
from support.tryton_shop import WorkerRunner, connect


@pytest.fixture
def bridges(
    processes: Processes, broker: RunningBroker, database_url: str, state: Path
) -> BridgeRunner:
    """Starts bridges at the test's broker and database."""
    return BridgeRunner(processes, broker, database_url, state)


@pytest.fixture
def bridge(bridges: BridgeRunner) -> Running:
    """A bridge that is ready."""
    return bridges.start()


@pytest.fixture
async def reader(broker: RunningBroker) -> AsyncIterator[ReaderStation]:
    """Stands where reader counter-1 stands."""
    async with ReaderStation(broker) as station:
        yield station


@pytest.fixture
async def site(broker: RunningBroker) -> AsyncIterator[SiteStation]:
    """Hears the visits."""
    async with SiteStation(broker) as station:
        yield station


@pytest.fixture
async def on_reader(broker: RunningBroker) -> AsyncIterator[CardStation]:
    """What lies on reader counter-1."""
    async with CardStation(broker) as station:
        yield station


@pytest.fixture
async def customer(counter: Counter) -> AsyncIterator[Customer]:
    """Somebody with the demo's cards at the virtual reader."""
    async with await Control.connect(counter.control_socket) as control:
        person = Customer(control)
        looking = asyncio.create_task(person.look())
        yield person
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@pytest.fixture
def start(processes: Processes, state: Path) -> Start:
    """Starts ``besnik run`` on a folder of the test's own, for the first time there."""
    return lambda *options: Supervised(processes, state / "demo", "--empty", *options)


@pytest.fixture
def tryton(processes: Processes, state: Path) -> TrytonServer:
    """A Tryton of the test's own, running."""
    folder = state / "tryton"
    folder.mkdir()
    server = TrytonServer(processes, folder)
    server.start()
    return server


@pytest.fixture
def workers(
    tryton: TrytonServer,
    bridges: BridgeRunner,
    processes: Processes,
    database_url: str,
    state: Path,
) -> WorkerRunner:
    """Starts workers for the demo's program, whose CRM Tryton is and is on."""
    connect(database_url, state, tryton)
    return WorkerRunner(processes, bridges.settings_file)


@pytest.fixture
def chance() -> random.Random:
    """What is left to chance in this run; BESNIK_TEST_SEED repeats one."""
    seed = int(os.environ.get("BESNIK_TEST_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_TEST_SEED={seed}")
    return random.Random(seed)
