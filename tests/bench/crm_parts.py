"""A shop with a real Tryton behind it, for the benchmark of `crm.py`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from parts import Parts, parts

from support.bridge import ReaderStation
from support.processes import Running
from support.store import execute
from support.tryton import TrytonServer
from support.tryton_shop import WorkerRunner, connect

_AGAIN_S = 2.0
_REQUEST = '"POST /crm/rpc/'


class Side:
    """One shop; ``tryton`` is its CRM, running, None if it has none. Nothing else runs yet."""

    def __init__(self, made: Parts, tryton: TrytonServer | None) -> None:
        self.parts = made
        self.tryton = tryton
        self.workers = WorkerRunner(made.processes, made.bridge.settings_file)
        self.worker: Running | None = None
        self.next_boot = 50_001

    def connect(self, address: str = "") -> None:
        """Make Tryton the program's CRM, on; ``address`` of what stands in front of it."""
        assert self.tryton is not None
        connect(self.parts.url, self.parts.folder, self.tryton, address)

    def start(self) -> None:
        """Start the bridge, and the worker if there is a CRM."""
        self.parts.bridge.start()
        if self.tryton is not None:
            self.worker = self.workers.start()

    def take_over(self) -> tuple[float, float]:
        """Run ``besnik crm import``; return its seconds and its peak of memory in MB."""
        began = time.monotonic()
        environment = {
            **self.parts.processes.environment,
            "BESNIK_CONFIG": str(self.parts.bridge.settings_file),
        }
        command = [sys.executable, "-m", "besnik.cli", "crm", "import"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, "the import broke off"
        return time.monotonic() - began, used.ru_maxrss / 1024

    def age_records(self, fresh_s: int, *, at_least_s: int = 0) -> None:
        """Let what is known of customers be of all ages up to ``fresh_s``, or so much older."""
        execute(
            self.parts.url,
            "UPDATE store_crmrecord SET fetched_at = "
            f"datetime('now', '-' || ({at_least_s} + id * 7919 % {fresh_s}) || ' seconds')",
        )

    def requests(self) -> int:
        """Return how many requests Tryton has logged."""
        assert self.tryton is not None
        return self.tryton.log.count(_REQUEST)


@contextmanager
def side(*, crm: bool) -> Iterator[Side]:
    """Start a broker, prepare a database, and start a Tryton if there is to be one."""
    with parts() as made:
        tryton = None
        if crm:
            folder = made.folder / "tryton"
            folder.mkdir()
            tryton = TrytonServer(made.processes, folder)
            tryton.start()
        yield Side(made, tryton)


def p95(taken: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(taken, n=20)[-1]


async def tapped(reader: ReaderStation, card: str, why: str) -> float:
    """Tap a card, again with the same id until there is a verdict, as a reader does.

    Returns the milliseconds until then.
    """
    began = time.perf_counter()
    tap_id = reader.tap(card)
    while True:
        try:
            verdict = await reader.hear(_AGAIN_S)
        except TimeoutError:
            reader.tap(card, id=tap_id)
            continue
        if verdict["id"] == tap_id:
            break
    assert (verdict["r"], verdict["why"]) == ("accepted", why), verdict
    return (time.perf_counter() - began) * 1000
