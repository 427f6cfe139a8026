"""Fixtures that several rooms use: real parts, each on ports and folders of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from besnik import broker as besnik_broker
from support.broker import RunningBroker
from support.counter import Counter
from support.database import Databases, databases
from support.processes import Processes

ROOT = Path(__file__).resolve().parent.parent


# Folders whose tests must not be skipped here: the build server sets this.
MUST_RUN = tuple(os.environ.get("BESNIK_MUST_RUN", "").split())


# Lights, sounds and screens in real time: nothing runs beside these.
ALONE = (
    "tests/browser/test_counter.py",
    "tests/browser/test_latency.py",
    "tests/device/mpy/test_link.py::test_nobody_is_held_up_by_a_silent_broker",
    "tests/system/test_run.py::test_a_second_start",
    "tests/system/test_run_once.py",
    "tests/system/test_tryton_chain.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make test-slow`."""
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read none but the files on the list when those alone are to run: it saves seconds."""
    if config.option.markexpr != "alone" or collection_path.suffix != ".py":
        return None
    file = collection_path.relative_to(ROOT).as_posix()
    return None if file.startswith("tests/") and any(file in each for each in ALONE) else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what `make test` runs by itself, after all that runs beside others; leave out others.

    Processes and boards come first: their tests wait for most of their time, and at the end they
    would wait alone.
    """
    items.sort(key=lambda item: not item.nodeid.startswith("tests/system/"))
    for item in items:
        if item.nodeid.startswith(ALONE):
            item.add_marker("alone")
    left_out = set() if config.getoption("--slow") else {"slow"}
    if not os.environ.get("BESNIK_DATABASE_URL", "").startswith("postgres"):
        left_out.add("postgres")
    gone = [item for item in items if left_out & {mark.name for mark in item.iter_markers()}]
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item not in gone]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Turn a skipped test into a failed one where it has to run."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.nodeid.startswith(MUST_RUN):
        report.outcome = "failed"
        report.longrepr = f"skipped, but BESNIK_MUST_RUN names it: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment for Besnik's processes: this source tree, no settings from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BESNIK_")}
    return {**kept, "PYTHONPATH": str(ROOT / "host_tools"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def state() -> Iterator[Path]:
    """A scratch state folder; its path is short, because a Unix socket's may have 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="besnik-"))
    yield folder
    # A process that is just ending may take its own files away meanwhile.
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def processes(state: Path, environment: dict[str, str]) -> Iterator[Processes]:
    """Starts processes that end with the test."""
    logs = state / "logs"
    logs.mkdir()
    started = Processes(logs, environment)
    yield started
    started.end()


@pytest.fixture(scope="session")
def mosquitto() -> besnik_broker.Mosquitto:
    """The broker's program."""
    return besnik_broker.find(ROOT / ".besnik/cache")


@pytest.fixture
def broker(
    mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes
) -> Iterator[RunningBroker]:
    """A running broker with users bridge, site, monitor and two readers."""
    running = RunningBroker(mosquitto, state / "broker", processes)
    running.start()
    yield running


@pytest.fixture(scope="session")
def prepared_databases(environment: dict[str, str]) -> Databases:
    """The migrated database with the demo shop that each test gets a copy of."""
    return databases(environment)


@pytest.fixture
def database_url(prepared_databases: Databases, state: Path) -> Iterator[str]:
    """The URL of a database of the test's own: all migrations, the demo shop, no taps."""
    yield from prepared_databases.copy(state)


@pytest.fixture
def counter(state: Path, processes: Processes, broker: RunningBroker, root: Path) -> Counter:
    """A virtual counter whose chip and cards are there; its reader is still off."""
    made = Counter(state, processes, broker, root)
    made.start_counter()
    return made
