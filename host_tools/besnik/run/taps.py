"""Follows taps from outside: what went over the broker and what was seen at the reader's pins."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from besnik import contract
from besnik.run.monitor import Heard, Monitor
from besnik.sim.control import Control, Event
from besnik.sim.signals import Recogniser, Seen

READ = "read"
# The longest signal of a verdict is shorter; a reader says `stored` after 1.5 s without one.
PATIENCE_S = 4.0
# How long before the tap's message its first signal can have ended.
EARLY_S = 1.0


@dataclass
class TapSeen:
    """One tap as it was heard and seen. Times are milliseconds, None when not observed.

    ``verdict_ms``: from the tap's message to the verdict's, at the broker. ``light_ms``: from
    the card's arrival in the field to the first light of the verdict, in the counter's time.
    """

    tap: contract.Tap
    heard_at_s: float
    verdict: contract.Verdict | None = None
    verdict_ms: float | None = None
    signals: list[Seen] = field(default_factory=list)
    light_ms: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more of this tap is to come."""
        if self.verdict is None:
            return False
        return bool(self.tap.q) or any(signal.name != READ for signal in self.signals)


class TapWatch:
    """Puts together what belongs to one tap of one reader.

    ``online`` is set when the reader is on line and its light is out: connecting has a light of
    its own, which lasts a little longer, and in which that of a card could not be told.
    """

    def __init__(self, monitor: Monitor, control: Control, reader: str) -> None:
        self._monitor = monitor
        self._control = control
        self._reader = reader
        self._news: asyncio.Queue[Heard | Event] = asyncio.Queue()
        self._recogniser = Recogniser()
        self._current: TapSeen | None = None
        self._early: list[tuple[float, Seen]] = []
        self._known: set[str] = set()
        self._card_at_us: int | None = None
        self._has_come = False
        self.online = asyncio.Event()
        self.over: asyncio.Queue[TapSeen] = asyncio.Queue()

    async def run(self) -> None:
        """Put every tap into ``over`` when it is, or when its time is, until cancelled."""
        feeders = [asyncio.create_task(self._feed_heard()), asyncio.create_task(self._feed_pins())]
        try:
            while True:
                try:
                    news = await asyncio.wait_for(self._news.get(), self._left_s())
                except TimeoutError:
                    over = self._take()
                else:
                    over = self._note(news)
                if over:
                    self.over.put_nowait(over)
        finally:
            for feeder in feeders:
                feeder.cancel()
            await asyncio.gather(*feeders, return_exceptions=True)

    async def _feed_heard(self) -> None:
        while True:
            self._news.put_nowait(await self._monitor.heard.get())

    async def _feed_pins(self) -> None:
        async for event in self._control.watch():
            self._news.put_nowait(event)

    def _left_s(self) -> float | None:
        if self._current is None:
            return None
        return max(0.0, self._current.heard_at_s + PATIENCE_S - _now_s())

    def _take(self) -> TapSeen | None:
        over, self._current = self._current, None
        return over

    def _note(self, news: Heard | Event) -> TapSeen | None:
        """Take one piece of news; return the tap that it completes or pushes aside."""
        pushed = None
        if isinstance(news, Heard):
            pushed = self._hear(news)
        else:
            self._see(news)
        if self._has_come and self._recogniser.is_dark:
            self.online.set()
        if pushed is None and self._current is not None and self._current.is_over:
            return self._take()
        return pushed

    def _hear(self, heard: Heard) -> TapSeen | None:
        if heard.reader != self._reader:
            return None
        message = heard.message
        if isinstance(message, contract.State):
            self._has_come |= message.s == "online" and not heard.is_retained
        elif isinstance(message, contract.Tap) and message.id not in self._known:
            self._known.add(message.id)
            before, self._current = self._current, TapSeen(message, heard.at_s)
            for at_s, signal in self._early:
                if heard.at_s - at_s < EARLY_S:
                    self._add_signal(self._current, signal)
            self._early.clear()
            return before
        elif isinstance(message, contract.Verdict):
            current = self._current
            if current and current.tap.id == message.id and current.verdict is None:
                current.verdict = message
                current.verdict_ms = (heard.at_s - current.heard_at_s) * 1000
        return None

    def _see(self, event: Event) -> None:
        if event["ev"] == "card" and event["present"]:
            self._card_at_us = event["t_us"]
        for signal in self._recogniser.feed(event):
            if self._current is not None:
                self._add_signal(self._current, signal)
            elif signal.name == READ:
                # It can be over before the tap's message has come through the broker.
                self._early = [(_now_s(), signal)]

    def _add_signal(self, tap: TapSeen, signal: Seen) -> None:
        tap.signals.append(signal)
        if signal.name != READ and self._card_at_us is not None and tap.light_ms is None:
            lasted_ms = sum(segment.duration_ms for segment in signal.segments)
            tap.light_ms = (signal.t_us - self._card_at_us) / 1000 - lasted_ms


def _now_s() -> float:
    return asyncio.get_running_loop().time()
