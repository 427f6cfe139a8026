"""One rule in plain words, from the object that the engine computes with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from besnik.loyalty.ledger import Unit
from besnik.loyalty.program import Program
from besnik.loyalty.rules import (
    Cap,
    Multiplier,
    PerAmount,
    PerItem,
    PerVisit,
    Rule,
    SpendThreshold,
    TenderBonus,
    When,
)
from besnik.loyalty.texts.catalogue import Count, Factor, Message, Money, Names, Value


def rule_text(rule: Rule, program: Program) -> list[Message]:
    """Return one rule in words: what it gives, how it is rounded, when it holds."""
    return [*_SAY[type(rule)](rule, program), *_conditions(rule.when, program)]


def amount_of(unit: Unit, amount: int, program: Program) -> Count | Money:
    """Return an amount of a unit; a unit of money is the program's currency."""
    return Money(amount, program.currency) if unit == program.currency.code else Count(amount, unit)


def _per_amount(rule: PerAmount, program: Program) -> list[Message]:
    per = Money(rule.per_minor, program.currency)
    give = amount_of(rule.unit, rule.give, program)
    if rule.above_minor:
        above = Money(rule.above_minor, program.currency)
        first = Message(f"per_amount_{rule.reading}", {"give": give, "per": per, "above": above})
    else:
        first = Message("per_amount", {"give": give, "per": per})
    return [
        first,
        Message(f"rounding_{rule.rounding}", {"per": per}),
        *_categories(rule.categories),
    ]


def _per_visit(rule: PerVisit, program: Program) -> list[Message]:
    give = amount_of(rule.unit, rule.give, program)
    if not rule.from_minor:
        return [Message("per_visit", {"give": give})]
    least = Money(rule.from_minor, program.currency)
    return [Message("per_visit_from", {"give": give, "least": least})]


def _per_item(rule: PerItem, program: Program) -> list[Message]:
    give = amount_of(rule.unit, rule.give, program)
    if not rule.categories:
        return [Message("per_item", {"give": give})]
    return [Message("per_item_of", {"give": give, "names": Names(rule.categories)})]


def _spend_threshold(rule: SpendThreshold, program: Program) -> list[Message]:
    values: dict[str, Value] = {
        "give": amount_of(rule.unit, rule.give, program),
        "each": Money(rule.each_minor, program.currency),
    }
    return [
        Message("spend_threshold", values),
        Message("carried" if rule.carry_over else "not_carried"),
    ]


def _tender_bonus(rule: TenderBonus, program: Program) -> list[Message]:
    values: dict[str, Value] = {
        "give": amount_of(rule.unit, rule.give, program),
        "per": amount_of(rule.unit, rule.per_earned, program),
        "names": Names((rule.tender,)),
    }
    return [Message("tender_bonus", values)]


def _multiplier(rule: Multiplier, _program: Program) -> list[Message]:
    return [Message("multiplier", {"times": Factor(rule.times_bp)})]


def _cap(rule: Cap, program: Program) -> list[Message]:
    return [Message(f"cap_{rule.per}", {"most": amount_of(rule.unit, rule.most, program)})]


_SAY: Final[Mapping[type, Callable[[Any, Program], list[Message]]]] = {
    PerAmount: _per_amount,
    PerVisit: _per_visit,
    PerItem: _per_item,
    SpendThreshold: _spend_threshold,
    TenderBonus: _tender_bonus,
    Multiplier: _multiplier,
    Cap: _cap,
}


def _conditions(when: When, program: Program) -> list[Message]:
    messages = []
    if when.first_day is not None:
        messages.append(Message("from_day", {"day": when.first_day}))
    if when.last_day is not None:
        messages.append(Message("until_day", {"day": when.last_day}))
    for id, names in (
        ("only_shops", when.shops),
        ("only_channels", when.channels),
        ("only_weekdays", when.weekdays),
        ("only_levels", _level_names(when, program)),
    ):
        if names:
            messages.append(Message(id, {"names": Names(tuple(names))}))
    return messages


def _level_names(when: When, program: Program) -> tuple[str, ...]:
    tiers = () if program.tiers is None else program.tiers.tiers
    return tuple(tiers[level].name if level < len(tiers) else str(level) for level in when.levels)


def _categories(names: tuple[str, ...]) -> list[Message]:
    return [Message("only_categories", {"names": Names(names)})] if names else []
