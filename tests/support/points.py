"""A journal at a till: one member, one unit, days instead of times."""

from __future__ import annotations

import datetime as dt
from itertools import count

from besnik.loyalty import operations
from besnik.loyalty.journal import Journal
from besnik.loyalty.ledger import Entry, NewLot, Written
from besnik.loyalty.lots import Balances, balances
from besnik.loyalty.reversal import reverse

PROGRAM = 3
ANNA, BEN = 1, 2
START = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def day(number: int) -> dt.datetime:
    """Return noon (UTC) of day ``number`` of 2026; 0 is 1 January."""
    return START + dt.timedelta(days=number)


class Points:
    """A journal with short words for what a till does to it."""

    def __init__(self, unit: str = "point") -> None:
        self.journal = Journal()
        self.unit = unit
        self._keys = count(1)

    def write(self, entry: Entry) -> Written:
        """Append an entry under a new key."""
        return self.journal.post(f"key-{next(self._keys)}", None, lambda: entry).written

    def earn(
        self,
        amount: int,
        on: int = 0,
        *,
        until: int | None = None,
        available: int | None = None,
        member: int = ANNA,
    ) -> Written:
        """Open a lot on day ``on``, usable from day ``available`` until day ``until``."""
        lot = NewLot(
            member,
            self.unit,
            amount,
            day(on),
            day(on if available is None else available),
            None if until is None else day(until),
        )
        return self.write(operations.accrue(PROGRAM, lot))

    def burn(self, amount: int, on: int = 0, member: int = ANNA) -> Written:
        """Spend on day ``on``."""
        lots = self.journal.lots_of(member, self.unit)
        return self.write(operations.redeem(PROGRAM, lots, amount, day(on)))

    def hold(self, amount: int, on: int = 0) -> Written:
        """Reserve on day ``on``."""
        lots = self.journal.lots_of(ANNA, self.unit)
        return self.write(operations.hold(PROGRAM, lots, amount, day(on)))

    def commit(self, held: Written) -> Written:
        """Spend what was reserved."""
        return self.write(operations.commit(held, self.journal.later(held.id)))

    def release(self, held: Written) -> Written:
        """Give back what was reserved."""
        return self.write(operations.release(held, self.journal.later(held.id)))

    def expire(self, on: int, member: int = ANNA) -> Written | None:
        """Run expiry on day ``on``."""
        lots = self.journal.lots_of(member, self.unit)
        entry = operations.expire(PROGRAM, lots, day(on))
        return None if entry is None else self.write(entry)

    def give(self, amount: int, on: int = 0, to: int = BEN) -> Written:
        """Transfer Anna's points."""
        lots = self.journal.lots_of(ANNA, self.unit)
        return self.write(operations.transfer(PROGRAM, lots, to, amount, day(on)))

    def undo(self, written: Written, amount: int | None = None, on: int = 0) -> Written:
        """Reverse an entry, or ``amount`` of it, after what ran out until day ``on`` expired."""
        for member in (ANNA, BEN):
            self.expire(on, member)
        later = self.journal.later(written.id)
        amounts = None if amount is None else {self.unit: amount}
        return self.write(reverse(written, later, self.journal.lots, amounts=amounts))

    def balances(self, on: int = 0, member: int = ANNA) -> Balances:
        """Return the balances on day ``on``."""
        return balances(self.journal.lots_of(member, self.unit), day(on))

    def account(self, member: int | None = ANNA, account: str = "main") -> int:
        """Return what an account's postings come to."""
        return self.journal.balance(PROGRAM, member, self.unit, account)
