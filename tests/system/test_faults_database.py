"""The database server is killed under load, alone and together with the bridge."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from support import postgres
from support.bridge import BridgeRunner
from support.broker import READERS, RunningBroker
from support.chaos import Parts, opened
from support.database import prepare
from support.postgres import PostgresServer
from support.processes import Processes
from support.tray import LOADS

CARDS = 100


@pytest.fixture
def server(processes: Processes, environment: dict[str, str]) -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own with the demo shop in it."""
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with PostgresServer(processes, programs) as running:
        prepare(running.url, environment)
        yield running


async def test_a_database_server_that_is_killed(
    mosquitto: besnik_broker.Mosquitto,
    server: PostgresServer,
    state: Path,
    root: Path,
    processes: Processes,
    chance: random.Random,
) -> None:
    broker = RunningBroker(mosquitto, state / "broker", processes, (*READERS, *LOADS))
    broker.start()
    bridges = BridgeRunner(processes, broker, server.url, state)
    parts = Parts(state, root, processes, broker, bridges)
    database = {"database": (server.kill, server.start)}
    async with opened(parts, server.url, CARDS, database) as shop:
        for victims in (["database"], ["database", "bridge"]):
            async with shop.busy():
                await asyncio.sleep(chance.uniform(0.1, 0.8))
                for part in victims:
                    await shop.kill(part)
                await asyncio.sleep(chance.uniform(0, 0.5))
                for part in chance.sample(victims, len(victims)):
                    await shop.start(part)
            await shop.ready()
        await shop.quiet()
        assert shop.count().is_clean, shop.count()
