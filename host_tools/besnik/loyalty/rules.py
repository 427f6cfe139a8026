"""The rules of a program as data: what a sale gives, from which day, in which shops.

A rule set is one version; it is never changed, the next version follows it. ``engine.py``
computes what a rule gives and ``text.py`` says it in words, both from the same object.
Amounts of money are minor units; shares are basis points (10 000 is the whole).
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from besnik.loyalty.ledger import Unit

Reading = Literal["excess", "gate"]
Rounding = Literal["floor", "half_up", "half_even", "ceil"]
Period = Literal["sale", "day", "week", "month", "year", "ever"]
Stage = Literal["base", "tier", "campaign", "tender", "cap"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WHOLE_BP = 10_000
# Beyond any real figure, and far from what a 64-bit column holds even after multiplying.
MOST = 10**9
MOST_BP = 1_000_000
MOST_DAYS = 36_500


class RuleError(ValueError):
    """A rule or program that makes no sense; the text says what to change."""


class When(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a rule holds: all that is set must be true. Days are the program's own, inclusive.

    ``shops`` and ``channels`` are ids of shops and of ways to sell ("online", a partner);
    ``levels`` the tiers held before the sale.
    """

    first_day: dt.date | None = None
    last_day: dt.date | None = None
    shops: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    levels: tuple[int, ...] = ()


ALWAYS = When()


class _Rule(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    id: str
    unit: Unit = "point"
    when: When = ALWAYS


class PerAmount(_Rule, frozen=True, tag="per_amount", kw_only=True):
    """``give`` for each whole ``per_minor`` of what the sale's lines cost.

    ``above_minor`` with reading "excess": only what is above it counts; with "gate": from it
    on, everything counts. ``rounding`` makes the number of steps whole.
    """

    give: int = 1
    per_minor: int
    above_minor: int = 0
    reading: Reading = "excess"
    rounding: Rounding = "floor"
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within(f"rule {self.id}", 1, give=self.give, per_minor=self.per_minor)
        within(f"rule {self.id}", 0, above_minor=self.above_minor)


class PerVisit(_Rule, frozen=True, tag="per_visit", kw_only=True):
    """``give`` for a sale of at least ``from_minor``, however large."""

    give: int = 1
    from_minor: int = 0

    def __post_init__(self) -> None:
        within(f"rule {self.id}", 1, give=self.give)
        within(f"rule {self.id}", 0, from_minor=self.from_minor)


class PerItem(_Rule, frozen=True, tag="per_item", kw_only=True):
    """``give`` for each item sold of ``categories``; of any if there are none."""

    give: int = 1
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within(f"rule {self.id}", 1, give=self.give)


class SpendThreshold(_Rule, frozen=True, tag="spend_threshold", kw_only=True):
    """``give`` each time ``each_minor`` has been spent; the rest is carried to the next sale."""

    unit: Unit = "item"
    give: int = 1
    each_minor: int
    carry_over: bool = True

    def __post_init__(self) -> None:
        within(f"rule {self.id}", 1, give=self.give, each_minor=self.each_minor)


class TenderBonus(_Rule, frozen=True, tag="tender_bonus", kw_only=True):
    """``give`` more for each whole ``per_earned`` if all of the sale is paid with ``tender``."""

    tender: str
    give: int = 1
    per_earned: int = 2

    def __post_init__(self) -> None:
        within(f"rule {self.id}", 1, give=self.give, per_earned=self.per_earned)


class Multiplier(_Rule, frozen=True, tag="multiplier", kw_only=True):
    """What the base rules gave, times ``times_bp`` (15 000: one and a half), rounded down."""

    times_bp: int

    def __post_init__(self) -> None:
        within(f"rule {self.id}", WHOLE_BP, MOST_BP, times_bp=self.times_bp)


class Cap(_Rule, frozen=True, tag="cap", kw_only=True):
    """At most ``most`` a member and ``per``, whatever the other rules give."""

    most: int
    per: Period = "sale"

    def __post_init__(self) -> None:
        within(f"rule {self.id}", 0, most=self.most)


Rule = PerAmount | PerVisit | PerItem | SpendThreshold | TenderBonus | Multiplier | Cap
BaseRule = PerAmount | PerVisit | PerItem


class RuleSet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a program's earning rules, in force on its days.

    ``base``: of several base rules of one unit all count, or the best. ``campaigns``: of
    several multipliers the best counts, or they multiply. ``order`` is the order of stages;
    a stage that is left out is not applied.
    """

    version: int
    first_day: dt.date
    last_day: dt.date | None = None
    rules: tuple[Rule, ...] = ()
    base: Literal["sum", "best"] = "sum"
    campaigns: Literal["best", "product"] = "best"
    order: tuple[Stage, ...] = ("base", "tier", "campaign", "tender", "cap")

    def __post_init__(self) -> None:
        ids = [rule.id for rule in self.rules]
        if len(set(ids)) != len(ids):
            raise RuleError("two rules have the same id: give each its own")
        if len(set(self.order)) != len(self.order) or self.order[:1] != ("base",):
            raise RuleError("the order starts with base and names each stage once")
        if self.last_day is not None and self.last_day < self.first_day:
            raise RuleError("the last day is before the first")


def in_force(rule_sets: tuple[RuleSet, ...], day: dt.date) -> RuleSet | None:
    """Return the newest version in force on ``day`` (the program's own), if any."""
    found = [
        rules
        for rules in rule_sets
        if rules.first_day <= day and (rules.last_day is None or day <= rules.last_day)
    ]
    return max(found, key=lambda rules: (rules.first_day, rules.version), default=None)


def within(subject: str, least: int, most: int = MOST, /, **values: int) -> None:
    """Raise RuleError unless each value is ``least`` to ``most``; ``subject`` says whose it is."""
    for name, value in values.items():
        if not least <= value <= most:
            raise RuleError(f"{subject}: {name} is {least} to {most}, not {value}")
