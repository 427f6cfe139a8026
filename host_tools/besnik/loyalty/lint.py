"""Refuses rules that nobody understands, and says why.

A member should be able to work out at the till what a purchase is worth. What stands in the
way is an error, and a program with errors does not start; what only needs an explanation,
which the text of the rule then gives, is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.membership import JoiningGift
from besnik.loyalty.periods import AfterDays, AfterMonths, Expiry, PeriodEnd
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import AmountOff, Reward
from besnik.loyalty.rules import (
    WHOLE_BP,
    BaseRule,
    Multiplier,
    PerAmount,
    Rule,
    RuleError,
    RuleSet,
    SpendThreshold,
    TenderBonus,
    When,
)
from besnik.loyalty.texts.catalogue import Count, Message, Money, Names, Value, say

MOST_STAGES: Final = 2
MOST_CONDITIONS: Final = 2
LEAST_DAYS: Final = 14
_DAYS_A_MONTH: Final = 28

Code = Literal[
    "rate", "step", "rounding", "chain", "conditions", "expiry", "pending", "unearned", "readings"
]


class Finding(msgspec.Struct, frozen=True):
    """What is hard to understand, and where: ``subject`` is the id of a rule, reward or unit."""

    code: Code
    subject: str
    message: Message
    severity: Literal["error", "warning"] = "error"


def check(program: Program) -> list[Finding]:
    """Return everything in the newest rules and the rewards that a member cannot follow."""
    findings: list[Finding] = []
    for rules in program.rule_sets[-1:]:
        for rule in rules.rules:
            findings += _rule(rule, program)
        findings += _chains(rules, program)
    for reward in program.rewards:
        findings += _reward(reward, program)
    for unit, expiry in program.expiry.items():
        findings += _expiry(unit, expiry, program.pending_days)
    return findings


def refuse(program: Program) -> None:
    """Raise RuleError with every error in plain English; warnings pass."""
    errors = [finding for finding in check(program) if finding.severity == "error"]
    if errors:
        raise RuleError(" ".join(say(finding.message, "en") for finding in errors))


def _rule(rule: Rule, program: Program) -> Iterator[Finding]:
    if isinstance(rule, PerAmount):
        if not _countable(rule.per_minor, program):
            per = Money(rule.per_minor, program.currency)
            yield _finding("step", rule.id, {"rule": rule.id, "per": per})
        if rule.rounding == "half_even":
            yield _finding("rounding", rule.id, {"rule": rule.id})
        if rule.above_minor:
            yield _finding("readings", rule.id, {"rule": rule.id}, "warning")
    if isinstance(rule, SpendThreshold) and not _countable(rule.each_minor, program):
        per = Money(rule.each_minor, program.currency)
        yield _finding("step", rule.id, {"rule": rule.id, "per": per})
    conditions = _conditions(rule.when) + (isinstance(rule, PerAmount) and bool(rule.above_minor))
    if conditions > MOST_CONDITIONS:
        values: dict[str, Value] = {"rule": rule.id, "conditions": Count(conditions, "condition")}
        yield _finding("conditions", rule.id, values)


def _conditions(when: When) -> int:
    dated = when.first_day is not None or when.last_day is not None
    return dated + sum(
        bool(named) for named in (when.shops, when.channels, when.weekdays, when.levels)
    )


def _chains(rules: RuleSet, program: Program) -> Iterator[Finding]:
    """Find units whose result takes more calculations than one can follow."""
    for unit in {rule.unit for rule in rules.rules if isinstance(rule, BaseRule)}:
        tiers = program.tiers
        multiplied = (
            tiers is not None
            and tiers.unit == unit
            and any(tier.times_bp > WHOLE_BP for tier in tiers.tiers)
        )
        more = [
            rule
            for rule in rules.rules
            if rule.unit == unit and isinstance(rule, Multiplier | TenderBonus)
        ]
        kinds = {type(rule) for rule in more}
        stages = 1 + multiplied + len(kinds)
        if stages > MOST_STAGES:
            values: dict[str, Value] = {"rule": more[-1].id, "stages": Count(stages, "stage")}
            yield _finding("chain", more[-1].id, values)


def _reward(reward: Reward, program: Program) -> Iterator[Finding]:
    earned = {rule.unit for rules in program.rule_sets[-1:] for rule in rules.rules}
    gift: JoiningGift | None = program.joining_gift
    if gift is not None:
        earned.add(gift.unit)
    if reward.cost and reward.unit not in earned:
        yield _finding("unearned", reward.id, {"title": Names((reward.title,))})
    if isinstance(reward.kind, AmountOff) and reward.cost:
        whole = reward.kind.amount_minor % reward.cost == 0
        if not whole and not _round(reward.cost):
            cost = Count(reward.cost, reward.unit)
            yield _finding("rate", reward.id, {"rule": reward.id, "cost": cost})


def _expiry(unit: Unit, expiry: Expiry, pending_days: int) -> Iterator[Finding]:
    shortest = _shortest(expiry)
    if shortest is None:
        return
    names = Names((unit,))
    if shortest < pending_days:
        yield _finding("pending", unit, {"names": names})
    if shortest < LEAST_DAYS:
        values: dict[str, Value] = {
            "names": names,
            "days": Count(shortest, "day"),
            "least": Count(LEAST_DAYS, "day"),
        }
        yield _finding("expiry", unit, values)


def _shortest(expiry: Expiry) -> int | None:
    """Return for how many days what is earned on the worst day can be used after it."""
    if isinstance(expiry, AfterDays):
        return expiry.days
    if isinstance(expiry, AfterMonths):
        return expiry.months * _DAYS_A_MONTH
    return expiry.grace_days if isinstance(expiry, PeriodEnd) else None


def _countable(amount_minor: int, program: Program) -> bool:
    """Tell whether people count in this amount: whole units of money, or a round part of one."""
    one = 10**program.currency.exponent
    return amount_minor % one == 0 or (amount_minor < one and _round(amount_minor))


def _round(number: int) -> bool:
    """Tell whether a number is 1, 2, 2.5 or 5 with zeros behind it."""
    while number % 10 == 0:
        number //= 10
    return number in (1, 2, 5, 25)


def _finding(
    code: Code,
    subject: str,
    values: Mapping[str, Value],
    severity: Literal["error", "warning"] = "error",
) -> Finding:
    return Finding(code, subject, Message(f"lint_{code}", values), severity)
