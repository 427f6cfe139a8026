"""Windows of whole days on the program's calendar, and the moments they begin and end at."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from besnik.loyalty.metrics import Window
from besnik.loyalty.periods import midnight_after, period, plus_months

_DAY = dt.timedelta(days=1)


def moments(window: Window) -> tuple[dt.datetime, dt.datetime]:
    """Return the first moment (UTC) of a window and the first after it."""
    zone = ZoneInfo(window.zone)
    return midnight_after(window.first - _DAY, zone), midnight_after(window.last, zone)


def last_days(days: int, today: dt.date, zone: str) -> Window:
    """Return the last ``days`` days, today included."""
    return Window(today - dt.timedelta(days=days - 1), today, zone)


def before(window: Window) -> Window:
    """Return the window of the same length that ends the day before ``window``."""
    length = window.last - window.first
    last = window.first - _DAY
    return Window(last - length, last, window.zone)


def full_months(count: int, today: dt.date, zone: str) -> list[Window]:
    """Return the last ``count`` calendar months that are over, the oldest first."""
    running = period(1, today)[0]
    firsts = [plus_months(running, -back) for back in range(count, 0, -1)]
    return [Window(*period(1, first), zone) for first in firsts]
