"""The figures, each against numbers worked out by hand or printed in its source."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.liability import (
    breakage_bp,
    deferred_minor,
    redemption,
    revenue_to_date_minor,
    simple_liability_minor,
)
from besnik.loyalty.metrics import (
    Bought,
    Window,
    churn,
    cohort_retention,
    compare,
    net_revenue_churn_of,
    retention_of,
    share,
    wilson,
)

ZONE = "Europe/Tirane"
JANUARY = Window(dt.date(2026, 1, 1), dt.date(2026, 1, 31), ZONE)
FEBRUARY = Window(dt.date(2026, 2, 1), dt.date(2026, 2, 28), ZONE)


def bought(member: int, day: str, amount_minor: int = 1_000) -> Bought:
    return Bought(member, dt.date.fromisoformat(f"2026-{day}"), amount_minor)


def test_wilson_s_interval_is_that_of_its_table() -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3."""
    for part, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(part, n) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_newcombe_s_interval_is_that_of_its_table() -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10: 56/70 - 48/80."""
    found = compare(56, 70, 48, 80)
    assert found.points == pytest.approx(20.0)
    assert (found.low, found.high) == (
        pytest.approx(5.24, abs=0.01),
        pytest.approx(33.39, abs=0.01),
    )


@given(st.integers(5, 400), st.data())
def test_a_share_lies_in_its_interval(n: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, n))
    figure = share(part, n)
    assert figure.percent is not None
    assert figure.low is not None
    assert figure.high is not None
    assert 0 <= figure.low <= figure.percent + 1e-9
    assert figure.percent - 1e-9 <= figure.high <= 100


def test_a_share_of_fewer_than_five_is_not_shown() -> None:
    assert share(2, 4).percent is None
    assert churn(share(2, 4)).percent is None
    assert compare(2, 4, 50, 100).points is None
    assert share(2, 5).percent == 40
    with pytest.raises(ValueError, match="no share"):
        share(6, 5)


def test_retention_is_counted_from_purchases() -> None:
    """Ten bought in the 30 days before February; seven of them and two others at its end."""
    history = [bought(member, "01-20") for member in range(10)]
    history += [bought(member, "02-10") for member in range(7)]
    history += [bought(member, "02-12") for member in (20, 21)]
    history += [bought(9, "03-01")]
    figure = retention_of(history, FEBRUARY, lost_after_days=30)
    assert (figure.percent, figure.n, figure.window) == (70.0, 10, FEBRUARY)


def test_a_cohort_is_followed_through_the_periods() -> None:
    history = [bought(member, "01-05") for member in range(500)]
    history += [bought(member, "02-05") for member in range(350)]
    history += [bought(1_000, "02-05")]
    kept, gone = cohort_retention(
        history, JANUARY, (FEBRUARY, Window(dt.date(2026, 3, 1), dt.date(2026, 3, 31), ZONE))
    )
    assert (kept.percent, kept.n, gone.percent) == (70.0, 500, 0.0)


def test_net_revenue_churn_of_the_same_customers() -> None:
    """Of 10 000: one customer (500) lost, one 200 less, one 1 000 more; a new one counts not."""
    before = {1: 500, 2: 2_000, 3: 2_500, 4: 2_500, 5: 2_500}
    after = {2: 1_800, 3: 3_500, 4: 2_500, 5: 2_500, 6: 9_999}
    history = [bought(member, "01-10", amount) for member, amount in before.items()]
    history += [bought(member, "02-10", amount) for member, amount in after.items()]
    assert net_revenue_churn_of(history, JANUARY, FEBRUARY) == (-3.0, 5)
    assert net_revenue_churn_of(history[1:], JANUARY, FEBRUARY) == (None, 4)


def test_an_interval_of_no_difference_holds_zero_about_95_times_in_100() -> None:
    chance, held = random.Random(97), 0
    for _ in range(400):
        one, other = (sum(chance.random() < 0.2 for _ in range(100)) for _ in range(2))
        found = compare(one, 100, other, 100)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0 <= found.high
    assert held >= 0.92 * 400


def test_redemption_and_breakage() -> None:
    assert redemption(8_000, 10_000).percent == 80.0
    assert breakage_bp(9_700) == 300
    with pytest.raises(ValueError, match="no share"):
        breakage_bp(10_001)


def test_the_simple_liability() -> None:
    assert simple_liability_minor(9_700, point_minor=5, redemption_bp=8_000) == 38_800


def test_revenue_from_points_as_in_the_handbook() -> None:
    """KPMG, IFRS 15 handbook, example 10A; then IFRS 15.IE267 to 270."""
    first = revenue_to_date_minor(9_000, 4_500, 9_700)
    assert first == 4_175
    assert revenue_to_date_minor(9_000, 8_500, 9_900) - first == 3_552
    deferred = deferred_minor(100_000, goods_minor=100_000, points_minor=9_500)
    assert deferred == 8_676
    first = revenue_to_date_minor(deferred, 4_500, 9_500)
    assert first == 4_110
    assert revenue_to_date_minor(deferred, 8_500, 9_700) - first == 3_493
    assert revenue_to_date_minor(deferred, 9_999, 9_700) == deferred
    with pytest.raises(ValueError, match="nothing to divide"):
        deferred_minor(100, 0, 0)
