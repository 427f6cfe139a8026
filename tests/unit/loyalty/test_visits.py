"""What a visit without a sale earns, by the rules of its own day."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.ledger import NewLot, Posting, balanced
from besnik.loyalty.membership import Sunset
from besnik.loyalty.money import Currency
from besnik.loyalty.periods import AfterDays
from besnik.loyalty.program import Program
from besnik.loyalty.rules import (
    Cap,
    Multiplier,
    PerAmount,
    Period,
    PerItem,
    PerVisit,
    Rule,
    RuleSet,
    SpendThreshold,
    When,
)
from besnik.loyalty.tiers import Tier, TierPlan
from besnik.loyalty.visits import Limit, VisitRules

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)  # a Saturday
STAMP = PerVisit(id="visit", unit="stamp", give=1)


def program(*rules: Rule, **more: object) -> Program:
    first = dt.date(2026, 1, 1)
    sets = (RuleSet(version=1, first_day=first, rules=rules),) if rules else ()
    return Program(
        id=3,
        name="Corner",
        currency=Currency.named("EUR"),
        zone="Europe/Tirane",
        rule_sets=sets,
        **more,  # type: ignore[arg-type]  # a test's keyword arguments
    )


def earned(made: Program, at: dt.datetime = NOON, shop: str = "corner", level: int = 0) -> object:
    entry = VisitRules(made).accrue(7, shop, at, level)
    return {} if entry is None else {lot.unit: lot.amount for lot in entry.opens}


@given(st.integers(1, 10**9), st.integers(1, 2**40))
def test_a_visit_moves_stamps_from_the_program_to_a_lot_of_the_member(
    stamps: int, member: int
) -> None:
    rules = VisitRules(program(PerVisit(id="visit", unit="stamp", give=stamps)))
    entry = rules.accrue(member, "corner", NOON)
    assert entry is not None
    assert (entry.program, entry.kind) == (3, "accrue")
    assert entry.postings == (Posting(member, "stamp", stamps), Posting(None, "stamp", -stamps))
    assert entry.opens == (NewLot(member, "stamp", stamps, NOON, NOON),)
    assert balanced(entry.postings)


def test_a_program_without_rules_gives_nothing() -> None:
    assert VisitRules(program()).accrue(7, "corner", NOON) is None


@pytest.mark.parametrize(
    "rule",
    [
        PerAmount(id="spend", per_minor=100),
        PerAmount(id="spend", per_minor=100, rounding="ceil"),
        PerItem(id="coffee"),
        SpendThreshold(id="free", each_minor=500),
        PerVisit(id="large", from_minor=1),
    ],
)
def test_what_needs_a_sale_gives_nothing(rule: Rule) -> None:
    assert earned(program(rule)) == {}


@pytest.mark.parametrize(
    ("when", "given"),
    [(When(shops=("corner",)), {"stamp": 1}), (When(shops=("market",)), {}),
     (When(channels=("shop",)), {"stamp": 1}), (When(channels=("online",)), {}),
     (When(weekdays=("sat",)), {"stamp": 1}), (When(weekdays=("mon", "sun")), {}),
     (When(first_day=dt.date(2026, 11, 22)), {}), (When(last_day=dt.date(2026, 11, 20)), {}),
     (When(levels=(0,)), {"stamp": 1}), (When(levels=(1,)), {})],
)  # fmt: skip
def test_a_rule_holds_where_and_when_it_says(when: When, given: object) -> None:
    assert earned(program(PerVisit(id="visit", unit="stamp", when=when))) == given


def test_the_day_is_the_programs_own() -> None:
    saturday = program(PerVisit(id="visit", unit="stamp", when=When(weekdays=("sat",))))
    rules = VisitRules(saturday)
    # 23:30 UTC is half past midnight in Tirana.
    friday_night = dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)
    assert rules.accrue(7, "corner", friday_night) is not None
    assert rules.accrue(7, "corner", NOON) is not None
    assert rules.accrue(7, "corner", friday_night + dt.timedelta(days=1)) is None
    assert rules.accrue(7, "corner", friday_night - dt.timedelta(hours=1)) is None


def test_each_shop_and_tier_has_its_own_answer_from_the_same_rules() -> None:
    plan = TierPlan(
        tiers=(Tier(name="a", threshold=0), Tier(name="b", threshold=1, times_bp=20_000)),
        unit="stamp",
    )
    rules = VisitRules(
        program(
            PerVisit(id="visit", unit="stamp"),
            PerVisit(id="market", unit="stamp", give=5, when=When(shops=("market",))),
            tiers=plan,
        )
    )
    given = {
        (shop, level): entry.opens[0].amount
        for shop in ("corner", "market")
        for level in (0, 1, 9)
        if (entry := rules.accrue(7, shop, NOON, level))
    }
    assert given == {
        ("corner", 0): 1, ("corner", 1): 2, ("corner", 9): 1,
        ("market", 0): 6, ("market", 1): 12, ("market", 9): 6,
    }  # fmt: skip


def test_several_units_campaigns_and_the_cap_of_a_visit_count() -> None:
    made = program(
        STAMP,
        PerVisit(id="hello", give=10),
        Multiplier(id="double", times_bp=20_000),
        Cap(id="most", most=15),
    )
    assert earned(made) == {"stamp": 1, "point": 15}


@pytest.mark.parametrize(
    ("per", "since", "until"),
    [("day", (2026, 11, 20, 23), (2026, 11, 21, 23)),
     ("week", (2026, 11, 15, 23), (2026, 11, 22, 23)),
     ("month", (2026, 10, 31, 23), (2026, 11, 30, 23)),
     ("year", (2025, 12, 31, 23), (2026, 12, 31, 23)),
     ("ever", (1970, 1, 1), (9000, 1, 1))],
)  # fmt: skip
def test_a_cap_counts_what_was_earned_in_its_period(
    per: Period, since: tuple[int, int, int], until: tuple[int, int, int]
) -> None:
    made = VisitRules(
        program(STAMP, PerVisit(id="p"), Cap(id="cap", unit="stamp", most=3, per=per))
    )
    bounds = made.bounds("corner", NOON)
    assert bounds is not None
    moments = [dt.datetime(*each, tzinfo=dt.UTC) for each in (since, until)]
    assert bounds.limits == (Limit("cap", "stamp", *moments),)
    assert bounds.velocity is None
    for used, units in ((0, ["stamp", "point"]), (2, ["stamp", "point"]), (3, ["point"])):
        entry = bounds.accrue(7, {"cap": used})
        assert entry is not None
        assert [lot.unit for lot in entry.opens] == units


def test_without_limits_there_is_nothing_to_hold_a_visit_against() -> None:
    other = Cap(id="points", most=3, per="day")
    assert VisitRules(program(STAMP, other)).bounds("corner", NOON) is None


def test_a_lot_waits_and_expires_as_its_unit_says() -> None:
    made = program(STAMP, PerVisit(id="p"), pending_days=14, expiry={"stamp": AfterDays(30)})
    entry = VisitRules(made).accrue(7, "corner", NOON)
    assert entry is not None
    stamp, point = entry.opens
    assert stamp.available_at == NOON + dt.timedelta(days=14)
    # The last usable day counts whole: midnight in Tirana after 21 December.
    assert stamp.expires_at == dt.datetime(2026, 12, 21, 23, tzinfo=dt.UTC)
    assert point.expires_at is None


def test_a_program_that_ended_gives_nothing_from_that_day_on() -> None:
    made = program(STAMP, sunset=Sunset(announced=dt.date(2026, 11, 21), notice_days=90))
    assert earned(made) == {}
    assert earned(made, NOON - dt.timedelta(days=1)) == {"stamp": 1}
