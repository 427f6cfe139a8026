"""The engine: stages and their order, caps, roundings, conditions, refunds by line."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.engine import Standing, compute, steps, take_back
from besnik.loyalty.rules import (
    Cap,
    Multiplier,
    PerAmount,
    PerItem,
    PerVisit,
    Rounding,
    Rule,
    RuleError,
    RuleSet,
    SpendThreshold,
    TenderBonus,
    When,
    in_force,
)
from besnik.loyalty.sale import Line, Sale, SaleError, Tender
from support.shop import NOON, receipt

UTC = ZoneInfo("UTC")
SPEND = PerAmount(id="spend", per_minor=100)


def rule_set(*rules: Rule, **fields: object) -> RuleSet:
    return msgspec.convert(
        {"version": 1, "first_day": dt.date(2026, 1, 1), "rules": rules, **fields}, RuleSet
    )


def points(rules: RuleSet, sale: Sale, standing: Standing | None = None) -> int:
    return compute(rules, sale, standing or Standing(), UTC).totals.get("point", 0)


def test_the_stages_run_in_the_order_that_is_given() -> None:
    silver = Standing(level=1, tier_bp={"point": 13_000})
    rules = (
        SPEND,
        Multiplier(id="double", times_bp=20_000),
        TenderBonus(id="card", tender="house_card"),
        Cap(id="most", most=250),
    )
    sale = receipt(10_100, tender="house_card")
    # 101, then 30 % more (131), doubled (262), half of the base (50) on top, cut at 250.
    earned = compute(rule_set(*rules), sale, silver, UTC)
    assert [(part.rule, part.amount) for part in earned.parts] == [
        ("spend", 101),
        ("tier", 30),
        ("double", 131),
        ("card", 50),
        ("most", -62),
    ]
    other = ("base", "cap", "campaign", "tier")
    assert points(rule_set(*rules, order=other), sale, silver) == 101 * 2 * 13 // 10


@pytest.mark.parametrize(("base", "expected"), [("sum", 60), ("best", 50)])
def test_of_several_base_rules_all_count_or_the_best(base: str, expected: int) -> None:
    rules = rule_set(SPEND, PerVisit(id="visit", give=10), base=base)
    assert points(rules, receipt(5_000)) == expected


@pytest.mark.parametrize(("campaigns", "expected"), [("best", 300), ("product", 600)])
def test_of_several_campaigns_the_best_counts_or_the_product(campaigns: str, expected: int) -> None:
    twice, thrice = Multiplier(id="x2", times_bp=20_000), Multiplier(id="x3", times_bp=30_000)
    assert points(rule_set(SPEND, twice, thrice, campaigns=campaigns), receipt(10_000)) == expected


def test_a_cap_leaves_what_its_period_has_room_for() -> None:
    rules = rule_set(SPEND, Cap(id="daily", most=100, per="day"))
    assert points(rules, receipt(9_000)) == 90
    assert points(rules, receipt(9_000), Standing(used={"daily": 80})) == 20
    assert points(rules, receipt(9_000), Standing(used={"daily": 130})) == 0


def test_a_tender_bonus_needs_all_of_the_sale_paid_that_way() -> None:
    rules = rule_set(SPEND, TenderBonus(id="card", tender="house_card"))
    lines = (Line("1", 3_790),)
    split = Sale(NOON, lines, (Tender("house_card", 3_000), Tender("cash", 790)))
    assert points(rules, split) == 37
    assert points(rules, Sale(NOON, lines)) == 37


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("floor", (0, 0, 0, 1, 1, 1)),
        ("half_up", (0, 1, 1, 1, 2, 2)),
        ("half_even", (0, 0, 1, 1, 2, 2)),
        ("ceil", (1, 1, 1, 1, 2, 2)),
    ],
)
def test_steps_are_made_whole(rounding: Rounding, expected: tuple[int, ...]) -> None:
    assert tuple(steps(n, 100, rounding) for n in (49, 50, 51, 100, 150, 151)) == expected
    assert steps(250, 100, "half_even") == 2


def test_rewards_on_a_receipt_earn_nothing() -> None:
    lines = (Line("1", 1_000, quantity=2, category="coffee"), Line("2", 500, reward=True))
    sale = Sale(NOON, lines)
    items = PerItem(id="items", unit="stamp", categories=("coffee",))
    assert compute(rule_set(SPEND, items), sale, Standing(), UTC).totals == {
        "point": 10,
        "stamp": 2,
    }
    only_gift = Sale(NOON, (Line("1", 0, reward=True),))
    assert points(rule_set(PerVisit(id="visit")), only_gift) == 0


def test_conditions_are_those_of_the_program_s_own_day() -> None:
    late = dt.datetime(2026, 5, 31, 22, 30, tzinfo=dt.UTC)  # 00:30 on Monday 1 June in Tirana
    june = PerAmount(id="june", per_minor=100, when=When(first_day=dt.date(2026, 6, 1)))
    monday = PerAmount(id="monday", unit="stamp", per_minor=100, when=When(weekdays=("mon",)))
    sale = receipt(1_000, at=late)
    for zone, expected in (("Europe/Tirane", {"point": 10, "stamp": 10}), ("UTC", {})):
        assert compute(rule_set(june, monday), sale, Standing(), ZoneInfo(zone)).totals == expected
    online = PerAmount(id="online", per_minor=100, when=When(channels=("online",), levels=(1,)))
    sale = msgspec.structs.replace(sale, channel="online")
    assert points(rule_set(online), sale) == 0
    assert points(rule_set(online), sale, Standing(level=1)) == 10


def test_categories_limit_what_counts() -> None:
    rules = rule_set(PerAmount(id="books", per_minor=100, categories=("book",)))
    assert points(rules, Sale(NOON, (Line("1", 900, category="book"), Line("2", 900)))) == 9


def test_a_threshold_is_not_multiplied_and_may_count_each_sale_alone() -> None:
    each = SpendThreshold(id="fifty", each_minor=5_000, carry_over=False)
    rules = rule_set(each, Multiplier(id="x2", unit="item", times_bp=20_000))
    standing = Standing(tier_bp={"item": 20_000}, carried_minor={"fifty": 4_999})
    assert compute(rules, receipt(12_000), standing, UTC).totals == {"item": 2}
    assert take_back(rules, receipt(6_000, 6_000), standing, UTC, returned=["1"]) == {"item": 1}


amounts = st.lists(st.integers(0, 5_000), min_size=1, max_size=6)
many_rules = st.lists(
    st.sampled_from(
        (
            PerAmount(id="all", per_minor=100),
            PerAmount(id="above", per_minor=70, above_minor=500),
            PerAmount(id="gate", per_minor=100, above_minor=900, reading="gate"),
            PerVisit(id="visit", give=7, from_minor=300),
            PerItem(id="items", unit="stamp"),
            Multiplier(id="more", times_bp=17_000),
            TenderBonus(id="cash", tender="cash", per_earned=3),
            Cap(id="cap", most=40),
        )
    ),
    unique_by=lambda rule: rule.id,
)


@given(amounts, many_rules, st.data())
def test_refunds_by_line_in_any_order_take_back_exactly_all(
    lines: list[int], rules: list[Rule], data: st.DataObject
) -> None:
    sale, standing = receipt(*lines), Standing(tier_bp={"point": 13_000})
    left = data.draw(st.permutations([line.id for line in sale.lines]))
    chosen = rule_set(*rules)
    taken: Counter[str] = Counter()
    for place, line in enumerate(left):
        taken.update(take_back(chosen, sale, standing, UTC, returned=[line], earlier=left[:place]))
    assert {unit: amount for unit, amount in taken.items() if amount} == compute(
        chosen, sale, standing, UTC
    ).totals


@given(st.integers(0, 10**7), many_rules)
def test_spending_more_never_earns_less(amount: int, rules: list[Rule]) -> None:
    chosen = rule_set(*rules)
    assert points(chosen, receipt(amount)) <= points(chosen, receipt(amount + 1))


def test_the_newest_version_in_force_counts() -> None:
    old = RuleSet(version=1, first_day=dt.date(2026, 1, 1))
    new = RuleSet(version=2, first_day=dt.date(2026, 6, 1), last_day=dt.date(2026, 6, 30))
    days = [dt.date(2025, 12, 31), dt.date(2026, 5, 31), dt.date(2026, 6, 1), dt.date(2026, 7, 1)]
    assert [in_force((old, new), day) for day in days] == [None, old, new, old]


@pytest.mark.parametrize(
    "fields",
    [
        {"rules": (SPEND, SPEND)},
        {"order": ("tier", "base")},
        {"order": ("base", "cap", "cap")},
        {"last_day": dt.date(2025, 1, 1)},
    ],
)
def test_a_rule_set_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(RuleError):
        RuleSet(**{"version": 1, "first_day": dt.date(2026, 1, 1), **fields})


def test_a_rule_that_gives_nothing_or_less_is_refused() -> None:
    for wrong in (
        lambda: PerAmount(id="r", per_minor=0),
        lambda: PerAmount(id="r", per_minor=1, give=0),
        lambda: PerAmount(id="r", per_minor=1, above_minor=-1),
        lambda: Multiplier(id="r", times_bp=9_999),
        lambda: Cap(id="r", most=-1),
        lambda: SpendThreshold(id="r", each_minor=0),
    ):
        with pytest.raises(RuleError, match="rule r: "):
            wrong()


def test_a_line_has_an_item_and_does_not_pay_the_customer() -> None:
    for wrong in (
        lambda: Line("1", -1),
        lambda: Line("1", 1, quantity=0),
        lambda: Line("1", 10**13),
    ):
        with pytest.raises(SaleError, match="refund"):
            wrong()
