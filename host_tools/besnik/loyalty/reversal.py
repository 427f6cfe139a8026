"""Taking back what an entry did: the same lots, whatever happened to them meanwhile.

Points that were earned, spent and then taken back leave their lot below zero; points that
expired meanwhile are taken from what expired. Whoever reverses expires the same member's lots
first: then it makes no difference when expiry ran. An entry can be undone once, in parts or
whole, and a reversal can itself be undone once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from besnik.loyalty.ledger import (
    EXPIRED,
    MAIN,
    Entry,
    EntryKind,
    Move,
    Posting,
    RefusedError,
    Unit,
    Written,
)
from besnik.loyalty.lots import Lot

# A hold is released, and what has expired stays so: goodwill gives it anew.
_FINAL: Final = frozenset({"hold", "release", "expire", "reinstate"})
_OWN: Final = frozenset({"main", "held", "expired"})


class AlreadyReversedError(RefusedError):
    """Nothing of the entry is left to be taken back."""


def reverse(
    target: Written,
    later: Sequence[Written],
    lots: Mapping[int, Lot],
    *,
    amounts: Mapping[Unit, int] | None = None,
    reason: str = "",
) -> Entry:
    """Return the entry that undoes ``target``, or ``amounts`` of it by unit.

    ``later``: the entries that refer to ``target``, and those that refer to these. ``lots``:
    the lots that all their moves name, as they are now. AlreadyReversedError if less is left than
    asked; RefusedError for an entry that cannot be undone.
    """
    if target.entry.kind in _FINAL:
        raise RefusedError(f"entry {target.id} is a {target.entry.kind}: it cannot be reversed")
    if target.entry.kind == "transfer" and amounts is not None:
        raise RefusedError("a transfer is reversed whole")
    family = (target, *later)
    undo = _undo(family, lots, amounts)
    if not any(undo.values()):
        raise AlreadyReversedError(f"entry {target.id} was reversed before")
    moves = tuple(_moves(undo, _sums(family, {"spent"}), lots))
    kind: EntryKind = "reinstate" if target.entry.kind == "reverse" else "reverse"
    postings = tuple(_postings(family, moves, lots))
    return Entry(
        target.entry.program, kind, postings, moves=moves, refers_to=target.id, reason=reason
    )


def left(target: Written, later: Sequence[Written], lots: Mapping[int, Lot]) -> dict[Unit, int]:
    """Return how much of ``target`` can still be undone, by unit."""
    sums: Counter[Unit] = Counter()
    for lot, amount in _sums((target, *later), _OWN).items():
        sums[lots[lot].opened.unit] += amount
    return {unit: abs(amount) for unit, amount in sums.items() if amount}


def _sums(family: Iterable[Written], parts: Iterable[str]) -> Counter[int]:
    """Return by lot what the entries together did to ``parts`` of it."""
    sums: Counter[int] = Counter()
    for written in family:
        for move in written.moves:
            if move.part in parts:
                sums[move.lot] += move.amount
    return sums


def _undo(
    family: Sequence[Written], lots: Mapping[int, Lot], amounts: Mapping[Unit, int] | None
) -> dict[int, int]:
    """Return by lot what its owner is given (or taken, below zero); last drawn comes first."""
    whole = {lot: -amount for lot, amount in _sums(family, _OWN).items() if amount}
    if amounts is None:
        return whole
    undo: dict[int, int] = {}
    for unit, wanted in amounts.items():
        missing = wanted
        total = sum(amount for lot, amount in whole.items() if lots[lot].opened.unit == unit)
        for lot, amount in reversed(whole.items()):
            # A lot that moved the other way is not what was given (or taken) here.
            if lots[lot].opened.unit == unit and amount * total > 0:
                part = min(missing, abs(amount))
                undo[lot] = part if amount > 0 else -part
                missing -= part
        if missing or wanted < 0:
            raise AlreadyReversedError(
                f"{wanted} {unit} cannot be taken back: {wanted - missing} left"
            )
    return {lot: amount for lot, amount in undo.items() if amount}


def _moves(
    undo: Mapping[int, int], spent: Mapping[int, int], lots: Mapping[int, Lot]
) -> Iterable[Move]:
    for lot, amount in undo.items():
        main, expired = amount, 0
        if amount < 0:
            # First what is there, then what has expired, and the rest is owed.
            there = max(0, lots[lot].main)
            expired = max(amount + there, -lots[lot].expired) if amount + there < 0 else 0
            main = amount - expired
        back = -amount if spent[lot] else 0
        moves = (Move(lot, "main", main), Move(lot, "expired", expired), Move(lot, "spent", back))
        yield from (move for move in moves if move.amount)


def _postings(
    family: Sequence[Written], moves: Sequence[Move], lots: Mapping[int, Lot]
) -> Iterable[Posting]:
    members: Counter[tuple[int, Unit]] = Counter()
    program: Counter[tuple[Unit, str]] = Counter()
    # The target's word counts before that of later entries, which may have moved units that it did
    # not: a refund takes back the stamp for which another sale paid the rest.
    giver = {
        posting.unit: posting.account
        for written in reversed(family)
        for posting in written.entry.postings
        if posting.member is None and posting.account != EXPIRED
    }
    for move in moves:
        opened = lots[move.lot].opened
        if move.part == "main":
            members[opened.member, opened.unit] += move.amount
        elif move.part == "expired":
            program[opened.unit, EXPIRED] += move.amount
    for move in moves:
        unit = lots[move.lot].opened.unit
        if move.part in _OWN and unit in giver:
            program[unit, giver[unit]] -= move.amount
    for (member, unit), amount in members.items():
        if amount:
            yield Posting(member, unit, amount, MAIN)
    for (unit, account), amount in program.items():
        if amount:
            yield Posting(None, unit, amount, account)
