"""What next month may bring: never a number without the interval it lies in."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

import msgspec

LEAST_MONTHS: Final = 6
# Student's t, two-sided 95 %, by degrees of freedom 5 to 11 (NIST/SEMATECH e-Handbook 1.3.6.7.2).
_T95: Final = {5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201}


class Forecast(msgspec.Struct, frozen=True):
    """What is expected, from ``n`` months, and the bounds that hold it in 95 of 100 cases."""

    expected: int
    low: int
    high: int
    n: int


def next_month(months: Sequence[int]) -> Forecast | None:
    """Return the forecast from the last 12 of ``months`` (the oldest first); None below 6.

    The mean, and the interval for one more month of the same kind: no trend and no season is
    read into so few numbers. Nothing is below zero.
    """
    values = list(months)[-12:]
    n = len(values)
    if n < LEAST_MONTHS:
        return None
    mean = statistics.fmean(values)
    half = _T95[n - 1] * statistics.stdev(values) * math.sqrt(1 + 1 / n)
    return Forecast(round(mean), max(0, math.floor(mean - half)), math.ceil(mean + half), n)
