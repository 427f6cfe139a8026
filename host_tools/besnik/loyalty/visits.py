"""What a visit earns at the reader: a card was held to it, and no sale is known (yet).

It is what the engine gives for a sale without lines: rules by visit count, with tier, campaigns
and the caps of one sale; what needs an amount gives nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from besnik.loyalty.engine import Standing, compute
from besnik.loyalty.guards import Velocity
from besnik.loyalty.ledger import Entry, NewLot, Posting, Unit
from besnik.loyalty.periods import expires_at
from besnik.loyalty.program import Program
from besnik.loyalty.sale import Sale
from besnik.loyalty.tiers import TierPlan

_REMEMBERED: Final = 256


class _Gift(msgspec.Struct, frozen=True):
    unit: Unit
    amount: int
    expires_at: dt.datetime | None


class VisitRules:
    """What visits earn by one version of a program; what a day gives is worked out once.

    ``program`` is the program's row, ``velocity`` how fast one card may earn.
    """

    def __init__(self, program: Program) -> None:
        self.program: Final = program.id
        self.velocity: Final[Velocity | None] = program.velocity
        self._rules = program
        self._zone = program.tz
        self._pending = dt.timedelta(days=program.pending_days)
        self._gifts: dict[tuple[str, int, dt.date], tuple[_Gift, ...]] = {}

    def accrue(self, member: int, shop: str, at: dt.datetime, level: int = 0) -> Entry | None:
        """Return the balanced entry that a visit of ``member`` in ``shop`` (its slug) earns.

        ``at`` is aware; ``level`` is the member's tier. None if the visit earns nothing.
        """
        key = shop, level, at.astimezone(self._zone).date()
        gifts = self._gifts.get(key)
        if gifts is None:
            if len(self._gifts) >= _REMEMBERED:
                self._gifts.clear()
            gifts = self._gifts[key] = self._worked_out(shop, level, at)
        if not gifts:
            return None
        available_at = at + self._pending
        postings: list[Posting] = []
        for gift in gifts:
            postings.append(Posting(member, gift.unit, gift.amount))
            postings.append(Posting(None, gift.unit, -gift.amount))
        opens = tuple(
            [
                NewLot(member, gift.unit, gift.amount, at, available_at, gift.expires_at)
                for gift in gifts
            ]
        )
        return Entry(self.program, "accrue", tuple(postings), opens=opens)

    def _worked_out(self, shop: str, level: int, at: dt.datetime) -> tuple[_Gift, ...]:
        rules = self._rules.rules_at(at)
        if rules is None:
            return ()
        visit = Sale(at, lines=(), shop=shop)
        earned = compute(rules, visit, _standing(self._rules.tiers, level), self._zone)
        return tuple(
            _Gift(unit, amount, expires_at(self._rules.expiry_of(unit), at, self._zone))
            for unit, amount in earned.totals.items()
        )


def _standing(plan: TierPlan | None, level: int) -> Standing:
    if plan is None or level >= len(plan.tiers):
        return Standing()
    return Standing(level, {plan.unit: plan.tiers[level].times_bp})
