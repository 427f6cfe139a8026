"""Somebody who holds one card after another to the virtual reader and writes down what it says.

Every presentation has a card of its own, so what the database holds of it can be counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from besnik.sim.control import Control, Event
from besnik.sim.signals import PATTERNS

READ: Final = "read"
# A reader that has just been switched on starts first.
READ_S: Final = 15.0
# The firmware says `stored` after 1.5 s without an answer.
OUTCOME_S: Final = 6.0
_GAP_S: Final = 0.25
_OUTCOMES: Final = ("accepted", "rejected", "unknown", "stored")
# A signal is told by its tone as soon as that begins; only `stored` has none.
_TONES: Final = {pattern.tones[0].hz: pattern.names[0] for pattern in PATTERNS if pattern.tones} | {
    2400: READ
}


class Stored:
    """Tells the signal `stored` from a reader's light, however long a busy machine draws it out.

    It is two amber flashes after the one of the reading, into which its first may merge. While a
    reader makes a TLS handshake it shows amber too: this is for readers that are plain.
    """

    def __init__(self) -> None:
        self._lit: set[str] = set()
        self._is_amber = False
        self._flashes = 0

    def reading(self) -> None:
        """Take note that a card was read."""
        self._flashes = 0

    def feed(self, event: Event) -> bool:
        """Take one event; return whether it ends a flash after the one of the reading."""
        if event["ev"] != "pin" or event["role"] not in ("led_red", "led_green"):
            return False
        (self._lit.add if event["v"] else self._lit.discard)(event["role"])
        self._is_amber |= len(self._lit) == 2
        if self._lit or not self._is_amber:
            return False
        self._is_amber = False
        self._flashes += 1
        return self._flashes > 1


@dataclass
class Presentation:
    """One card held to the reader once: how often it was read, and what the customer was told.

    ``is_cut``: the reader was switched off meanwhile, so it may or may not have stored the tap.
    """

    uid: str
    reads: int = 0
    outcome: str | None = None
    is_cut: bool = False

    @property
    def is_answered(self) -> bool:
        """Whether the customer knows that the tap counts, or why it does not."""
        return self.outcome is not None

    @property
    def fault(self) -> str | None:
        """What went wrong at the reader, if anything."""
        if self.is_cut or self.is_answered:
            return None
        return "no signal after it was read" if self.reads else "not read"


class Presenter:
    """Holds the cards with the given keys to the reader, in order; ``done`` is what came of it."""

    def __init__(self, control: Control, cards: Iterator[tuple[str, str]]) -> None:
        self.done: list[Presentation] = []
        self.is_wanted = True
        self._control = control
        self._cards = cards
        self._signals: asyncio.Queue[str | None] = asyncio.Queue()
        self._is_on = asyncio.Event()
        self._now: Presentation | None = None

    def power(self, is_on: bool) -> None:
        """Take note that the reader is switched off, or on: off, its present card is taken away."""
        if is_on:
            self._is_on.set()
            return
        self._is_on.clear()
        if self._now is not None and not self._now.is_answered:
            self._now.is_cut = True
            self._signals.put_nowait(None)

    async def look(self) -> None:
        """Read light and buzzer until cancelled."""
        stored = Stored()
        async for event in self._control.watch():
            if event["ev"] == "tone" and (name := _TONES.get(event["hz"])):
                self._signals.put_nowait(name)
                if name == READ:
                    stored.reading()
            if stored.feed(event):
                self._signals.put_nowait("stored")

    async def present_all(self) -> None:
        """Hold one card after another to the reader for as long as it is wanted."""
        while self.is_wanted:
            await self.present()

    async def present(self) -> Presentation:
        """Hold the next card to the reader until the customer knows, and take it away."""
        key, uid = next(self._cards)
        await self._is_on.wait()
        while not self._signals.empty():
            self._signals.get_nowait()
        now = self._now = Presentation(uid)
        self.done.append(now)
        try:
            await self._control.present(key)
            await self._watch(now)
        except TimeoutError:
            pass  # its fault says so
        finally:
            self._now = None
            await asyncio.shield(self._control.remove(key))
        await asyncio.sleep(_GAP_S)
        return now

    async def _watch(self, now: Presentation) -> None:
        limit_s = READ_S
        while not now.is_answered and not now.is_cut:
            signal = await asyncio.wait_for(self._signals.get(), limit_s)
            if signal == READ:
                now.reads += 1
                limit_s = OUTCOME_S
            elif signal in _OUTCOMES and now.reads:
                now.outcome = signal
