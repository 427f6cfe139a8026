"""The reader as a board: it starts again after its own reset, and not after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from support.counter import Counter
from support.probe import Probe, ReaderGoneError
from support.processes import Running

_LOOK_S: Final = 0.05
_REVIVE_S: Final = 15.0
# machine.HARD_RESET: the firmware asked for it.
_ASKED_FOR: Final = "2"


class Board:
    """Switches the virtual reader on and off; ``resets`` counts those that the firmware made.

    ``on_power(is_on)`` is called when it goes and when it is back.
    """

    def __init__(
        self, counter: Counter, nvs: Path, probe: Probe, on_power: Callable[[bool], None]
    ) -> None:
        self.resets = 0
        self._counter = counter
        self._cause = nvs.with_name(nvs.name + ".cause")
        self._probe = probe
        self._on_power = on_power
        self._running: Running | None = None
        self._failure = ""
        self._is_on = False
        self._busy = asyncio.Lock()

    async def start(self) -> None:
        """Switch it on."""
        async with self._busy:
            await self._start()

    async def kill(self) -> None:
        """Cut its power."""
        async with self._busy:
            self._is_on = False
            self._goes()
            assert self._running is not None, "the reader was not started"
            await asyncio.to_thread(self._running.kill)

    async def keep(self) -> None:
        """Start it again after each reset of its own, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            async with self._busy:
                if self._is_on and self._running is not None and not self._running.alive:
                    self._goes()
                    self._is_on = False
                    if self._was_asked_for(self._running):
                        self.resets += 1
                        await self._start()

    async def ask(self, question: Callable[[], int | None]) -> int:
        """Ask the probe; wait while the reader starts again; AssertionError if it has failed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _REVIVE_S
        while True:
            try:
                return await asyncio.to_thread(question) or 0
            except ReaderGoneError as error:
                assert not self._failure, self._failure
                if loop.time() > deadline:
                    raise AssertionError("the reader does not come back") from error
                await asyncio.sleep(_LOOK_S)

    async def _start(self) -> None:
        self._running = await asyncio.to_thread(self._counter.start_reader, self._probe.command)
        self._is_on = True
        self._on_power(True)

    def _goes(self) -> None:
        self._on_power(False)
        self._probe.forget()

    def _was_asked_for(self, ended: Running) -> bool:
        cause = self._cause.read_text() if self._cause.exists() else "none"
        if cause == _ASKED_FOR and "Traceback" not in ended.log:
            return True
        self._failure = f"the reader ended by itself (reset cause {cause}):\n{ended.log[-2000:]}"
        return False
