"""Periods and expiry on the program's own calendar: the last usable day counts whole."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from besnik.loyalty.rules import MOST_DAYS, RuleError, within

Months = Literal[1, 3, 6, 12]


class Never(msgspec.Struct, frozen=True, tag="never"):
    """What was earned stays."""


class AfterDays(msgspec.Struct, frozen=True, tag="after_days"):
    """Usable for ``days`` after the day it was earned; each lot for itself."""

    days: int

    def __post_init__(self) -> None:
        within("expiry", 0, MOST_DAYS, days=self.days)


class AfterMonths(msgspec.Struct, frozen=True, tag="after_months"):
    """Usable for ``months`` after the day it was earned; 31 August + 6 is the end of February."""

    months: int

    def __post_init__(self) -> None:
        within("expiry", 1, MOST_DAYS // 30, months=self.months)


class PeriodEnd(msgspec.Struct, frozen=True, tag="period_end"):
    """Usable until the collection period of ``months`` ends, and ``grace_days`` more."""

    months: Months = 12
    grace_days: int = 0

    def __post_init__(self) -> None:
        within("expiry", 0, MOST_DAYS, grace_days=self.grace_days)


class Idle(msgspec.Struct, frozen=True, tag="idle"):
    """All is usable while the member was active in the last ``days``; each activity renews it."""

    days: int

    def __post_init__(self) -> None:
        within("expiry", 1, MOST_DAYS, days=self.days)


Expiry = Never | AfterDays | AfterMonths | PeriodEnd | Idle


def midnight_after(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the moment (UTC) at which ``day`` is over in ``zone``."""
    start = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    return start.astimezone(dt.UTC)


def last_day(expiry: Expiry, earned: dt.date) -> dt.date | None:
    """Return the last day on which what was earned can be used; None if no day is known."""
    if isinstance(expiry, AfterDays):
        return earned + dt.timedelta(days=expiry.days)
    if isinstance(expiry, AfterMonths):
        return plus_months(earned, expiry.months)
    if isinstance(expiry, PeriodEnd):
        return period(expiry.months, earned)[1] + dt.timedelta(days=expiry.grace_days)
    return None


def expires_at(expiry: Expiry, earned_at: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """Return when a lot earned at ``earned_at`` expires (UTC); None if no moment is known."""
    day = last_day(expiry, earned_at.astimezone(zone).date())
    return None if day is None else midnight_after(day, zone)


def idle_expired(expiry: Idle, last_active: dt.date, today: dt.date) -> bool:
    """Tell whether a member was idle so long that everything expires."""
    return today > last_active + dt.timedelta(days=expiry.days)


def plus_months(day: dt.date, months: int) -> dt.date:
    """Return the day ``months`` later, or the last of its month where that is shorter."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def period(months: int, day: dt.date) -> tuple[dt.date, dt.date]:
    """Return first and last day of the calendar period of ``months`` that holds ``day``."""
    if months < 1 or 12 % months:
        raise RuleError(f"a period has 1, 2, 3, 4, 6 or 12 months, not {months}")
    first = dt.date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, plus_months(first, months) - dt.timedelta(days=1)
