"""What can be done to a member's lots: each function returns the entry that does it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from besnik.loyalty.ledger import (
    BURNED,
    EXPIRED,
    HELD,
    MAIN,
    Entry,
    EntryKind,
    Move,
    NewLot,
    Part,
    Posting,
    RefusedError,
    Unit,
    Written,
)
from besnik.loyalty.lots import InsufficientError, Lot, free, spendable, take


def accrue(
    program: int,
    lot: NewLot,
    *,
    source: str = MAIN,
    kind: EntryKind = "accrue",
    reason: str = "",
) -> Entry:
    """Return the entry that opens ``lot`` for its member, given by the account ``source``."""
    _positive(lot.amount)
    postings = (
        Posting(lot.member, lot.unit, lot.amount),
        Posting(None, lot.unit, -lot.amount, source),
    )
    return Entry(program, kind, postings, opens=(lot,), reason=reason)


def redeem(
    program: int,
    lots: Sequence[Lot],
    amount: int,
    at: dt.datetime,
    *,
    to: str = BURNED,
    reason: str = "",
) -> Entry:
    """Return the entry that spends ``amount`` of one member's ``lots`` of one unit.

    InsufficientError if the lots that are available and not expired hold less.
    """
    _positive(amount)
    taken = take(lots, amount, at)
    postings = (
        Posting(taken[0][0].opened.member, taken[0][0].opened.unit, -amount),
        Posting(None, taken[0][0].opened.unit, amount, to),
    )
    return Entry(program, "redeem", postings, moves=_shift(taken, "spent"), reason=reason)


def overdraw(
    program: int, lots: Sequence[Lot], wanted: NewLot, limit: int, reason: str = "off line"
) -> Entry:
    """Return the entry for what was already handed out off line: ``wanted.amount`` is spent.

    What the lots do not hold becomes an overdraft of at most ``limit``, else InsufficientError.
    """
    amount, at = wanted.amount, wanted.opened_at
    _positive(amount)
    there = min(amount, sum(part for _, part in spendable(lots, at)))
    short = amount - there
    if short > limit:
        raise InsufficientError(amount, there + limit)
    debt = msgspec.structs.replace(wanted, amount=-short, expires_at=None)
    return Entry(
        program,
        "redeem",
        (
            Posting(wanted.member, wanted.unit, -amount),
            Posting(None, wanted.unit, amount, BURNED),
        ),
        opens=(debt,) if short else (),
        moves=_shift(take(lots, there, at), "spent"),
        reason=reason,
    )


def hold(program: int, lots: Sequence[Lot], amount: int, at: dt.datetime) -> Entry:
    """Return the entry that reserves ``amount`` for a sale that is not paid yet."""
    _positive(amount)
    taken = take(lots, amount, at)
    member, unit = taken[0][0].opened.member, taken[0][0].opened.unit
    postings = (Posting(member, unit, -amount), Posting(member, unit, amount, HELD))
    return Entry(program, "hold", postings, moves=_shift(taken, "held"))


def commit(held: Written, later: Sequence[Written], *, to: str = BURNED) -> Entry:
    """Return the entry that spends what ``held`` reserved.

    ``later`` are the entries that refer to it. RefusedError if nothing is reserved any more.
    """
    member, unit, rest = _outstanding(held, later)
    amount = sum(rest.values())
    return Entry(
        held.entry.program,
        "commit",
        (Posting(member, unit, -amount, HELD), Posting(None, unit, amount, to)),
        moves=_settle(rest, "spent"),
        refers_to=held.id,
    )


def release(held: Written, later: Sequence[Written], reason: str = "") -> Entry:
    """Return the entry that gives what ``held`` reserved back to the same lots.

    ``later`` are the entries that refer to it. RefusedError if nothing is reserved any more.
    """
    member, unit, rest = _outstanding(held, later)
    amount = sum(rest.values())
    return Entry(
        held.entry.program,
        "release",
        (Posting(member, unit, -amount, HELD), Posting(member, unit, amount)),
        moves=_settle(rest, "main"),
        refers_to=held.id,
        reason=reason,
    )


def expire(
    program: int, lots: Sequence[Lot], at: dt.datetime, *, everything: bool = False
) -> Entry | None:
    """Return the entry that expires what has run out of one member's lots of one unit, if any.

    What covers a debt is kept. ``everything`` expires all that is free, because the program has
    ended or the member was idle too long; what is held has to be settled first.
    """
    gone = [(lot, part) for lot, part in free(lots, at) if part and (everything or lot.over(at))]
    if not gone:
        return None
    amount = sum(part for _, part in gone)
    opened = gone[0][0].opened
    postings = (
        Posting(opened.member, opened.unit, -amount),
        Posting(None, opened.unit, amount, EXPIRED),
    )
    reason = "breakage" if everything else ""
    return Entry(program, "expire", postings, moves=_shift(gone, "expired"), reason=reason)


def transfer(
    program: int, lots: Sequence[Lot], to_member: int, amount: int, at: dt.datetime
) -> Entry:
    """Return the entry that gives ``amount`` to another member; each lot keeps its expiry."""
    _positive(amount)
    taken = take(lots, amount, at)
    giver, unit = taken[0][0].opened.member, taken[0][0].opened.unit
    if giver == to_member:
        raise RefusedError("points cannot be transferred to the member who has them")
    opens = tuple(
        NewLot(to_member, unit, part, lot.opened.opened_at, at, lot.opened.expires_at)
        for lot, part in taken
    )
    postings = (Posting(giver, unit, -amount), Posting(to_member, unit, amount))
    return Entry(program, "transfer", postings, opens=opens, moves=_shift(taken, "spent"))


def _positive(amount: int) -> None:
    if amount <= 0:
        raise RefusedError(f"an amount is 1 or more, not {amount}")


def _shift(taken: Sequence[tuple[Lot, int]], part: Part) -> tuple[Move, ...]:
    return tuple(
        move
        for lot, amount in taken
        for move in (Move(lot.id, "main", -amount), Move(lot.id, part, amount))
    )


def _settle(rest: Mapping[int, int], part: Part) -> tuple[Move, ...]:
    return tuple(
        move
        for lot, amount in rest.items()
        for move in (Move(lot, "held", -amount), Move(lot, part, amount))
    )


def _outstanding(held: Written, later: Sequence[Written]) -> tuple[int, Unit, dict[int, int]]:
    """Return member, unit, and how much of which lot ``held`` still reserves."""
    if held.entry.kind != "hold":
        raise RefusedError(f"entry {held.id} is no hold but a {held.entry.kind}")
    rest: Counter[int] = Counter()
    for written in (held, *later):
        for move in written.moves:
            if move.part == "held":
                rest[move.lot] += move.amount
    open_lots = {lot: amount for lot, amount in rest.items() if amount}
    if not open_lots:
        raise RefusedError(f"hold {held.id} was settled or released before")
    (reserved,) = (posting for posting in held.entry.postings if posting.account == HELD)
    assert reserved.member is not None
    return reserved.member, reserved.unit, open_lots
