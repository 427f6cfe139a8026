"""The real parts a benchmark runs on: mosquitto, a database, the bridge, the virtual reader."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from besnik import broker as besnik_broker
from besnik.sim.model.board import PINS
from support.bridge import BridgeRunner
from support.broker import READERS, RunningBroker
from support.database import databases, prepare
from support.processes import Processes
from support.secure_broker import SecureBroker

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Parts:
    """One shop for the length of a benchmark; the bridge is not started yet."""

    folder: Path
    processes: Processes
    broker: RunningBroker
    bridge: BridgeRunner
    url: str


def environment() -> dict[str, str]:
    """Return the environment of processes: this one's, without settings of Besnik's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BESNIK_")}
    return {**kept, "PYTHONPATH": str(ROOT / "host_tools"), "PYTHONUNBUFFERED": "1"}


@contextmanager
def prepared_database() -> Iterator[str]:
    """Yield the URL of an SQLite file with the demo shop, in a folder of its own."""
    with TemporaryDirectory(prefix="besnik-") as folder:
        url = f"sqlite:///{folder}/besnik.sqlite3"
        prepare(url, environment())
        yield url


@contextmanager
def parts(readers: Iterable[str] = READERS, *, secure: bool = False) -> Iterator[Parts]:
    """Start a broker on a port of its own and prepare a database; end everything afterwards.

    ``secure``: readers come in by certificate instead of password.
    """
    folder = Path(tempfile.mkdtemp(prefix="besnik-"))
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs", environment())
    try:
        for url in databases(environment()).copy(folder):
            mosquitto = besnik_broker.find(ROOT / ".besnik/cache")
            if secure:
                broker: RunningBroker = SecureBroker(mosquitto, folder, processes)
            else:
                broker = RunningBroker(mosquitto, folder / "broker", processes, readers)
            broker.start()
            bridge = BridgeRunner(processes, broker, url, folder)
            yield Parts(folder, processes, broker, bridge, url)
    finally:
        processes.end()
        shutil.rmtree(folder)


def reader_settings(broker: RunningBroker) -> dict[str, object]:
    """Return the config.json of the demo's reader for this broker."""
    by_password = {
        "host": broker.host,
        "port": broker.port,
        "plain": True,
        "password": broker.passwords.get("counter-1"),
    }
    by_certificate = {"host": broker.host, "port": broker.readers_port}
    return {
        "shop": "corner",
        "reader": "counter-1",
        "wifi": {"ssid": "shop"},
        "broker": by_certificate if broker.readers_port else by_password,
    }


def start_counter(parts: Parts) -> Path:
    """Start the virtual counter without cards; return its folder."""
    folder = parts.folder / "sim"
    folder.mkdir()
    (parts.folder / "cards.json").write_text("[]")
    (parts.folder / "pins.json").write_text(json.dumps(PINS))
    arguments = ["--cards", parts.folder / "cards.json", "--pins", parts.folder / "pins.json"]
    parts.processes.start(
        "counter",
        [sys.executable, "-m", "besnik.sim.counter", "--folder", folder, *arguments],
        ready="counter: ready",
    )
    return folder
