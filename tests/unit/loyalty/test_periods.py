"""Expiry on the program's own calendar: the last usable day counts whole."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from besnik.loyalty.periods import (
    AfterDays,
    AfterMonths,
    Expiry,
    Idle,
    Never,
    PeriodEnd,
    expires_at,
    idle_expired,
    last_day,
    period,
    plus_months,
)
from besnik.loyalty.rules import RuleError

TIRANA = ZoneInfo("Europe/Tirane")


@pytest.mark.parametrize(
    ("expiry", "earned", "last"),
    [
        (AfterDays(30), "2026-01-01", "2026-01-31"),
        (AfterMonths(6), "2026-08-31", "2027-02-28"),
        (AfterMonths(6), "2027-08-31", "2028-02-29"),
        (AfterMonths(12), "2028-02-29", "2029-02-28"),
        (PeriodEnd(12), "2026-05-05", "2026-12-31"),
        (PeriodEnd(12, grace_days=31), "2026-12-31", "2027-01-31"),
        (PeriodEnd(3), "2026-05-05", "2026-06-30"),
    ],
)
def test_the_last_usable_day(expiry: Expiry, earned: str, last: str) -> None:
    assert last_day(expiry, dt.date.fromisoformat(earned)) == dt.date.fromisoformat(last)


@pytest.mark.parametrize("expiry", [Never(), Idle(90)])
def test_some_lots_have_no_day_of_their_own(expiry: Expiry) -> None:
    assert expires_at(expiry, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), TIRANA) is None


def test_a_lot_expires_at_the_shop_s_midnight_whatever_the_season() -> None:
    late = dt.datetime(2026, 1, 31, 23, 30, tzinfo=dt.UTC)  # 00:30 on 1 February in Tirana
    assert expires_at(AfterDays(0), late, TIRANA) == dt.datetime(2026, 2, 1, 23, tzinfo=dt.UTC)
    spring = dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)  # the clock changes in the next night
    assert expires_at(AfterDays(1), spring, TIRANA) == dt.datetime(2026, 3, 29, 22, tzinfo=dt.UTC)


def test_who_stays_away_too_long_loses_all() -> None:
    last = dt.date(2026, 1, 1)
    assert not idle_expired(Idle(90), last, last + dt.timedelta(days=90))
    assert idle_expired(Idle(90), last, last + dt.timedelta(days=91))


def test_periods_divide_the_year() -> None:
    assert period(6, dt.date(2026, 7, 1)) == (dt.date(2026, 7, 1), dt.date(2026, 12, 31))
    assert plus_months(dt.date(2026, 1, 31), -11) == dt.date(2025, 2, 28)
    for wrong in (0, 5, 24):
        with pytest.raises(RuleError):
            period(wrong, dt.date(2026, 1, 1))
