"""What would last month have cost: the preview agrees with the ledger of the same sales."""

from __future__ import annotations

import datetime as dt
import random

import msgspec
import pytest

from besnik.loyalty.preview import Past, Preview, cap_period, preview
from besnik.loyalty.rules import Cap, PerAmount, Period, RuleSet
from besnik.loyalty.sale import simple_sale
from besnik.loyalty.templates import airline, boloco, recognition, savings
from besnik.loyalty.tiers import Tier, TierPlan
from support.shop import BASIS, NOON, Shop


def past(*amounts_minor: int, member: int = 1) -> list[Past]:
    return [
        Past(member, simple_sale(amount, NOON + dt.timedelta(days=number)))
        for number, amount in enumerate(amounts_minor)
    ]


@pytest.mark.parametrize("make", [savings, boloco])
def test_a_preview_gives_what_the_ledger_of_the_same_sales_has(make: object) -> None:
    assert callable(make)
    chance = random.Random(5)
    sales = [
        Past(chance.randint(1, 5), simple_sale(chance.randint(50, 20_000), NOON))
        for _ in range(120)
    ]
    shop = Shop(make(BASIS))
    for number, item in enumerate(sales):
        accrual = shop.accrue(item.sale, item.member)
        if accrual.entry is not None:
            shop.journal.post(f"sale-{number}", number, lambda entry=accrual.entry: entry)
    shown = preview(shop.program, sales)
    assert (shown.sales, shown.members) == (120, 5)
    for unit, amount in shown.given.items():
        assert amount == sum(shop.have(unit, member) for member in range(1, 6))


def test_a_tier_pays_from_the_sale_after_the_one_that_reached_it() -> None:
    plan = TierPlan(
        tiers=(
            Tier(name="Red", threshold=0),
            Tier(name="Silver", threshold=10_000, times_bp=15_000),
        )
    )
    program = msgspec.structs.replace(savings(BASIS), tiers=plan)
    assert preview(program, past(10_000, 1_000)).given == {"point": 115}
    assert preview(airline(BASIS, "B"), past(50_000, 1_000)).given == {"point": 515, "status": 510}


def test_caps_count_in_their_period() -> None:
    rules = (PerAmount(id="spend", per_minor=100), Cap(id="cap", most=15, per="month"))
    june = RuleSet(version=1, first_day=dt.date(2026, 1, 1), rules=rules)
    program = msgspec.structs.replace(recognition(BASIS), rule_sets=(june,))
    sales = past(1_000, 1_000, 1_000)
    sales.append(Past(1, simple_sale(1_000, NOON + dt.timedelta(days=30))))
    assert preview(program, sales).given == {"point": 25}


def test_the_cost_is_what_is_redeemed() -> None:
    shown = preview(savings(BASIS), past(4_780, 5_000))
    assert shown == Preview(2, 1, 9_780, {"point": 97})
    assert shown.cost_minor({"point": 10}) == 970
    assert shown.cost_minor({"point": 10}, redemption_bp=8_050) == 781
    assert shown.cost_minor({}) == 0
    assert preview(recognition(BASIS), past(5_000)) == Preview(1, 1, 5_000, {})


@pytest.mark.parametrize(
    ("per", "first", "last"),
    [
        ("day", "2026-06-04", "2026-06-04"),
        ("week", "2026-06-01", "2026-06-07"),
        ("month", "2026-06-01", "2026-06-30"),
        ("year", "2026-01-01", "2026-12-31"),
    ],
)
def test_the_period_of_a_cap(per: Period, first: str, last: str) -> None:
    found = cap_period(per, dt.date(2026, 6, 4))
    assert found == (dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    assert cap_period("sale", dt.date(2026, 6, 4)) is None
