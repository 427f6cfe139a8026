"""A virtual ESP32 with its serial port, as a technician has it on the table."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from besnik.sim.board import Parts
from support.hands import Hands
from support.processes import Processes, Running


class Board:
    """A board in ``folder``; it has power between `plug_in` and `unplug`."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.parts = Parts(folder)
        self._processes = processes
        self._running: Running | None = None

    def plug_in(self, *options: str | Path) -> None:
        """Give it power; its port is there afterwards. ``options``: those of besnik sim board."""
        command = [sys.executable, "-m", "besnik.cli", "sim", "board", self.parts.folder, *options]
        self._running = self._processes.start("board", command, ready="its serial port is")

    def unplug(self) -> None:
        """Take its power away at once."""
        assert self._running is not None
        self._running.kill()

    def lay_card(self) -> None:
        """Lay its card on it, and leave it there."""
        Hands(self.parts.folder / "control.sock").ask("present", card="card")

    def take_card(self) -> None:
        """Take the card away."""
        Hands(self.parts.folder / "control.sock").ask("remove", card="card")

    def mpremote(self, *arguments: str | Path) -> str:
        """Run mpremote on the board's port; return what it printed."""
        program = Path(sysconfig.get_path("scripts")) / "mpremote"
        done = subprocess.run(
            [program, "connect", self.parts.port, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.replace("\r\n", "\n")
