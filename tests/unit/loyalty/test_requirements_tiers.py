"""Rows of the requirements on tiers, and on choosing and understanding a program."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from besnik.loyalty.advice import AtCounter, alert
from besnik.loyalty.engine import Standing
from besnik.loyalty.lint import check, refuse
from besnik.loyalty.periods import PeriodEnd
from besnik.loyalty.rewards import AmountOff, Reward
from besnik.loyalty.rules import RuleError
from besnik.loyalty.sale import simple_sale
from besnik.loyalty.templates import TRADES, advise, airline, recognition, savings
from besnik.loyalty.text import pace_text, progress_text, tier_table
from besnik.loyalty.texts.catalogue import say
from besnik.loyalty.tiers import (
    Counted,
    Tier,
    TierPlan,
    from_history,
    level_for,
    months_to_reach,
    progress,
    projected,
)
from support.shop import BASIS, NOON, Shop

JOINED = dt.date(2026, 1, 1)
SPEND = TierPlan(
    tiers=(
        Tier(name="Red", threshold=0),
        Tier(name="Silver", threshold=50_000, times_bp=13_000),
        Tier(name="Gold", threshold=150_000, times_bp=16_000),
    )
)


def test_L27_the_multiplier_holds_from_the_next_sale_on() -> None:
    assert [level_for(SPEND, spent) for spent in (0, 50_000, 150_000)] == [0, 1, 2]
    shop = Shop(msgspec.structs.replace(savings(BASIS), tiers=SPEND))
    counted: list[Counted] = []
    points = []
    for day in (1, 2, 3):
        at = NOON + dt.timedelta(days=day)
        level = from_history(SPEND, counted, at.date(), JOINED).level
        standing = Standing(level=level, tier_bp={"point": SPEND.tiers[level].times_bp})
        sale = simple_sale(50_000, at)
        points.append(shop.accrue(sale, standing=standing).earned.totals["point"])
        counted.append(Counted(at.date(), 50_000))
    assert points == [500, 650, 650], "the first sale reaches Silver; it pays from the second on"
    assert from_history(SPEND, counted, NOON.date() + dt.timedelta(days=4), JOINED).level == 2


@pytest.mark.parametrize(
    ("reading", "level", "miles"),
    [
        ("A", 0, 1_000),
        ("B", 0, 1_000),
        ("A", 1, 1_300),
        ("B", 1, 1_500),
        ("A", 2, 1_600),
        ("B", 2, 2_000),
    ],
)
def test_L29_L30_L31_miles_by_tier_in_both_readings(reading: str, level: int, miles: int) -> None:
    program = airline(BASIS, "A" if reading == "A" else "B")
    assert program.tiers is not None
    tier = program.tiers.tiers[level]
    standing = Standing(level=level, tier_bp={"point": tier.times_bp})
    earned = Shop(program).accrue(simple_sale(100_000, NOON), standing=standing).earned.totals
    assert earned == {"point": miles, "status": 1_000}
    assert ("priority" in tier.benefits) is (level > 0)
    assert ("lounges" in tier.benefits) is (level == 2)


def test_L29_red_names_its_partners() -> None:
    tiers = airline(BASIS, "A").tiers
    assert tiers is not None
    assert tiers.tiers[0].benefits == ("car hire", "parking", "hotel discounts")


def test_L32_status_points_are_not_spent_with_the_miles() -> None:
    shop = Shop(airline(BASIS, "A"))
    shop.sell(100_000)
    shop.redeem(500)
    assert (shop.have("point"), shop.have("status")) == (500, 1_000)


def test_L33_the_table_and_what_is_missing() -> None:
    program = msgspec.structs.replace(savings(BASIS), tiers=SPEND)
    table = [say(message, "en") for message in tier_table(SPEND, program)]
    assert table == [
        "Red: every member.",
        "Silver: from purchases of EUR 500.",
        "Silver earns 30 % more.",
        "Gold: from purchases of EUR 1500.",
        "Gold earns 60 % more.",
        "What counts is the running period of 12 months.",
    ]
    far = progress(SPEND, 0, 28_800)
    assert far is not None
    assert say(progress_text(far, SPEND, program), "en") == "EUR 212 more and you are Silver."
    assert progress(SPEND, 2, 999_999) is None


def test_L34_at_this_pace_the_tier_is_reached_in_four_months() -> None:
    assert months_to_reach(1_000, 600, days_so_far=180) == 4
    assert months_to_reach(1_000, 1_000, days_so_far=180) == 0
    assert months_to_reach(1_000, 0, days_so_far=180) is None
    assert months_to_reach(1_000, 601, days_so_far=180) == 4
    plan = TierPlan(tiers=(Tier(name="Red", threshold=0), Tier(name="Gold", threshold=1_000)))
    far = progress(plan, 0, 600)
    assert far is not None
    assert say(pace_text(far, plan, 4), "en") == "At this pace you are Gold in 4 months."
    half = dt.date(2026, 6, 30)
    assert [projected(plan, amount, half, JOINED) for amount in (495, 496)] == [0, 1]
    late = dt.date(2026, 6, 1)  # joined in June: 30 days have passed, 184 are to come
    assert [projected(plan, amount, half, late) for amount in (140, 141)] == [0, 1]


def test_L22_the_rule_nobody_understands_is_refused_and_says_why() -> None:
    """14 points for a dollar, paid out by the quarter: what is a point worth, and until when?"""
    clear = savings(BASIS)
    assert check(clear) == []
    refuse(clear)
    program = msgspec.structs.replace(
        clear,
        rewards=(Reward(id="dollar", title="a dollar", kind=AmountOff(100), cost=14),),
        expiry={"point": PeriodEnd(months=3)},
    )
    assert {finding.code for finding in check(program)} == {"rate", "expiry"}
    with pytest.raises(RuleError, match="nobody can work out in their head what 14 points"):
        refuse(program)


def test_L23_the_interval_between_purchases_recommends_a_model() -> None:
    assert advise(3)[0] == "points"
    assert set(advise(200)) == {"tiers", "paid"}


def test_L118_the_trade_recommends_a_template() -> None:
    assert (TRADES["hotel"], TRADES["cafe"]) == ("tiers", "stamps")


def test_L106_benefits_are_named_each_with_its_tier() -> None:
    program = msgspec.structs.replace(
        recognition(BASIS),
        tiers=TierPlan(
            tiers=(
                Tier(name="All", threshold=0, benefits=("birthday cake",)),
                Tier(name="Regular", threshold=10_000, benefits=("reserved table", "wine")),
            )
        ),
    )
    assert program.tiers is not None
    table = [say(message, "en") for message in tier_table(program.tiers, program)]
    assert "All also gets: birthday cake." in table
    assert "Regular also gets: reserved table, wine." in table


def test_L102_the_tenth_visit_is_thanked_for_once() -> None:
    thanked = [
        visit
        for visit in range(1, 20)
        if alert(
            savings(BASIS),
            AtCounter(member=1, level=0, day=NOON.date(), active={}, visits=visit),
        )
    ]
    assert thanked == [10]
