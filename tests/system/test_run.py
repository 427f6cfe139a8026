"""``besnik run``: starts everything, shows taps, ends everything, whatever happens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from besnik.run import ports
from besnik.run.lock import FolderInUseError, hold
from support.database import SqliteDatabases
from support.processes import Processes, wait_until
from support.supervised import STOP_S, Start, Supervised

PARTS = ("besnik.cli", "mosquitto", "sim.counter", "besnik.bridge", "besnik.site", "micropython")
# The first page that is asked for loads them all.
PAGE_S = 20
HIDDEN = ("csrfmiddlewaretoken", "next")

# Whoever comes first prepares the database that others find there.
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def start_again(start: Start, state: Path, environment: dict[str, str]) -> Start:
    """The same on a folder whose database is there already: it is open in half the time."""
    (state / "demo").mkdir()
    next(SqliteDatabases(environment).copy(state / "demo"))
    return start


@pytest.fixture(scope="module")
def shop(environment: dict[str, str]) -> Iterator[Supervised]:
    """A shop that was opened for the first time and stays open, for tests that leave it so."""
    folder = Path(tempfile.mkdtemp(prefix="besnik-"))
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs", environment)
    run = Supervised(processes, folder / "demo", "--empty")
    try:
        run.wait_until_open()
        yield run
    finally:
        processes.end()
        shutil.rmtree(folder, ignore_errors=True)


async def test_it_opens_the_shop_and_shows_taps_as_they_happen(shop: Supervised) -> None:
    for part in PARTS:
        assert len(shop.pids(part)) == 1, part

    await shop.presents("eleni")
    wait_until(lambda: bool(shop.lines_with("04A1B2C3D4E580")), "the tap is shown")
    (tap,) = shop.lines_with("04A1B2C3D4E580")
    for part in ("accepted (ok)", "Ελένη Παππά", "read, accepted", " ms"):
        assert part in tap


@pytest.mark.parametrize("page", ["counter", "cashier"])
def test_the_addresses_it_prints_are_those_of_the_pages(shop: Supervised, page: str) -> None:
    address = next(line.split()[1] for line in shop.lines_with(f"  {page}  "))
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(address, timeout=PAGE_S) as answer:
        text = answer.read().decode()
    if "/login" in answer.url:
        text = one_click(browser, answer.url, text)
    assert f"data-{page.replace('cashier', 'till')} " in text


def one_click(browser: urllib.request.OpenerDirector, login: str, page: str) -> str:
    """Choose the cashier on the demo's log-in page; return the page one comes to."""
    form = page.split('action="/login/demo"')[1]
    fields = {name: re.findall(f'name="{name}" value="([^"]+)"', form)[0] for name in HIDDEN}
    given = urllib.parse.urlencode({**fields, "role": "cashier"}).encode()
    with browser.open(urllib.parse.urljoin(login, "/login/demo"), given, timeout=PAGE_S) as answer:
        return str(answer.read().decode())


async def test_a_part_that_dies_is_started_again(start_again: Start) -> None:
    run = start_again()
    run.wait_until_open()

    for part in ("besnik.bridge", "besnik.site", "mosquitto", "micropython"):
        (before,) = run.pids(part)
        os.kill(before, signal.SIGKILL)
        runs_again = partial(run.runs_anew, part, before)
        wait_until(runs_again, f"{part} runs again", 15)

    for _ in range(20):
        await run.presents("ana")
        if any("Ana Hoxha" in line for line in run.lines_with("read, accepted")):
            return
    pytest.fail(f"no tap is accepted any more:\n{run.process.log}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_time(start_again: Start, number: signal.Signals) -> None:
    run = start_again()
    run.wait_until_open()

    began_s = time.monotonic()
    os.kill(run.process.pid, number)

    assert run.process.wait(STOP_S) == 0
    assert time.monotonic() - began_s < STOP_S
    assert run.pids() == []


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_signal_while_it_starts_ends_everything_too(start: Start, count: int) -> None:
    run = start()
    wait_until(lambda: len(run.pids()) >= count, f"{count} processes run")
    run.process.stop(STOP_S)
    assert run.pids() == []


def test_nothing_is_left_when_the_supervisor_is_killed(start_again: Start) -> None:
    run = start_again()
    run.wait_until_open()
    os.kill(run.process.pid, signal.SIGKILL)
    wait_until(lambda: run.pids() == [], "every child ends", STOP_S)


def test_a_second_start_is_quick_and_keeps_the_shop(start_again: Start) -> None:
    first = start_again()
    first.wait_until_open()
    first.process.stop(STOP_S)
    database = first.folder / "besnik.sqlite3"
    secrets_before = (first.folder / "broker/passwords.json").read_text()
    assert database.exists()

    # The machine may be busy with something else: the best of three counts.
    assert any(seconds_to_open(start_again) < 5 for _ in range(3))
    assert (first.folder / "broker/passwords.json").read_text() == secrets_before


def seconds_to_open(start: Start) -> float:
    began_s = time.monotonic()
    run = start()
    run.wait_until_open()
    took_s = time.monotonic() - began_s
    run.process.stop(STOP_S)
    return took_s


def test_two_at_once_on_one_folder_are_refused_by_name(
    shop: Supervised, processes: Processes
) -> None:
    second = Supervised(processes, shop.folder, "--empty")
    assert second.process.wait(10) == 1
    assert f"in use by process {shop.process.pid}" in second.process.log
    assert shop.process.alive


def test_a_folder_that_cannot_be_used_is_named(start: Start, state: Path) -> None:
    (state / "demo").write_text("a file, not a folder")
    run = start()
    assert run.process.wait(10) == 1
    assert len(run.process.log.splitlines()) == 1
    assert str(state / "demo") in run.process.log


def test_a_taken_port_is_avoided_and_said() -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = ports.choose("broker", "127.0.0.1", port, said.append)
    assert other != port
    assert said == [f"broker: port {port} is taken by another program, so it is {other} this time"]
    assert ports.choose("broker", "127.0.0.1", port, said.append) == port


def test_a_folder_is_held_by_one_and_free_again(tmp_path: Path) -> None:
    held_by = f"in use by process {os.getpid()}"
    with hold(tmp_path), pytest.raises(FolderInUseError, match=held_by), hold(tmp_path):
        pass
    with hold(tmp_path):
        pass
