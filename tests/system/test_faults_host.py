"""Faults of the host that are no kills: a lost store, a full disk, two readers of one id."""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.sim.control import Control
from support.bridge import BridgeRunner
from support.broker import READERS, RunningBroker
from support.chaos import HEAP, Parts, Shop, opened
from support.counter import Counter
from support.database import SERVER_URL
from support.presenter import Presenter
from support.probe import Probe
from support.processes import Processes, wait_until
from support.reckoning import reckon
from support.store import refuse_taps_of
from support.tray import LOADS

CARDS = 200


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
    """A shop that is ready."""
    parts = Parts(state, root, processes, broker, bridges)
    async with opened(parts, database_url, CARDS, site=False) as shop:
        yield shop


async def test_a_broker_that_lost_its_store(
    shop: Shop, broker: RunningBroker, chance: random.Random, state: Path
) -> None:
    """What it had queued is gone, and so is what it knew of the bridge's session."""
    async with shop.busy():
        await asyncio.sleep(chance.uniform(0.2, 0.8))
        await shop.kill("bridge")
        await asyncio.sleep(chance.uniform(0.2, 0.8))
        await shop.kill("broker")
        shutil.rmtree(state / "broker/data")
        (state / "broker/data").mkdir()
        await shop.start("broker")
        await asyncio.sleep(0.3)
        await shop.start("bridge")
    await shop.ready()
    await shop.quiet()
    assert shop.count().is_clean, shop.count()


if not SERVER_URL.startswith("postgres"):  # there the disk is the server's

    async def test_a_disk_that_is_full_and_has_room_again(shop: Shop) -> None:
        """A limit on the size of files: every write of the bridge beyond it fails."""
        bridge = shop.running("bridge")
        async with shop.busy():
            await asyncio.sleep(0.3)
            _limit(bridge.pid, 4096)
            await asyncio.to_thread(
                wait_until, lambda: "event=store_away" in bridge.log, "the bridge notices"
            )
            await asyncio.sleep(1)
            _limit(bridge.pid, resource.RLIM_INFINITY)
        await shop.quiet()
        assert bridge.alive
        assert shop.count().is_clean, shop.count()


def _limit(pid: int, size: int) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


async def test_two_readers_with_the_same_id(
    shop: Shop,
    broker: RunningBroker,
    processes: Processes,
    state: Path,
    root: Path,
    database_url: str,
) -> None:
    """The broker lets one in at a time; the other comes back, and every tap of both counts."""
    (state / "twin").mkdir()
    twin = Counter(state / "twin", processes, broker, root)
    uids = [(f"t{number}", f"04{number:04X}D4D5AA80") for number in range(20)]
    twin.hold({"key": key, "label": key, "uid": uid} for key, uid in uids)
    twin.set_up(HEAP)
    twin.start_counter()
    with Probe() as probe:
        twin.start_reader(probe.command)
        await asyncio.to_thread(probe.wait)
        async with await Control.connect(twin.control_socket) as control:
            presenter = Presenter(control, iter(uids))
            looking = asyncio.create_task(presenter.look())
            presenter.power(True)
            async with shop.busy():
                for _ in range(4):
                    await presenter.present()
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        for _ in range(300):
            if not await asyncio.to_thread(probe.outbox):
                break
            await asyncio.to_thread(probe.leap, 400)
            await shop.leap(400)
            await asyncio.sleep(0.1)
        await shop.quiet()
    assert shop.count().is_clean, shop.count()
    twins = reckon(database_url, presenter.done, [])
    assert twins.is_clean, twins


async def test_a_tap_that_the_host_never_answers_does_not_hold_up_the_others(
    shop: Shop, database_url: str
) -> None:
    refuse_taps_of(database_url, shop.next_uid)
    assert (await shop.presenter.present()).outcome == "stored"
    await shop.kill("broker")
    others = [await shop.presenter.present() for _ in range(2)]
    await shop.start("broker")
    for _ in range(80):
        if reckon(database_url, others, []).is_clean:
            break
        await shop.leap(1000)
        await asyncio.sleep(0.1)
    assert reckon(database_url, others, []).is_clean
