"""A ledger in memory: append only, checked at each entry, and the same after a replay.

The preview of a program on past sales runs on it, and so do the tests; a shop's own ledger is
in the database, which keeps the same entries and lots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from besnik.loyalty.idempotency import Remembered, digest, recall
from besnik.loyalty.ledger import (
    EXPIRED,
    HELD,
    MAIN,
    Entry,
    Move,
    Posting,
    RefusedError,
    Unit,
    Written,
    balanced,
)
from besnik.loyalty.lots import Lot, moved

AccountKey = tuple[int, int | None, Unit, str]  # program, member, unit, account


class Posted(msgspec.Struct, frozen=True):
    """The entry that a key made; ``repeat`` if it had been made before."""

    written: Written
    repeat: bool = False


class Journal:
    """The entries of some programs, with the lots and account balances they come to."""

    def __init__(self) -> None:
        self.entries: list[Written] = []
        self.lots: dict[int, Lot] = {}
        self.accounts: Counter[AccountKey] = Counter()
        self._answers: dict[str, Remembered[Written]] = {}
        self._owned: dict[tuple[int, Unit], list[int]] = {}
        self._about: dict[int, list[int]] = {}

    @classmethod
    def replay(cls, entries: Iterable[Entry]) -> Journal:
        """Return the journal that ``entries`` make in their order; keys are not remembered."""
        journal = cls()
        for entry in entries:
            journal.append(entry)
        return journal

    def post(self, key: str, payload: object, make: Callable[[], Entry]) -> Posted:
        """Append the entry that ``make`` returns, once per ``key``.

        The same key with the same payload gets the first answer; KeyConflictError with another one.
        What ``make`` raises passes through and leaves the key unused.
        """
        known = recall(self._answers.get(key), payload)
        if known is not None:
            return Posted(known, repeat=True)
        written = self.append(make())
        self._answers[key] = Remembered(digest(payload), written)
        return Posted(written)

    def append(self, entry: Entry) -> Written:
        """Append an entry; RefusedError if its postings and lots do not agree."""
        first = len(self.lots) + 1
        opened = {
            first + place: Lot(first + place, new, 0) for place, new in enumerate(entry.opens)
        }
        filling = tuple(Move(lot.id, "main", lot.opened.amount) for lot in opened.values())
        moves = (*entry.moves, *filling)
        check(entry, moves, {**opened, **{move.lot: self.lots[move.lot] for move in entry.moves}})
        written = Written(len(self.entries) + 1, entry, moves)
        for lot in opened.values():
            self._owned.setdefault((lot.opened.member, lot.opened.unit), []).append(lot.id)
        self.lots |= opened
        self.lots |= moved(self.lots, moves)
        for posting in entry.postings:
            owner = (entry.program, posting.member, posting.unit, posting.account)
            self.accounts[owner] += posting.amount
        if entry.refers_to is not None:
            self._about.setdefault(entry.refers_to, []).append(written.id)
        self.entries.append(written)
        return written

    def lots_of(self, member: int, unit: Unit) -> list[Lot]:
        """Return the lots of a member and unit, oldest entry first."""
        return [self.lots[lot] for lot in self._owned.get((member, unit), ())]

    def later(self, entry: int) -> list[Written]:
        """Return the entries that refer to ``entry``, and those that refer to these."""
        found: list[Written] = []
        for other in self._about.get(entry, ()):
            found += [self.entries[other - 1], *self.later(other)]
        return found

    def balance(self, program: int, member: int | None, unit: Unit, account: str = MAIN) -> int:
        """Return the sum of an account's postings."""
        return self.accounts[program, member, unit, account]


def check(entry: Entry, moves: Sequence[Move], lots: dict[int, Lot]) -> None:
    """Raise RefusedError unless the entry is balanced and its lots move as its postings say."""
    if not balanced(entry.postings):
        raise RefusedError(f"the postings of this {entry.kind} do not sum to zero for each unit")
    sums: Counter[tuple[int | None, Unit, str]] = Counter()
    for posting in entry.postings:
        if posting.member is not None or posting.account == EXPIRED:
            sums[_key(posting)] += posting.amount
    for move in moves:
        opened = lots[move.lot].opened
        if move.part == "expired":
            sums[None, opened.unit, EXPIRED] -= move.amount
        elif move.part != "spent":
            account = MAIN if move.part == "main" else HELD
            sums[opened.member, opened.unit, account] -= move.amount
    wrong = [key for key, amount in sums.items() if amount]
    if wrong:
        raise RefusedError(f"the lots of this {entry.kind} do not agree with accounts {wrong}")


def _key(posting: Posting) -> tuple[int | None, Unit, str]:
    return posting.member, posting.unit, posting.account
