"""Lots: which points are spent first, which are owed, and what a member can use now.

A lot may go below zero: what it earned was taken back after it was spent. Positive lots cover
that debt, those first that would be spent first, and only what is left over is free.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from besnik.loyalty.ledger import Move, NewLot, RefusedError

_NEVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)


class InsufficientError(RefusedError):
    """More was asked for than the member can spend now: ``active`` of the unit."""

    def __init__(self, wanted: int, active: int) -> None:
        super().__init__(f"{wanted} wanted, {active} can be spent now: ask for at most {active}")
        self.wanted, self.active = wanted, active


class Lot(msgspec.Struct, frozen=True):
    """Points of one unit with one expiry; ``amount`` as opened, the rest where they are now.

    main + held + spent + expired + what was taken back = amount. ``main`` may be negative.
    """

    id: int
    opened: NewLot
    main: int
    held: int = 0
    spent: int = 0
    expired: int = 0

    def pending(self, at: dt.datetime) -> bool:
        """Tell whether the lot is not available yet."""
        return at < self.opened.available_at

    def over(self, at: dt.datetime) -> bool:
        """Tell whether the lot's last usable moment has passed."""
        return self.opened.expires_at is not None and self.opened.expires_at <= at


class Balances(msgspec.Struct, frozen=True):
    """What a member has of one unit; all are zero or more.

    ``active`` can be spent now, ``pending`` later, ``reserved`` is held for a sale, ``spent``
    and ``expired`` are gone, ``negative`` is owed. active + pending - negative is the balance
    of the main account once what has run out has been expired.
    """

    active: int
    pending: int
    reserved: int
    spent: int
    expired: int
    negative: int


def moved(lots: Mapping[int, Lot], moves: Iterable[Move]) -> dict[int, Lot]:
    """Return the lots that ``moves`` change, as they are afterwards."""
    changed: dict[int, Lot] = {}
    for move in moves:
        lot = changed.get(move.lot) or lots[move.lot]
        if move.part == "main":
            lot = msgspec.structs.replace(lot, main=lot.main + move.amount)
        elif move.part == "held":
            lot = msgspec.structs.replace(lot, held=lot.held + move.amount)
        elif move.part == "spent":
            lot = msgspec.structs.replace(lot, spent=lot.spent + move.amount)
        else:
            lot = msgspec.structs.replace(lot, expired=lot.expired + move.amount)
        changed[move.lot] = lot
    return changed


def in_order(lots: Iterable[Lot]) -> list[Lot]:
    """Return the lots in the order they are spent: earliest expiry, then oldest."""
    return sorted(
        lots, key=lambda lot: (lot.opened.expires_at or _NEVER, lot.opened.opened_at, lot.id)
    )


def free(lots: Sequence[Lot], at: dt.datetime) -> Iterator[tuple[Lot, int]]:
    """Yield each positive lot, in order, with what no debt claims of it; pending lots last."""
    debt = -sum(lot.main for lot in lots if lot.main < 0)
    for lot in sorted(in_order(lots), key=lambda lot: lot.pending(at)):
        if lot.main > 0:
            claimed = min(lot.main, debt)
            debt -= claimed
            yield lot, lot.main - claimed


def spendable(lots: Sequence[Lot], at: dt.datetime) -> list[tuple[Lot, int]]:
    """Return the lots that can be spent at ``at``, in order, with how much of each."""
    return [
        (lot, amount)
        for lot, amount in free(lots, at)
        if amount and not lot.pending(at) and not lot.over(at)
    ]


def take(lots: Sequence[Lot], amount: int, at: dt.datetime) -> list[tuple[Lot, int]]:
    """Return which lots give ``amount``, and how much each. InsufficientError if they cannot."""
    taken = []
    missing = amount
    usable = spendable(lots, at)
    for lot, there in usable:
        if missing == 0:
            break
        taken.append((lot, min(there, missing)))
        missing -= taken[-1][1]
    if missing:
        raise InsufficientError(amount, sum(there for _, there in usable))
    return taken


def expiring(lots: Sequence[Lot], at: dt.datetime) -> list[tuple[dt.datetime, int]]:
    """Return every expiry to come, soonest first, with what it takes if nothing is spent."""
    sums: dict[dt.datetime, int] = {}
    for lot, amount in free(lots, at):
        until = lot.opened.expires_at
        if amount and until is not None and not lot.over(at):
            sums[until] = sums.get(until, 0) + amount
    return sorted(sums.items())


def balances(lots: Sequence[Lot], at: dt.datetime) -> Balances:
    """Return the balances of one member and unit at ``at``, whenever expiry ran last."""
    unclaimed = list(free(lots, at))
    run_out = sum(amount for lot, amount in unclaimed if lot.over(at))
    pending = sum(amount for lot, amount in unclaimed if lot.pending(at) and not lot.over(at))
    return Balances(
        active=sum(amount for _, amount in spendable(lots, at)),
        pending=pending,
        reserved=sum(lot.held for lot in lots),
        spent=sum(lot.spent for lot in lots),
        expired=sum(lot.expired for lot in lots) + run_out,
        negative=max(0, -sum(lot.main for lot in lots)),
    )
