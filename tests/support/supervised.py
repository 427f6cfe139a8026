"""``besnik run`` in tests: the process, all it started, and what it printed."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from besnik.sim.control import Control
from support.processes import Processes, Running

STOP_S = 3.0

_MARK = "BESNIK_TEST_RUN"
_OPEN_S = 60.0
_SIGNALS_S = 1.5
_PAUSE_S = 0.6


class Supervised:
    """A ``besnik run`` and everything it started, found by a mark in their environment."""

    def __init__(self, processes: Processes, folder: Path, *options: str) -> None:
        self.folder = folder
        self._mark = f"{_MARK}={secrets.token_hex(8)}"
        name, value = self._mark.split("=")
        self.process: Running = processes.start(
            "run",
            [sys.executable, "-m", "besnik.cli", "run", "--folder", folder, *options],
            environment={name: value},
            folder=folder.parent,
        )

    def pids(self, part: str = "") -> list[int]:
        """Return the processes of this run whose command line holds ``part``."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = self._mark.encode() in (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if is_ours and command and part in command:
                found.append(int(entry.name))
        return found

    def wait_until_open(self) -> None:
        self.process.wait_for("Ctrl-C closes it", _OPEN_S)

    def runs_anew(self, part: str, before: int) -> bool:
        """Return whether the part runs, and as another process than before."""
        return self.pids(part) not in ([], [before])

    def lines_with(self, text: str) -> list[str]:
        """Return what it printed, the lines with ``text`` alone."""
        return [line for line in self.process.log.splitlines() if text in line]

    async def presents(self, card: str) -> None:
        """Hold a card to the reader for as long as its signals last, and take it away."""
        async with await Control.connect(self.folder / "counter/control.sock") as control:
            await control.present(card)
            await asyncio.sleep(_SIGNALS_S)
            await control.remove(card)
            await asyncio.sleep(_PAUSE_S)


Start = Callable[..., Supervised]
