"""The linter: what a member cannot follow is refused, with the reason in every language."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from besnik.loyalty.lint import check, refuse
from besnik.loyalty.periods import AfterDays, AfterMonths
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import Access, AmountOff, Reward
from besnik.loyalty.rules import (
    PerAmount,
    PerVisit,
    Rule,
    RuleError,
    RuleSet,
    SpendThreshold,
    TenderBonus,
    When,
)
from besnik.loyalty.templates import TEMPLATES, recognition
from besnik.loyalty.texts.catalogue import LANGUAGES, say
from besnik.loyalty.tiers import Tier, TierPlan
from support.shop import BASIS


def with_rules(*rules: Rule, **fields: object) -> Program:
    rule_sets = (RuleSet(version=1, first_day=dt.date(2026, 1, 1), rules=rules),)
    return msgspec.structs.replace(recognition(BASIS), rule_sets=rule_sets, **fields)


SILVER = TierPlan(
    tiers=(Tier(name="Red", threshold=0), Tier(name="Silver", threshold=500, times_bp=13_000))
)
SPEND = PerAmount(id="r", per_minor=100)


@pytest.mark.parametrize(
    ("code", "program"),
    [
        ("step", with_rules(PerAmount(id="r", per_minor=370))),
        ("step", with_rules(PerAmount(id="r", per_minor=30))),
        ("step", with_rules(SpendThreshold(id="r", each_minor=4_999))),
        ("rounding", with_rules(PerAmount(id="r", per_minor=100, rounding="half_even"))),
        (
            "chain",
            with_rules(SPEND, TenderBonus(id="k", tender="card"), tiers=SILVER),
        ),
        (
            "conditions",
            with_rules(PerVisit(id="r", when=When(shops=("a",), weekdays=("mon",), levels=(1,)))),
        ),
        (
            "conditions",
            with_rules(
                PerVisit(
                    id="r",
                    when=When(first_day=dt.date(2026, 6, 1), shops=("a",), weekdays=("mon",)),
                )
            ),
        ),
        ("expiry", with_rules(SPEND, expiry={"point": AfterDays(13)})),
        ("pending", with_rules(SPEND, expiry={"point": AfterMonths(1)}, pending_days=40)),
        (
            "unearned",
            with_rules(
                SPEND,
                rewards=(Reward(id="x", title="x", kind=Access(), cost=5, unit="stamp"),),
            ),
        ),
        (
            "rate",
            with_rules(SPEND, rewards=(Reward(id="x", title="x", kind=AmountOff(100), cost=14),)),
        ),
    ],
)
def test_what_nobody_can_follow_is_refused_in_every_language(code: str, program: Program) -> None:
    findings = check(program)
    assert {finding.code for finding in findings} == {code}
    for language in LANGUAGES:
        assert "{" not in say(findings[0].message, language)
    with pytest.raises(RuleError):
        refuse(program)


def test_two_readings_are_a_warning_only() -> None:
    program = with_rules(PerAmount(id="r", per_minor=100, above_minor=500))
    (finding,) = check(program)
    assert (finding.code, finding.severity) == ("readings", "warning")
    assert "{" not in say(finding.message, "fa")
    refuse(program)


@pytest.mark.parametrize("per_minor", [10, 20, 25, 50, 100, 300, 1_000])
def test_amounts_that_people_count_in_pass(per_minor: int) -> None:
    assert check(with_rules(PerAmount(id="r", per_minor=per_minor))) == []


@pytest.mark.parametrize(("cost", "off_minor"), [(50, 500), (100, 100), (200, 100), (7, 700)])
def test_prices_that_can_be_worked_out_pass(cost: int, off_minor: int) -> None:
    reward = Reward(id="x", title="x", kind=AmountOff(off_minor), cost=cost)
    assert check(with_rules(SPEND, rewards=(reward,))) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_understood(name: str) -> None:
    refuse(TEMPLATES[name](BASIS))
