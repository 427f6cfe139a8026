"""The bridge as it runs in a shop, at a real broker and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.bridge import BridgeRunner, ReaderStation, SiteStation
from support.broker import RunningBroker
from support.processes import Processes, Running


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
