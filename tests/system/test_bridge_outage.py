"""The database locked, read-only, full: the bridge stays, taps wait, and each counts once."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.bridge import ANA, ELENI, BridgeRunner, ReaderStation, StateStation
from support.broker import RunningBroker
from support.database import SqliteDatabases
from support.processes import Processes, Running, wait_until
from support.store import assert_ledger_adds_up, locked_taps, rows

TAPS = "SELECT count(*) FROM store_tap"
ENTRIES = "SELECT count(*) FROM store_entry"
RSS_GROWTH_MAX_MB = 25


@pytest.fixture
async def state_of(broker: RunningBroker) -> AsyncIterator[StateStation]:
    """Hears what is said of the bridge."""
    async with StateStation(broker) as station:
        yield station


@pytest.fixture(scope="module")
def prepared_sqlite(environment: dict[str, str]) -> SqliteDatabases:
    return SqliteDatabases(environment)


@pytest.fixture
def file(prepared_sqlite: SqliteDatabases, state: Path) -> Path:
    """An SQLite database of the test's own, whatever database the others use."""
    [url] = prepared_sqlite.copy(state)
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def on_file(processes: Processes, broker: RunningBroker, file: Path, state: Path) -> BridgeRunner:
    return BridgeRunner(processes, broker, f"sqlite:///{file}", state)


def rss_mb(process: Running) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def chmod(file: Path, mode: int) -> None:
    """SQLite gives the files beside a database the mode of the database."""
    for each in file.parent.glob(file.name + "*"):
        each.chmod(mode)


async def settled(reader: ReaderStation, url: str, taps: list[str]) -> None:
    """Return when each of the taps counts once, and is answered when its reader asks again."""
    await asyncio.to_thread(
        wait_until, lambda: rows(url, ENTRIES) == [(len(taps),)], "all taps count"
    )
    for tap in taps:
        reader.tap(ANA, id=tap, q=1)
    answered: set[str] = set()
    while answered != set(taps):
        verdict = await reader.hear()
        assert verdict["r"] == "accepted"
        answered.add(verdict["id"])
    assert rows(url, TAPS) == rows(url, ENTRIES) == [(len(taps),)]
    assert_ledger_adds_up(url)


async def test_a_lock_that_outlasts_every_timeout_only_delays(
    bridge: Running, reader: ReaderStation, state_of: StateStation, database_url: str
) -> None:
    """SQLite gives up waiting for a lock after 5 s; the broker a silent bridge after 15 s."""
    assert (await state_of.hear())["s"] == "online"
    with locked_taps(database_url):
        taps = [reader.tap(ANA if number % 2 else ELENI) for number in range(30)]
        assert (await state_of.hear())["s"] == "offline"
        await asyncio.sleep(3.5)
    assert (await state_of.hear(10))["s"] == "online"
    await settled(reader, database_url, taps)
    assert "event=broker_lost" not in bridge.log
    assert bridge.log.count("event=state says=offline") == 1


async def test_a_file_that_cannot_be_written_is_waited_for(
    on_file: BridgeRunner, file: Path, reader: ReaderStation, state_of: StateStation
) -> None:
    chmod(file, 0o444)
    # Root may write what is read-only, unless that right is taken away.
    under = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    bridge = await asyncio.to_thread(on_file.start, under=under)
    taps = [reader.tap(ANA) for _ in range(10)]
    await state_of.until("offline")
    await asyncio.sleep(0.5)
    assert reader.heard.empty()
    chmod(file, 0o644)
    await state_of.until("online", 10)
    await settled(reader, f"sqlite:///{file}", taps)
    assert 'reason="attempt to write a readonly database"' in bridge.log


async def test_a_full_disk_is_waited_out(
    on_file: BridgeRunner, file: Path, reader: ReaderStation, state_of: StateStation
) -> None:
    """The kernel refuses to let any file of the bridge grow, as it does when the disk is full."""
    bridge = await asyncio.to_thread(on_file.start)
    assert (await state_of.hear())["s"] == "online"
    first = [reader.tap(ANA) for _ in range(20)]
    await reader.hear_all(20)
    journal = file.with_name(file.name + "-wal").stat().st_size
    was = resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE, (journal, was[1]))
    taps = [reader.tap(ANA) for _ in range(200)]
    assert (await state_of.hear())["s"] == "offline"
    assert reader.heard.empty()
    resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE, was)
    assert (await state_of.hear(10))["s"] == "online"
    await settled(reader, f"sqlite:///{file}", first + taps)
    assert "Traceback" not in bridge.log


# Stands before the C library's: a wait for the disk lasts 4 s, once, when the file is there.
SLOW_DISK = """
#include <sys/syscall.h>
#include <unistd.h>
int fdatasync(int handle) {
    if (unlink(HANGS) == 0) sleep(4);
    return syscall(SYS_fdatasync, handle);
}
"""


@pytest.fixture
def hangs(state: Path) -> Path:
    """Once this file is there, the next wait for the disk hangs, in who is run ``under`` it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("cc makes the slow disk")
    (state / "disk.c").write_text(SLOW_DISK)
    file = state / "hangs"
    library = ["-shared", "-fPIC", f'-DHANGS="{file}"', "-o", state / "disk.so"]
    subprocess.run([compiler, *library, state / "disk.c"], check=True)
    return file


async def test_a_disk_that_hangs_is_told_to_readers_and_waited_out(
    on_file: BridgeRunner, file: Path, reader: ReaderStation, state_of: StateStation, hangs: Path
) -> None:
    """It hangs with the bridge's event loop in it; so long only that the broker keeps the line."""
    slow = ["env", f"LD_PRELOAD={hangs.with_name('disk.so')}"]
    bridge = await asyncio.to_thread(lambda: on_file.start(under=slow))
    assert (await state_of.hear())["s"] == "online"
    taps = [reader.tap(ANA)]
    await reader.hear()
    await asyncio.to_thread(hangs.touch)
    began_s = time.monotonic()
    taps.append(reader.tap(ELENI))
    assert (await state_of.hear(5))["s"] == "offline"
    assert 1.5 < time.monotonic() - began_s < 3.5
    assert (await reader.hear(6))["id"] == taps[1]
    assert time.monotonic() - began_s > 3.9
    assert (await state_of.hear())["s"] == "online"
    assert "event=store_hangs" in bridge.log
    assert "event=broker_lost" not in bridge.log
    assert rows(f"sqlite:///{file}", ENTRIES) == [(2,)]
    assert_ledger_adds_up(f"sqlite:///{file}")


async def test_taps_of_an_outage_wait_at_the_broker_and_not_in_memory(
    bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    reader.tap(ANA)
    await reader.hear()
    before = rss_mb(bridge)
    with locked_taps(database_url):
        for _ in range(10_000):
            reader.tap(ANA)
        await asyncio.sleep(1)
        grown = rss_mb(bridge) - before
    await asyncio.to_thread(
        wait_until, lambda: rows(database_url, ENTRIES) == [(10_001,)], "all are settled", 30
    )
    assert grown < RSS_GROWTH_MAX_MB
    assert rss_mb(bridge) - before < RSS_GROWTH_MAX_MB
    assert_ledger_adds_up(database_url)


@pytest.mark.parametrize("stuck", ["broker", "both"])
async def test_a_bridge_leaves_in_time_whatever_hangs(
    bridge: Running, broker: RunningBroker, reader: ReaderStation, database_url: str, stuck: str
) -> None:
    reader.tap(ANA)
    await reader.hear()
    with locked_taps(database_url):
        if stuck == "both":
            reader.tap(ANA)
            await asyncio.sleep(0.2)
        os.kill(broker.pid, signal.SIGSTOP)
        start = time.monotonic()
        code = await asyncio.to_thread(bridge.stop, 4)
        taken = time.monotonic() - start
        os.kill(broker.pid, signal.SIGCONT)
    assert code == 0
    assert taken < 3
