"""What is wrong with a reader, told from what it says about itself. The words are the template's.

The limits are ours: low enough that a shop hears of a fault before it loses a tap, high enough
that a healthy reader on an ordinary Wi-Fi never shows one.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

State = Literal["online", "silent", "lost", "offline", "never"]
Signal = Literal["excellent", "good", "fair", "weak"]
Fault = Literal[
    "lost",
    "never",
    "silent",
    "dropped",
    "watchdog",
    "outbox",
    "recoveries",
    "reconnects",
    "weak",
    "slow",
    "memory",
]
# These cost taps or stop the reader; the others will, if nobody looks.
GRAVE: Final[frozenset[Fault]] = frozenset({"lost", "silent", "dropped", "watchdog"})

# A reader reports every minute, give or take a tenth; three missed reports are no accident.
SILENT_AFTER: Final = dt.timedelta(minutes=3, seconds=30)
OUTBOX_AFTER: Final = dt.timedelta(minutes=2)
RECOVERIES_MIN: Final = 3
RECOVERIES_PER_HOUR: Final = 0.25
RECONNECTS_MIN: Final = 5
RECONNECTS_PER_HOUR: Final = 1.0
SLOW_MS: Final = 500  # what a cashier begins to wait for (Toast asks 500 ms of loyalty services)
HEAP_FREE_MIN: Final = 8_000
WATCHDOG_FOR: Final = dt.timedelta(days=3)
WATCHDOG: Final = 3  # machine.reset_cause() on the ESP32
_SIGNALS: Final[tuple[tuple[int, Signal], ...]] = ((-55, "excellent"), (-67, "good"), (-75, "fair"))


class Report(msgspec.Struct, frozen=True):
    """What a reader said last; ``said`` is its state, None if it never said one.

    Times are aware. The numbers are those of the contract's health message, as it was at
    ``health_at``; all are zero or None where there was none.
    """

    said: str | None = None
    said_at: dt.datetime | None = None
    health_at: dt.datetime | None = None
    up_s: int = 0
    rssi_dbm: int | None = None
    heap_free: int | None = None
    outbox: int = 0
    outbox_since: dt.datetime | None = None
    outbox_dropped: int = 0
    reconnects: int = 0
    rc522_recoveries: int = 0
    verdict_ms: int | None = None
    reset_cause: int | None = None
    started_at: dt.datetime | None = None

    @property
    def heard_at(self) -> dt.datetime | None:
        """When the reader was heard last; None if never."""
        return max(filter(None, (self.said_at, self.health_at)), default=None)

    def state(self, now: dt.datetime) -> State:
        """Return the reader's state; ``silent`` if it is on line by its last word, and no more."""
        if self.said is None or self.heard_at is None:
            return "never"
        if self.said != "online":
            return "offline" if self.said == "offline" else "lost"
        return "silent" if now - self.heard_at > SILENT_AFTER else "online"

    @property
    def signal(self) -> Signal | None:
        """Return how well the reader hears its Wi-Fi; None if it did not say."""
        if self.rssi_dbm is None:
            return None
        return next((word for limit, word in _SIGNALS if self.rssi_dbm >= limit), "weak")

    def faults(self, now: dt.datetime) -> list[Fault]:
        """Return what is wrong, the gravest first."""
        state = self.state(now)
        found: list[Fault] = []
        if state in ("lost", "never", "silent"):
            found.append(state)
        if self.outbox_dropped:
            found.append("dropped")
        if self._hung(now):
            found.append("watchdog")
        if state in ("online", "silent"):
            found += self._of_a_running_reader(now)
        return found

    def _hung(self, now: dt.datetime) -> bool:
        is_old = self.started_at is not None and now - self.started_at > WATCHDOG_FOR
        return self.reset_cause == WATCHDOG and not is_old

    def _of_a_running_reader(self, now: dt.datetime) -> list[Fault]:
        waits = self.outbox and self.outbox_since and now - self.outbox_since > OUTBOX_AFTER
        recovers = self._too_often(self.rc522_recoveries, RECOVERIES_MIN, RECOVERIES_PER_HOUR)
        reconnects = self._too_often(self.reconnects, RECONNECTS_MIN, RECONNECTS_PER_HOUR)
        signs: dict[Fault, bool] = {
            "outbox": bool(waits),
            "recoveries": recovers,
            "reconnects": reconnects,
            "weak": self.signal == "weak",
            "slow": self.verdict_ms is not None and self.verdict_ms > SLOW_MS,
            "memory": self.heap_free is not None and self.heap_free < HEAP_FREE_MIN,
        }
        return [fault for fault, is_there in signs.items() if is_there]

    def _too_often(self, count: int, minimum: int, per_hour: float) -> bool:
        return count >= minimum and count >= per_hour * self.up_s / 3600
