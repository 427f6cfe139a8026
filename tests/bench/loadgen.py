"""The load: readers in C that tap as fast as they are answered, and a C responder as the floor."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from parts import ROOT

from support.broker import RunningBroker
from support.processes import Processes, Running

_SOURCES: Final = Path(__file__).parent / "load"
_BUILT: Final = ROOT / "build/bench"
_FLAGS: Final = ("-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-function")
_HERTZ: Final = os.sysconf("SC_CLK_TCK")


class Report(msgspec.Struct, frozen=True):
    """What the readers say after a run; times in ms, see ``load/readers.c``."""

    taps: int
    seconds: float
    p50_ms: float
    p99_ms: float
    all: int
    wrong: int
    silent: int

    @property
    def rate(self) -> float:
        """Taps answered in a second."""
        return self.taps / self.seconds


@dataclass(frozen=True)
class Programs:
    """The compiled programs."""

    readers: Path
    responder: Path


def built() -> Programs | None:
    """Compile the programs into ``build/bench``; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    _BUILT.mkdir(parents=True, exist_ok=True)
    for name in ("readers", "responder"):
        source = _SOURCES / f"{name}.c"
        subprocess.run([compiler, *_FLAGS, "-o", _BUILT / name, source], check=True)
    return Programs(_BUILT / "readers", _BUILT / "responder")


def names(count: int) -> list[str]:
    """Return the ids of ``count`` readers."""
    return [f"bench-{number:03d}" for number in range(count)]


def write_accounts(folder: Path, broker: RunningBroker) -> Path:
    """Write the readers' passwords at this broker to a file for the load; return it."""
    file = folder / "accounts"
    readers = (name for name in broker.passwords if name.startswith("bench-"))
    file.write_text("".join(f"{name} {broker.passwords[name]}\n" for name in readers))
    return file


def start_responder(programs: Programs, broker: RunningBroker, processes: Processes) -> Running:
    """Start the responder that does no work in the bridge's place."""
    return processes.start(
        "responder",
        [programs.responder, broker.host, str(broker.port), "bridge", broker.passwords["bridge"]],
        ready="responder: ready",
    )


def start_python_responder(broker: RunningBroker, processes: Processes) -> Running:
    """Start the same in Python, on the MQTT library that the bridge uses."""
    arguments = [broker.host, str(broker.port), "bridge", broker.passwords["bridge"]]
    return processes.start(
        "responder",
        [sys.executable, _SOURCES / "responder.py", *arguments],
        ready="responder: ready",
    )


def run(
    programs: Programs,
    broker: RunningBroker,
    accounts: Path,
    *,
    readers: int,
    cards: int,
    boot: int,
    seconds: float,
    warm_s: float = 0.5,
) -> Report:
    """Let ``readers`` tap ``cards`` cards in a closed loop; every tap must be answered rightly.

    ``boot`` makes the taps of a run new ones. AssertionError if an answer was wrong or missing.
    """
    numbers = [str(value) for value in (readers, cards, boot, warm_s, seconds)]
    done = subprocess.run(
        [programs.readers, broker.host, str(broker.port), accounts, *numbers],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = msgspec.convert(json.loads(done.stdout), Report)
    assert (report.wrong, report.silent) == (0, 0), report
    return report


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used, user and system (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
