"""Rows of the requirements on figures, with their numbers."""

from __future__ import annotations

import datetime as dt

import pytest

from besnik.loyalty.metrics import (
    Bought,
    Window,
    churn,
    compare,
    days_to_first_reward,
    net_revenue_churn,
    repeat_rate,
    retention,
    reward_too_far,
)

JANUARY = Window(dt.date(2026, 1, 1), dt.date(2026, 1, 31), "Europe/Tirane")


def bought(member: int, day: str, amount_minor: int = 1_000) -> Bought:
    return Bought(member, dt.date.fromisoformat(f"2026-{day}"), amount_minor)


@pytest.mark.parametrize(
    ("start", "end", "new", "percent"), [(100, 110, 30, 80.0), (600, 620, 100, 86.667)]
)
def test_L37_customer_retention(start: int, end: int, new: int, percent: float) -> None:
    kept = retention(start, end, new)
    assert kept.percent == pytest.approx(percent, abs=0.001)
    assert churn(kept).percent == pytest.approx(100 - percent, abs=0.001)


def test_L105_repeat_purchase_rate() -> None:
    history = [bought(member, "01-05") for member in range(200)]
    history += [bought(member, "01-25") for member in range(70)]
    history += [bought(member, "02-25") for member in range(200)]
    assert repeat_rate(history, JANUARY).percent == 35.0


def test_L38_net_revenue_churn_is_negative_when_those_who_stay_grow() -> None:
    assert net_revenue_churn(10_000, 500, 200, 1_000) == -3.0
    assert net_revenue_churn(0, 0, 0, 0) is None


def test_L15_members_against_others() -> None:
    found = compare(40, 100, 25, 100)
    assert found.points == pytest.approx(15.0)
    assert found.low is not None
    assert 0 < found.low < 15


def test_L28_days_to_the_first_reward() -> None:
    joined = {member: dt.date(2026, 1, 1) for member in range(5)}
    first = {member: dt.date(2026, 1, 1) + dt.timedelta(days=30 * member) for member in (1, 3, 4)}
    assert days_to_first_reward(joined, first) == 90
    assert (reward_too_far(90), reward_too_far(91)) == (False, True)
    with pytest.raises(ValueError, match="nobody"):
        days_to_first_reward(joined, {})
