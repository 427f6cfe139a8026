"""How a shop does, as figures that say what they rest on: window, number, 95 % interval.

A customer is a member with at least one purchase that was not reversed. Shares are in percent
with Wilson's interval (E. B. Wilson, JASA 22 (1927) 209); a share of fewer than five is not
shown. Definitions: customer retention (E - N) / S, net revenue churn (lost + contraction -
expansion) / start, repeat rate: customers with two purchases / customers with one.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

LEAST_N: Final = 5
FAR_REWARD_DAYS: Final = 90
Z95: Final = 1.959963984540054


class Window(msgspec.Struct, frozen=True):
    """The days a figure is about, inclusive, on the calendar of ``zone`` (IANA name)."""

    first: dt.date
    last: dt.date
    zone: str

    def holds(self, day: dt.date) -> bool:
        """Tell whether ``day`` is in the window."""
        return self.first <= day <= self.last


class Bought(msgspec.Struct, frozen=True):
    """One purchase that was not reversed: whose, on which day, for how much."""

    member: int
    day: dt.date
    amount_minor: int


class Figure(msgspec.Struct, frozen=True):
    """A figure in percent over ``n``, with its 95 % interval; None where it is not shown.

    ``window`` None: whoever asks has counted already and knows over which days.
    """

    percent: float | None
    n: int
    low: float | None = None
    high: float | None = None
    window: Window | None = None


def share(part: int, n: int, window: Window | None = None) -> Figure:
    """Return ``part`` of ``n`` in percent with its interval; nothing is shown below n = 5."""
    if not 0 <= part <= n:
        raise ValueError(f"{part} of {n} is no share")
    if n < LEAST_N:
        return Figure(None, n, window=window)
    low, high = wilson(part, n)
    return Figure(100 * part / n, n, 100 * low, 100 * high, window)


def wilson(part: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of ``part`` of ``n``, both ends between 0 and 1."""
    z2 = Z95 * Z95
    centre = (part + z2 / 2) / (n + z2)
    half = Z95 / (n + z2) * math.sqrt(part * (n - part) / n + z2 / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


def retention(start: int, end: int, new: int, window: Window | None = None) -> Figure:
    """Return the customer retention rate: (``end`` - ``new``) of ``start``."""
    return share(end - new, start, window)


def retention_of(bought: Sequence[Bought], window: Window, lost_after_days: int) -> Figure:
    """Return the retention over ``window``: who bought in the days before it, and still does.

    "Lost" is who did not buy for ``lost_after_days``; the figure stands and falls with it.
    """
    span = dt.timedelta(days=lost_after_days)
    start = _buyers(bought, window.first - span, window.first - dt.timedelta(days=1))
    end = _buyers(bought, window.last - span + dt.timedelta(days=1), window.last)
    return retention(len(start), len(end), len(end - start), window)


def churn(kept: Figure) -> Figure:
    """Return what is missing to 100 % of a retention."""
    if kept.percent is None or kept.low is None or kept.high is None:
        return kept
    return Figure(100 - kept.percent, kept.n, 100 - kept.high, 100 - kept.low, kept.window)


def cohort_retention(
    bought: Sequence[Bought], cohort: Window, periods: Sequence[Window]
) -> list[Figure]:
    """Return, for each period, the share of the cohort's buyers who bought in it."""
    members = _buyers(bought, cohort.first, cohort.last)
    return [
        share(len(members & _buyers(bought, period.first, period.last)), len(members), period)
        for period in periods
    ]


def repeat_rate(bought: Iterable[Bought], window: Window) -> Figure:
    """Return the share of the window's customers who bought at least twice in it."""
    times = Counter(item.member for item in bought if window.holds(item.day))
    return share(sum(count >= 2 for count in times.values()), len(times), window)


def net_revenue_churn(
    start_minor: int, lost_minor: int, contraction_minor: int, expansion_minor: int
) -> float | None:
    """Return the net revenue churn in percent; below zero when those who stayed grew more.

    100 less this is the net revenue retention. None if there was no revenue to begin with.
    """
    if start_minor <= 0:
        return None
    return 100 * (lost_minor + contraction_minor - expansion_minor) / start_minor


def net_revenue_churn_of(
    bought: Sequence[Bought], before: Window, after: Window
) -> tuple[float | None, int]:
    """Return the net revenue churn of the customers of ``before``, and how many they are.

    Both windows should be equally long: their spend is compared as it is.
    """
    spent, then = _spend(bought, before), _spend(bought, after)
    lost = sum(amount for member, amount in spent.items() if member not in then)
    changes = [then[member] - amount for member, amount in spent.items() if member in then]
    contraction = -sum(change for change in changes if change < 0)
    expansion = sum(change for change in changes if change > 0)
    churned = net_revenue_churn(sum(spent.values()), lost, contraction, expansion)
    return churned if len(spent) >= LEAST_N else None, len(spent)


class Difference(msgspec.Struct, frozen=True):
    """How much larger one share is than another, in percentage points, with 95 % interval."""

    points: float | None
    low: float | None
    high: float | None
    n: tuple[int, int]


def compare(part: int, n: int, other_part: int, other_n: int) -> Difference:
    """Return one share less another: members and others, treated and held out.

    Newcombe's hybrid score interval (Statistics in Medicine 17 (1998) 873, method 10).
    """
    if min(n, other_n) < LEAST_N:
        return Difference(None, None, None, (n, other_n))
    one, other = part / n, other_part / other_n
    (low, high), (other_low, other_high) = wilson(part, n), wilson(other_part, other_n)
    return Difference(
        100 * (one - other),
        100 * (one - other - math.hypot(one - low, other_high - other)),
        100 * (one - other + math.hypot(high - one, other - other_low)),
        (n, other_n),
    )


def days_to_first_reward(joined: Mapping[int, dt.date], first: Mapping[int, dt.date]) -> float:
    """Return the median days from joining to the first reward, of the members who had one.

    ValueError if nobody had.
    """
    days = [(first[member] - joined[member]).days for member in first if member in joined]
    if not days:
        raise ValueError("nobody has had a reward yet")
    return statistics.median(days)


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of the median by order statistics; None below six values.

    Ranks by the normal approximation of the binomial (W. J. Conover, Practical Nonparametric
    Statistics, 1999, section 3.2).
    """
    n = len(values)
    if n < 6:
        return None
    ordered = sorted(values)
    half = Z95 * math.sqrt(n) / 2
    low, high = math.floor(n / 2 - half), math.ceil(n / 2 + half)
    return ordered[max(0, low)], ordered[min(n, high + 1) - 1]


def reward_too_far(median_days: float) -> bool:
    """Tell whether the first reward is so far away that members forget about it."""
    return median_days > FAR_REWARD_DAYS


def _buyers(bought: Iterable[Bought], first: dt.date, last: dt.date) -> set[int]:
    return {item.member for item in bought if first <= item.day <= last}


def _spend(bought: Iterable[Bought], window: Window) -> Counter[int]:
    spent: Counter[int] = Counter()
    for item in bought:
        if window.holds(item.day):
            spent[item.member] += item.amount_minor
    return spent
