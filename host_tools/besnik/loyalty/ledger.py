"""Double entry: whatever one account gains, another gives.

Amounts are whole numbers of their unit: points, stamps, or the minor unit of a currency.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

# "point", "status", "stamp", "item", "carry", or a currency code such as "EUR" for money.
Unit = str
EntryKind = Literal[
    "accrue",
    "adjust",
    "open",
    "redeem",
    "hold",
    "commit",
    "release",
    "expire",
    "transfer",
    "reverse",
    "reinstate",
]
Part = Literal["main", "held", "spent", "expired"]

# Accounts. A member has MAIN and HELD; a program all the others, and MAIN is what it has issued.
MAIN: Final = "main"
HELD: Final = "held"
BURNED: Final = "burned"
EXPIRED: Final = "expired"
ADJUSTED: Final = "adjusted"
OPENING: Final = "opening"


class RefusedError(ValueError):
    """What was asked cannot be done to the ledger as it is; nothing was changed."""


class Posting(msgspec.Struct, frozen=True):
    """An amount moved on one account; ``member`` None is the program's own account.

    ``account`` "main" is what a member can spend, or what the program has issued.
    """

    member: int | None
    unit: Unit
    amount: int
    account: str = MAIN


class NewLot(msgspec.Struct, frozen=True):
    """A lot that an entry opens: ``amount`` usable from ``available_at`` before ``expires_at``.

    Times are aware; ``expires_at`` None is never. A negative ``amount`` is an overdraft.
    """

    member: int
    unit: Unit
    amount: int
    opened_at: dt.datetime
    available_at: dt.datetime
    expires_at: dt.datetime | None = None


class Move(msgspec.Struct, frozen=True):
    """A change of one part of a lot that exists."""

    lot: int
    part: Part
    amount: int


class Entry(msgspec.Struct, frozen=True):
    """One thing that happens in a program's ledger.

    ``opens`` and ``moves`` say which lots the postings on members' accounts came from or went
    to. ``refers_to`` is the entry that this one undoes or settles.
    """

    program: int
    kind: EntryKind
    postings: tuple[Posting, ...]
    opens: tuple[NewLot, ...] = ()
    moves: tuple[Move, ...] = ()
    refers_to: int | None = None
    reason: str = ""


class Written(msgspec.Struct, frozen=True):
    """An entry as the ledger holds it; ``moves`` include those that filled the lots it opened."""

    id: int
    entry: Entry
    moves: tuple[Move, ...]


def balanced(postings: Iterable[Posting]) -> bool:
    """Tell whether the amounts sum to zero for each unit and none is an empty move."""
    sums: dict[str, int] = {}
    for posting in postings:
        amount = posting.amount
        if amount == 0:
            return False
        sums[posting.unit] = sums.get(posting.unit, 0) + amount
    return bool(sums) and not any(sums.values())
