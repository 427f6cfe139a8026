"""Programs to begin with: a shop picks one and changes the figures.

Where what is known of a program can be read in two ways, the reading is an argument.
Amounts are in the minor unit of the program's currency.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from besnik.loyalty.membership import JoiningGift, PaidPlan
from besnik.loyalty.money import Currency
from besnik.loyalty.periods import AfterMonths, PeriodEnd
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import AmountOff, FreeItem, Reward
from besnik.loyalty.rules import (
    PerAmount,
    PerItem,
    Reading,
    Rule,
    RuleSet,
    SpendThreshold,
    TenderBonus,
)
from besnik.loyalty.tiers import CalendarWindow, Tier, TierPlan

Model = Literal["stamps", "points", "tiers", "paid", "recognition"]


class Basis(msgspec.Struct, frozen=True):
    """Whose program it is, and from which day its rules hold."""

    id: int
    name: str
    first_day: dt.date
    currency: str = "EUR"
    zone: str = "Europe/Tirane"


def cafe_stamps(basis: Basis, stamps: int = 10) -> Program:
    """A stamp for each coffee; a full card of ``stamps`` is a free one."""
    return _program(
        basis,
        PerItem(id="coffee", unit="stamp", categories=("coffee",)),
        rewards=(
            Reward(
                id="free-coffee",
                title="free coffee",
                kind=FreeItem(categories=("coffee",)),
                cost=stamps,
                unit="stamp",
            ),
        ),
    )


def savings(basis: Basis) -> Program:
    """A point for each whole euro; 50 points are 5 euro off, and 10 points for joining."""
    return _program(
        basis,
        PerAmount(id="spend", per_minor=100),
        rewards=(Reward(id="five-off", title="5 off", kind=AmountOff(500), cost=50),),
        joining_gift=JoiningGift(10),
        expiry={"point": AfterMonths(24)},
    )


def boloco(basis: Basis) -> Program:
    """Any one item for each 50 spent, whatever it costs; the rest is carried over."""
    return _program(
        basis,
        SpendThreshold(id="fifty", each_minor=5_000),
        rewards=(Reward(id="any-item", title="any item", kind=FreeItem(), cost=1, unit="item"),),
    )


def fidaty(basis: Basis, reading: Reading) -> Program:
    """2 points per euro above 5 euro: of the excess only, or of everything from 5 euro on."""
    return _program(
        basis,
        PerAmount(id="spend", give=2, per_minor=100, above_minor=500, reading=reading),
        expiry={"point": PeriodEnd(months=12, grace_days=31)},
    )


def coop_euro(basis: Basis) -> Program:
    """A point per euro in every shop and on line; one more for each two with the house card."""
    return _program(
        basis,
        PerAmount(id="spend", per_minor=100),
        TenderBonus(id="house-card", tender="house_card", per_earned=2),
        expiry={"point": PeriodEnd(months=12, grace_days=31)},
    )


def airline(basis: Basis, reading: Literal["A", "B"]) -> Program:
    """Miles, and status points beside them: silver earns 30 % (A) or 50 % (B) more, gold 60 or
    100 %.
    """
    silver_bp, gold_bp = {"A": (13_000, 16_000), "B": (15_000, 20_000)}[reading]
    tiers = (
        Tier(name="Red", threshold=0, benefits=("car hire", "parking", "hotel discounts")),
        Tier(
            name="Silver", threshold=500, times_bp=silver_bp, benefits=("fast check-in", "priority")
        ),
        Tier(
            name="Gold",
            threshold=1_500,
            times_bp=gold_bp,
            benefits=("fast check-in", "priority", "lounges", "snack", "massage"),
        ),
    )
    return _program(
        basis,
        PerAmount(id="miles", per_minor=100),
        PerAmount(id="status", unit="status", per_minor=100),
        tiers=TierPlan(tiers=tiers, measure="status", window=CalendarWindow(12)),
    )


def paid_vip(basis: Basis, fee_minor: int = 6_000) -> Program:
    """Free delivery for a year, for a fee; nothing is collected."""
    return _program(basis, paid=PaidPlan(fee_minor=fee_minor, benefits=("free delivery",)))


def recognition(basis: Basis) -> Program:
    """No points and no discounts: the shop knows its regulars."""
    return _program(basis)


TEMPLATES: Final[Mapping[str, Callable[[Basis], Program]]] = {
    "cafe_stamps": cafe_stamps,
    "savings": savings,
    "boloco": boloco,
    "fidaty_excess": lambda basis: fidaty(basis, "excess"),
    "fidaty_gate": lambda basis: fidaty(basis, "gate"),
    "coop_euro": coop_euro,
    "airline_a": lambda basis: airline(basis, "A"),
    "airline_b": lambda basis: airline(basis, "B"),
    "paid_vip": paid_vip,
    "recognition": recognition,
}

# Which model fits a trade to begin with; the interval between purchases overrules it.
TRADES: Final[Mapping[str, Model]] = {
    "cafe": "stamps",
    "bakery": "stamps",
    "hairdresser": "stamps",
    "grocery": "points",
    "pharmacy": "points",
    "hotel": "tiers",
    "airline": "tiers",
    "car dealer": "tiers",
    "web shop": "paid",
}
_FREQUENT_DAYS: Final = 45


def advise(interval_days: int) -> tuple[Model, ...]:
    """Return the models that suit customers who buy every ``interval_days``, best first."""
    return ("points", "stamps") if interval_days <= _FREQUENT_DAYS else ("tiers", "paid")


def _program(basis: Basis, *rules: Rule, **fields: object) -> Program:
    sets = (RuleSet(version=1, first_day=basis.first_day, rules=rules),) if rules else ()
    return msgspec.convert(
        {
            "id": basis.id,
            "name": basis.name,
            "currency": Currency.named(basis.currency),
            "zone": basis.zone,
            "rule_sets": sets,
            **fields,
        },
        Program,
    )
