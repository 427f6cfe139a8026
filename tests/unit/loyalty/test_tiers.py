"""Tiers over time: windows, what is kept, grace, and the three ways down."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.rules import RuleError
from besnik.loyalty.tiers import (
    Anniversary,
    CalendarWindow,
    Counted,
    Downgrade,
    Held,
    Lifetime,
    RollingWindow,
    Tier,
    TierPlan,
    Window,
    advance,
    bounds,
    from_history,
    reached,
)

TIERS = (
    Tier(name="Red", threshold=0),
    Tier(name="Silver", threshold=500),
    Tier(name="Gold", threshold=1_500),
)
JOINED = dt.date(2026, 3, 15)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "on", "first", "last"),
    [
        (CalendarWindow(12), "2026-07-04", "2026-01-01", "2026-12-31"),
        (CalendarWindow(3), "2026-05-31", "2026-04-01", "2026-06-30"),
        (CalendarWindow(1), "2028-02-29", "2028-02-01", "2028-02-29"),
        (RollingWindow(30), "2026-03-30", "2026-03-01", "2026-03-30"),
        (Anniversary(), "2027-03-14", "2026-03-15", "2027-03-14"),
        (Anniversary(), "2027-03-15", "2027-03-15", "2028-03-14"),
    ],
)
def test_a_window_has_a_first_and_a_last_day(
    window: Window, on: str, first: str, last: str
) -> None:
    assert bounds(window, day(on), JOINED) == (day(first), day(last))


def test_an_anniversary_of_29_february_is_the_last_of_the_month() -> None:
    leap = day("2024-02-29")
    assert bounds(Anniversary(), day("2025-02-28"), leap) == (day("2025-02-28"), day("2026-02-27"))


def test_only_what_is_in_the_window_counts() -> None:
    counted = [Counted(day("2025-12-31"), 100), Counted(day("2026-01-01"), 30)]
    assert reached(CalendarWindow(12), counted, day("2026-06-01"), JOINED) == 30
    assert reached(Lifetime(), counted, day("2026-06-01"), day("2025-01-01")) == 130


@pytest.mark.parametrize(
    ("downgrade", "level"), [("none", 2), ("one_down", 1), ("recalculated", 0)]
)
def test_who_does_not_qualify_again_goes_down_as_the_program_says(
    downgrade: Downgrade, level: int
) -> None:
    plan = TierPlan(tiers=TIERS, downgrade=downgrade)
    counted = [Counted(day("2026-05-01"), 1_500)]
    assert from_history(plan, counted, day("2026-05-01"), JOINED).level == 2
    assert from_history(plan, counted, day("2027-12-31"), JOINED).level == 2
    assert from_history(plan, counted, day("2028-01-01"), JOINED).level == level


def test_a_tier_may_end_with_its_own_window_and_has_days_of_grace() -> None:
    plan = TierPlan(tiers=TIERS, kept="window", grace_days=31)
    counted = [Counted(day("2026-05-01"), 600)]
    assert from_history(plan, counted, day("2027-01-31"), JOINED).level == 1
    assert from_history(plan, counted, day("2027-02-01"), JOINED).level == 0


def test_a_rolling_tier_is_judged_again_each_time_its_days_have_passed() -> None:
    plan = TierPlan(tiers=TIERS, window=RollingWindow(90))
    counted = [Counted(day("2026-04-01"), 500), Counted(day("2026-06-20"), 500)]
    held = from_history(plan, counted, day("2026-06-30"), JOINED)
    assert held == Held(1, day("2026-04-01"), day("2026-06-30"))
    held = advance(plan, held, counted, day("2026-07-01"), JOINED)
    assert (held.level, held.since) == (1, day("2026-04-01"))
    assert from_history(plan, counted, day("2026-12-31"), JOINED).level == 0


def test_a_lifetime_tier_is_kept() -> None:
    plan = TierPlan(tiers=TIERS, window=Lifetime())
    counted = [Counted(day("2026-05-01"), 500)]
    assert from_history(plan, counted, day("2066-01-01"), JOINED) == Held(
        1, day("2026-05-01"), None
    )


def test_a_sale_that_was_refunded_lifts_nobody() -> None:
    plan = TierPlan(tiers=TIERS)
    counted = [Counted(day("2026-05-01"), 1_500), Counted(day("2026-05-01"), -1_500)]
    assert from_history(plan, counted, day("2026-06-01"), JOINED).level == 0


@pytest.mark.parametrize(("amount", "level"), [(499, 0), (500, 1), (1_499, 1), (1_500, 2)])
def test_at_the_boundary_the_tier_is_exactly_the_one_reached(amount: int, level: int) -> None:
    """Neither skips the first tier nor gives the next too early (pitfall 11)."""
    held = from_history(TierPlan(tiers=TIERS), [Counted(JOINED, amount)], JOINED, JOINED)
    assert held.level == level


windows = st.sampled_from(
    (CalendarWindow(12), CalendarWindow(3), RollingWindow(60), Anniversary(), Lifetime())
)
histories = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 900)), max_size=8)


@given(windows, histories, st.integers(0, 900), st.sampled_from(("window", "next_window")))
def test_asking_every_day_or_once_comes_to_the_same(
    window: Window, history: list[tuple[int, int]], last: int, kept: str
) -> None:
    plan = TierPlan(
        tiers=TIERS, window=window, kept="window" if kept == "window" else "next_window"
    )
    counted = [Counted(JOINED + dt.timedelta(days=days), amount) for days, amount in history]
    held = None
    for days in range(last + 1):
        today = JOINED + dt.timedelta(days=days)
        held = advance(plan, held, [item for item in counted if item.day <= today], today, JOINED)
    assert held == from_history(plan, counted, JOINED + dt.timedelta(days=last), JOINED)


def test_tiers_that_make_no_sense_are_refused() -> None:
    for tiers in ((), (Tier(name="x", threshold=1),), (TIERS[0], TIERS[2], TIERS[1])):
        with pytest.raises(RuleError):
            TierPlan(tiers=tiers)
    with pytest.raises(RuleError):
        TierPlan(tiers=(Tier(name="x", threshold=0, times_bp=9_000),))
