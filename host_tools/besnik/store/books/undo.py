"""Taking an entry back in the database: what has run out expires first, so that the moment at
which the nightly run came makes no difference (`besnik.loyalty.reversal`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from besnik.loyalty import operations, reversal
from besnik.loyalty.ledger import Unit
from besnik.store.books.book import Books, Posted, Ref


def reverse(
    books: Books,
    entry: int,
    *,
    at: dt.datetime,
    source: str,
    amounts: Mapping[Unit, int] | None = None,
    reason: str = "",
    staff: Ref = None,
    sale: Ref = None,
    key: str = "",
) -> Posted:
    """Undo ``entry``, or ``amounts`` of it by unit, and return the entry that does it.

    ``books`` has locked all of `members_of` (entry). AlreadyReversedError if less is left than is
    asked for; RefusedError for an entry that cannot be undone.
    """
    expire(books, at)
    target, after = books.written(entry), books.later(entry)
    lots = books.lots_of([target, *after])
    undone = reversal.reverse(target, after, lots, amounts=amounts, reason=reason)
    return books.post(undone, at=at, source=source, staff=staff, sale=sale, key=key)


def expire(books: Books, at: dt.datetime) -> None:
    """Expire what has run out of the locked members' lots at ``at``."""
    gone = [
        entry
        for units in books.wallets().values()
        for lots in units.values()
        if (entry := operations.expire(books.program, lots, at)) is not None
    ]
    if gone:
        books.post_all(gone, at=at, source="job")
