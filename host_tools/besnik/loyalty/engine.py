"""What a sale earns: one engine for the till, the preview and the proof of the texts.

Stages run in the order that the rule set gives, by default: base rules, then the multiplier of
the tier held *before* the sale, then campaign multipliers, then the tender bonus (on what the
base rules alone gave), then caps. Every figure is whole; shares are rounded down.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from zoneinfo import ZoneInfo

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.rules import (
    WHOLE_BP,
    BaseRule,
    Cap,
    Multiplier,
    PerAmount,
    PerVisit,
    Rounding,
    Rule,
    RuleSet,
    SpendThreshold,
    Stage,
    TenderBonus,
    When,
)
from besnik.loyalty.sale import Sale
from besnik.loyalty.threshold import spend

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Standing(msgspec.Struct, frozen=True):
    """What the engine has to know of the member before the sale.

    ``level`` and ``tier_bp``: the tier held and its multiplier by unit. ``used``: what each cap
    (by rule id) has counted in its running period. ``carried_minor``: what each spend threshold
    (by rule id) carries.
    """

    level: int = 0
    tier_bp: Mapping[Unit, int] = msgspec.field(default_factory=dict)
    used: Mapping[str, int] = msgspec.field(default_factory=dict)
    carried_minor: Mapping[str, int] = msgspec.field(default_factory=dict)


class Part(msgspec.Struct, frozen=True):
    """What one rule added (or a cap took away, below zero); ``rule`` "tier" is the tier's."""

    rule: str
    unit: Unit
    amount: int


class Earned(msgspec.Struct, frozen=True):
    """What a sale earns, part by part; ``counted_minor`` by spend threshold's rule id."""

    parts: tuple[Part, ...]
    counted_minor: Mapping[str, int]

    @property
    def totals(self) -> dict[Unit, int]:
        """Return the sum by unit, without those that are zero."""
        return {unit: amount for unit, amount in _sums(self.parts).items() if amount}


def compute(rules: RuleSet, sale: Sale, standing: Standing, zone: ZoneInfo) -> Earned:
    """Return what ``sale`` earns a member; ``zone`` is the program's."""
    holding = [rule for rule in rules.rules if holds(rule.when, sale, standing.level, zone)]
    parts: list[Part] = []
    for stage in rules.order:
        parts += _stage(stage, rules, holding, sale, standing, parts)
    counted = {
        rule.id: sale.earning_minor() for rule in holding if isinstance(rule, SpendThreshold)
    }
    return Earned(tuple(part for part in parts if part.amount), counted)


def take_back(
    rules: RuleSet,
    sale: Sale,
    standing: Standing,
    zone: ZoneInfo,
    *,
    returned: Collection[str],
    earlier: Collection[str] = (),
) -> dict[Unit, int]:
    """Return what a refund of the lines ``returned`` takes back, after ``earlier`` refunds.

    It is what the sale earned less what it would have earned without these lines, so refunds
    of all lines in any order take back exactly all. Spend thresholds that carry over are not in
    it: see ``threshold.py``.
    """
    kept = sale.without({*earlier, *returned})
    before = compute(rules, sale.without(earlier), standing, zone)
    after = compute(rules, kept, standing, zone) if kept.lines else Earned((), {})
    carried = {
        rule.unit for rule in rules.rules if isinstance(rule, SpendThreshold) and rule.carry_over
    }
    lost = Counter(before.totals)
    lost.subtract(after.totals)
    return {unit: amount for unit, amount in lost.items() if amount > 0 and unit not in carried}


def holds(when: When, sale: Sale, level: int, zone: ZoneInfo) -> bool:
    """Tell whether a rule with this condition holds for the sale of a member of tier ``level``."""
    day = local_day(sale.at, zone)
    return (
        (when.first_day is None or when.first_day <= day)
        and (when.last_day is None or day <= when.last_day)
        and (not when.shops or sale.shop in when.shops)
        and (not when.channels or sale.channel in when.channels)
        and (not when.weekdays or _WEEKDAYS[day.weekday()] in when.weekdays)
        and (not when.levels or level in when.levels)
    )


def local_day(at: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the day on the program's calendar."""
    return at.astimezone(zone).date()


def _stage(
    stage: Stage,
    rules: RuleSet,
    holding: list[Rule],
    sale: Sale,
    standing: Standing,
    parts: list[Part],
) -> list[Part]:
    if stage == "base":
        return _base(rules, holding, sale, standing)
    if stage == "cap":
        return _caps(holding, standing, parts)
    base = {rule.id for rule in holding if isinstance(rule, BaseRule)}
    if stage == "tender":
        return _tenders(holding, sale, _sums(part for part in parts if part.rule in base))
    # What is given by a spend threshold is a thing: it is not multiplied.
    things = {rule.id for rule in holding if isinstance(rule, SpendThreshold)}
    sums = _sums(part for part in parts if part.rule not in things)
    if stage == "tier":
        return [
            Part("tier", unit, amount * standing.tier_bp.get(unit, WHOLE_BP) // WHOLE_BP - amount)
            for unit, amount in sums.items()
        ]
    return _campaigns(rules, holding, sums)


def _base(rules: RuleSet, holding: list[Rule], sale: Sale, standing: Standing) -> list[Part]:
    by_unit: dict[Unit, list[Part]] = {}
    thresholds: list[Part] = []
    for rule in holding:
        if isinstance(rule, BaseRule):
            by_unit.setdefault(rule.unit, []).append(Part(rule.id, rule.unit, _give(rule, sale)))
        elif isinstance(rule, SpendThreshold):
            counted = spend(rule, standing.carried_minor.get(rule.id, 0), sale.earning_minor())
            thresholds.append(Part(rule.id, rule.unit, counted.given))
    if rules.base == "best":
        best = (max(some, key=lambda part: part.amount) for some in by_unit.values())
        return [*best, *thresholds]
    return [*(part for some in by_unit.values() for part in some), *thresholds]


def _give(rule: BaseRule, sale: Sale) -> int:
    if isinstance(rule, PerAmount):
        amount = sale.earning_minor(rule.categories)
        if rule.reading == "excess":
            amount -= rule.above_minor
        elif amount < rule.above_minor:
            return 0
        return rule.give * steps(max(0, amount), rule.per_minor, rule.rounding)
    if isinstance(rule, PerVisit):
        # A visit without a sale counts; a receipt with nothing but rewards on it does not.
        counts = not sale.lines or bool(sale.earning())
        return rule.give if counts and sale.earning_minor() >= rule.from_minor else 0
    return rule.give * sum(line.quantity for line in sale.earning(rule.categories))


def steps(amount: int, per: int, rounding: Rounding) -> int:
    """Return ``amount`` / ``per`` (neither below zero) made whole."""
    whole, rest = divmod(amount, per)
    if rounding == "ceil":
        return whole + (rest > 0)
    if rounding == "half_up":
        return whole + (2 * rest >= per)
    if rounding == "half_even":
        return whole + (2 * rest > per or (2 * rest == per and whole % 2 == 1))
    return whole


def _campaigns(rules: RuleSet, holding: list[Rule], sums: Mapping[Unit, int]) -> list[Part]:
    parts = []
    for unit, amount in sums.items():
        multipliers = [r for r in holding if isinstance(r, Multiplier) and r.unit == unit]
        if rules.campaigns == "best" and multipliers:
            multipliers = [max(multipliers, key=lambda rule: rule.times_bp)]
        running = amount
        for rule in multipliers:
            more = running * rule.times_bp // WHOLE_BP - running
            running += more
            parts.append(Part(rule.id, unit, more))
    return parts


def _tenders(holding: list[Rule], sale: Sale, base: Mapping[Unit, int]) -> list[Part]:
    paid_with = {tender.kind for tender in sale.tenders}
    return [
        Part(rule.id, rule.unit, base.get(rule.unit, 0) // rule.per_earned * rule.give)
        for rule in holding
        if isinstance(rule, TenderBonus) and paid_with == {rule.tender}
    ]


def _caps(holding: list[Rule], standing: Standing, parts: list[Part]) -> list[Part]:
    sums = _sums(parts)
    cuts = []
    for rule in holding:
        if isinstance(rule, Cap):
            room = max(0, rule.most - standing.used.get(rule.id, 0))
            over = max(0, sums.get(rule.unit, 0) - room)
            sums[rule.unit] = sums.get(rule.unit, 0) - over
            cuts.append(Part(rule.id, rule.unit, -over))
    return cuts


def _sums(parts: Iterable[Part]) -> dict[Unit, int]:
    sums: Counter[Unit] = Counter()
    for part in parts:
        sums[part.unit] += part.amount
    return dict(sums)
