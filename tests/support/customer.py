"""Whoever holds cards to the virtual reader and sees what it says."""

from __future__ import annotations

import asyncio
from typing import Final

from besnik.sim.control import Control
from besnik.sim.signals import Recogniser

SIGNAL_TIMEOUT_S: Final = 8.0
PAUSE_S: Final = 0.6


class Customer:
    """Holds cards to the reader and reads its light and buzzer."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._signals: asyncio.Queue[str | None] = asyncio.Queue()

    async def look(self) -> None:
        """Read light and buzzer until cancelled."""
        recogniser = Recogniser()
        async for event in self._control.watch():
            for seen in recogniser.feed(event):
                self._signals.put_nowait(seen.name)

    async def taps(self, *cards: str, signals: int = 2) -> list[str | None]:
        """Hold the cards to the reader at once; return as many signals as follow."""
        while not self._signals.empty():
            self._signals.get_nowait()
        for card in cards:
            await self._control.present(card)
        try:
            return [await self.sees() for _ in range(signals)]
        finally:
            for card in cards:
                await self._control.remove(card)
            await asyncio.sleep(PAUSE_S)

    async def sees(self) -> str | None:
        """Return the next signal."""
        return await asyncio.wait_for(self._signals.get(), SIGNAL_TIMEOUT_S)
