"""Looks from outside whether the event loop hangs in the database."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from besnik.bridge.watch import PATIENCE_S

_LOOK_EVERY_S: Final = 0.25


class Lookout:
    """Calls ``hangs()`` once each time that the loop has been busy for longer than readers wait.

    It is called on a thread of its own, with the loop in the middle of its work. ``busy_s()`` says
    for how long the loop has been in one piece of work.
    """

    def __init__(self, busy_s: Callable[[], float], hangs: Callable[[], None]) -> None:
        self._busy_s = busy_s
        self._hangs = hangs
        self._stopped = Event()

    def start(self) -> None:
        """Look until ``stop``."""
        Thread(target=self._run, name="lookout", daemon=True).start()

    def stop(self) -> None:
        """End it soon."""
        self._stopped.set()

    def _run(self) -> None:
        said = False
        while not self._stopped.wait(_LOOK_EVERY_S):
            hangs = self._busy_s() > PATIENCE_S
            if hangs and not said:
                self._hangs()
            said = hangs
