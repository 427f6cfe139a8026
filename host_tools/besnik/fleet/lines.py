"""How far each of several boards is: a line for each, on a terminal redrawn in its place."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Final, TextIO

from besnik.fleet.usb import BoardError

_WIDTH: Final = 110
_STEP_PERCENT: Final = 25


class Lines:
    """The state of boards by the name of their port; any thread may report.

    What is no terminal gets a line for each thing that happened, and for each quarter of the way.
    """

    def __init__(self, names: Sequence[str], to: TextIO = sys.stdout) -> None:
        self._texts = dict.fromkeys(names, "")
        self._steps = dict.fromkeys(names, -1)
        self._to = to
        self._is_drawn = False
        self._is_left = False
        self._lock = threading.Lock()

    def say(self, name: str, text: str) -> None:
        """Report what happened to a board."""
        with self._lock:
            self._texts[name], self._steps[name] = text, -1
            self._show(name)

    def leave(self) -> None:
        """End the threads that report how much is done: nobody waits for them any more."""
        self._is_left = True

    def percent(self, name: str, what: str, percent: int) -> None:
        """Report how much of ``what`` is done; BoardError if it is not to go on (`leave`)."""
        if self._is_left:
            raise BoardError("stopped")
        with self._lock:
            self._texts[name] = f"{percent:3} % {what}".rstrip()
            step = percent // _STEP_PERCENT
            if self._to.isatty() or step > self._steps[name]:
                self._steps[name] = step
                self._show(name)

    def _show(self, name: str) -> None:
        if not self._to.isatty():
            print(f"{name}: {self._texts[name]}", file=self._to, flush=True)
            return
        up = f"\x1b[{len(self._texts)}A" if self._is_drawn else ""
        self._is_drawn = True
        shown = (
            f"{name}: {text}".replace("\n", " ")[:_WIDTH] for name, text in self._texts.items()
        )
        print(up + "\n".join(f"\r\x1b[2K{line}" for line in shown), file=self._to, flush=True)
