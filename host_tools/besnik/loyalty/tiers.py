"""Tiers: what a member has to reach, how long a tier is kept, and how far the next one is.

A sale is always counted with the tier held *before* it; what it reaches holds from the next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.periods import Months, period, plus_months
from besnik.loyalty.rules import MOST_BP, MOST_DAYS, WHOLE_BP, RuleError, within

Downgrade = Literal["none", "one_down", "recalculated"]
Measure = Literal["spend", "status", "visits"]


class CalendarWindow(msgspec.Struct, frozen=True, tag="calendar"):
    """Counts from the first to the last day of a calendar period of ``months``."""

    months: Months = 12


class RollingWindow(msgspec.Struct, frozen=True, tag="rolling"):
    """Counts the last ``days`` days, today included."""

    days: int

    def __post_init__(self) -> None:
        within("tier window", 1, MOST_DAYS, days=self.days)


class Anniversary(msgspec.Struct, frozen=True, tag="anniversary"):
    """Counts the year that began on the day the member joined."""


class Lifetime(msgspec.Struct, frozen=True, tag="lifetime"):
    """Counts everything since the member joined; the tier is kept for ever."""


Window = CalendarWindow | RollingWindow | Anniversary | Lifetime


class Tier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tier: reached at ``threshold`` of the plan's measure (money in minor units).

    ``times_bp`` multiplies what base rules give (13 000: 30 % more). ``benefits`` are named to
    the cashier, "priority" or the like.
    """

    name: str
    threshold: int
    times_bp: int = WHOLE_BP
    benefits: tuple[str, ...] = ()


class TierPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The tiers of a program, lowest first; the first is everybody's (threshold 0).

    A tier reached in one window is kept to the end of that window or of the ``next_window``,
    and ``grace_days`` more; with a rolling window it is judged anew each ``days``. ``unit`` is
    what ``times_bp`` multiplies.
    """

    tiers: tuple[Tier, ...]
    measure: Measure = "spend"
    window: Window = CalendarWindow()
    downgrade: Downgrade = "recalculated"
    kept: Literal["window", "next_window"] = "next_window"
    grace_days: int = 0
    unit: Unit = "point"

    def __post_init__(self) -> None:
        thresholds = [tier.threshold for tier in self.tiers]
        if not thresholds or thresholds[0] != 0:
            raise RuleError("the first tier is everybody's: its threshold is 0")
        if thresholds != sorted(set(thresholds)):
            raise RuleError("each tier's threshold is above the one before it")
        within("tiers", 0, MOST_DAYS, grace_days=self.grace_days)
        for tier in self.tiers:
            within(f"tier {tier.name}", 0, threshold=tier.threshold)
            # A tier does not earn less than the rule.
            within(f"tier {tier.name}", WHOLE_BP, MOST_BP, times_bp=tier.times_bp)


class Counted(msgspec.Struct, frozen=True):
    """What counts towards a tier: ``amount`` of the plan's measure on ``day``; refunds are < 0."""

    day: dt.date
    amount: int


class Held(msgspec.Struct, frozen=True):
    """The tier a member holds: its place in the plan (0 is the first), until ``until`` at least.

    ``until`` None is for ever.
    """

    level: int
    since: dt.date
    until: dt.date | None


class Progress(msgspec.Struct, frozen=True):
    """How far a member is: ``reached`` of ``needed`` for tier ``level``, ``missing`` to go."""

    level: int
    reached: int
    needed: int
    missing: int


def bounds(window: Window, day: dt.date, joined: dt.date) -> tuple[dt.date, dt.date]:
    """Return first and last day of the window that holds ``day``."""
    if isinstance(window, CalendarWindow):
        return period(window.months, day)
    if isinstance(window, RollingWindow):
        return day - dt.timedelta(days=window.days - 1), day
    if isinstance(window, Lifetime):
        return joined, dt.date.max
    years = day.year - joined.year - (plus_months(joined, 12 * (day.year - joined.year)) > day)
    first = plus_months(joined, 12 * years)
    return first, plus_months(joined, 12 * (years + 1)) - dt.timedelta(days=1)


def reached(window: Window, counted: Iterable[Counted], day: dt.date, joined: dt.date) -> int:
    """Return what counts on ``day``: the window's sum up to that day."""
    first, _ = bounds(window, day, joined)
    return sum(item.amount for item in counted if first <= item.day <= day)


def level_for(plan: TierPlan, amount: int) -> int:
    """Return the highest tier that ``amount`` reaches."""
    return max(place for place, tier in enumerate(plan.tiers) if tier.threshold <= max(0, amount))


def advance(
    plan: TierPlan, held: Held | None, counted: Iterable[Counted], day: dt.date, joined: dt.date
) -> Held:
    """Return the tier held on ``day``: up at once, down only after what was promised has ended.

    ``held`` is what was held after the last thing that counted, None for a new member.
    """
    items = list(counted)
    state = held or Held(0, joined, _kept_until(plan, joined, joined))
    while state.until is not None and state.until < day:
        next_day = state.until + dt.timedelta(days=1)
        # The window that ended when the promise did, not the days of grace after it.
        ended = next_day if plan.kept == "window" else state.until - _grace(plan)
        earned = level_for(plan, reached(plan.window, items, ended, joined))
        level = _lower(plan, state.level, earned)
        since = state.since if level == state.level else next_day
        state = Held(level, since, _kept_until(plan, next_day, joined))
    earned = level_for(plan, reached(plan.window, items, day, joined))
    if earned > state.level:
        return Held(earned, day, _kept_until(plan, day, joined))
    return state


def from_history(plan: TierPlan, counted: Iterable[Counted], day: dt.date, joined: dt.date) -> Held:
    """Return the tier held on ``day`` after all that counted until then.

    A refund is counted on the day of its sale: what was bought only to be returned lifts nobody.
    """
    items = sorted(counted, key=lambda item: item.day)
    held = None
    for when in sorted({item.day for item in items if item.day < day}):
        held = advance(plan, held, items, when, joined)
    return advance(plan, held, items, day, joined)


def progress(plan: TierPlan, level: int, amount: int) -> Progress | None:
    """Return what is missing to the tier above ``level``; None if that is the highest."""
    if level + 1 >= len(plan.tiers):
        return None
    needed = plan.tiers[level + 1].threshold
    return Progress(level + 1, amount, needed, max(0, needed - amount))


def months_to_reach(needed: int, amount: int, days_so_far: int) -> int | None:
    """Return after how many more whole months (of 30 days) ``needed`` is reached at this pace.

    None if nothing was counted yet; 0 if it is reached.
    """
    if amount >= needed:
        return 0
    if amount <= 0 or days_so_far <= 0:
        return None
    return -(-(needed - amount) * days_so_far // (amount * 30))


def projected(plan: TierPlan, amount: int, day: dt.date, joined: dt.date) -> int:
    """Return the tier reached by the end of the window if it goes on as until ``day``.

    With a rolling window, or a lifetime's, the pace changes nothing: what is reached now.
    """
    if isinstance(plan.window, RollingWindow | Lifetime):
        return level_for(plan, amount)
    first, last = bounds(plan.window, day, joined)
    so_far = (day - max(first, joined)).days + 1
    rest = (last - day).days
    return level_for(plan, amount + amount * rest // max(1, so_far))


def _lower(plan: TierPlan, level: int, earned: int) -> int:
    if earned >= level or plan.downgrade == "none":
        return max(level, earned)
    return level - 1 if plan.downgrade == "one_down" else earned


def _grace(plan: TierPlan) -> dt.timedelta:
    return dt.timedelta(days=plan.grace_days)


def _kept_until(plan: TierPlan, day: dt.date, joined: dt.date) -> dt.date | None:
    if isinstance(plan.window, Lifetime):
        return None
    if isinstance(plan.window, RollingWindow):
        return day + dt.timedelta(days=plan.window.days) + _grace(plan)
    return bounds(plan.window, day, joined)[1] + _grace(plan)
