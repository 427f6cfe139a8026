"""Double entry: whatever one account gains, another gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

import msgspec

Unit = Literal["stamp"]
EntryKind = Literal["accrue"]


class Posting(msgspec.Struct, frozen=True):
    """An amount moved on one account; ``member`` None is the program's own account."""

    member: int | None
    unit: Unit
    amount: int


class Entry(msgspec.Struct, frozen=True):
    """One thing that happens in a program's ledger."""

    program: int
    kind: EntryKind
    postings: tuple[Posting, ...]


def balanced(postings: Iterable[Posting]) -> bool:
    """Tell whether the amounts sum to zero for each unit and none is an empty move."""
    sums: defaultdict[str, int] = defaultdict(int)
    for posting in postings:
        if posting.amount == 0:
            return False
        sums[posting.unit] += posting.amount
    return bool(sums) and not any(sums.values())
