"""A program at work: sales of members through engine, entries and a journal."""

from __future__ import annotations

import datetime as dt

from besnik.loyalty import operations
from besnik.loyalty.accrual import (
    Accrual,
    accrue_gift,
    accrue_sale,
    carry_unit,
    refund_threshold,
    settle_threshold,
)
from besnik.loyalty.engine import Standing
from besnik.loyalty.journal import Journal, Posted
from besnik.loyalty.ledger import Written
from besnik.loyalty.lots import Balances, Lot, balances
from besnik.loyalty.program import Program
from besnik.loyalty.reversal import reverse
from besnik.loyalty.rules import SpendThreshold
from besnik.loyalty.sale import Line, Sale, Tender, simple_sale
from besnik.loyalty.templates import Basis

ANNA, BEN = 1, 2
BASIS = Basis(3, "Test", dt.date(2026, 1, 1))
NOON = dt.datetime(2026, 6, 1, 10, tzinfo=dt.UTC)


def receipt(*amounts_minor: int, tender: str = "cash", at: dt.datetime = NOON) -> Sale:
    """Return a sale with one line for each amount, ids from "1" on."""
    lines = tuple(Line(str(place), amount) for place, amount in enumerate(amounts_minor, 1))
    return Sale(at, lines, (Tender(tender, sum(amounts_minor)),))


class Shop:
    """One program, its journal, and what its till does."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.journal = Journal()

    def accrue(self, sale: Sale, member: int = ANNA, standing: Standing | None = None) -> Accrual:
        """Return what a sale would earn, without writing it: the preview."""
        lots = {
            unit: self.journal.lots_of(member, unit)
            for unit in {lot.opened.unit for lot in self.journal.lots.values()}
        }
        return accrue_sale(self.program, member, sale, standing or Standing(), lots)

    def sell(
        self,
        sale: Sale | int,
        member: int = ANNA,
        *,
        standing: Standing | None = None,
        key: str | None = None,
    ) -> Posted:
        """Write a sale (or an amount in minor units at noon) under a key."""
        if isinstance(sale, int):
            sale = simple_sale(sale, NOON)
        accrual = self.accrue(sale, member, standing)
        assert accrual.entry is not None
        entry = accrual.entry
        return self.journal.post(
            key or f"sale-{len(self.journal.entries)}", [member, sale], lambda: entry
        )

    def have(self, unit: str = "point", member: int = ANNA, at: dt.datetime = NOON) -> int:
        """Return what a member can spend."""
        return self.shown(unit, member, at).active

    def shown(self, unit: str = "point", member: int = ANNA, at: dt.datetime = NOON) -> Balances:
        """Return a member's balances."""
        return balances(self.journal.lots_of(member, unit), at)

    def redeem(
        self, amount: int, unit: str = "point", member: int = ANNA, at: dt.datetime = NOON
    ) -> Written:
        """Spend."""
        lots = self.journal.lots_of(member, unit)
        return self.journal.append(operations.redeem(self.program.id, lots, amount, at))

    def undo(self, written: Written, amounts: dict[str, int] | None = None) -> Written:
        """Reverse an entry, or some of it, and settle what thresholds then are due."""
        later = self.journal.later(written.id)
        done = self.journal.append(reverse(written, later, self.journal.lots, amounts=amounts))
        for rule, wallet in self._thresholds():
            due = settle_threshold(self.program, ANNA, rule, wallet, NOON)
            if due is not None:
                self.journal.append(due)
        return done

    def refund_threshold(self, sold: Written, amount_minor: int) -> None:
        """Refund part of a sale under the program's one spend threshold."""
        ((rule, wallet),) = self._thresholds()
        entry = refund_threshold(self.program, ANNA, rule, amount_minor, wallet, NOON, sold.id)
        assert entry is not None
        self.journal.append(entry)

    def _thresholds(self) -> list[tuple[SpendThreshold, dict[str, list[Lot]]]]:
        """Return the program's spend thresholds, each with Anna's lots that it moves."""
        rules = [rule for version in self.program.rule_sets for rule in version.rules]
        return [
            (
                rule,
                {unit: self.journal.lots_of(ANNA, unit) for unit in (rule.unit, carry_unit(rule))},
            )
            for rule in rules
            if isinstance(rule, SpendThreshold)
        ]

    def join(self, person: str, member: int = ANNA) -> Posted:
        """Give the joining gift to a person."""
        gift = self.program.joining_gift
        assert gift is not None
        entry = accrue_gift(self.program, member, gift, NOON)
        return self.journal.post(gift.key(self.program.id, person), person, lambda: entry)
