"""The ledger in the database: locked, decided by `besnik.loyalty`, written in one transaction.

``with writing(program, [member]) as books:`` is the only way anything but a visit gets into it;
``wallet`` and ``balances_of`` read without locks, and ``once`` does a repeated request once.
"""

from __future__ import annotations

from besnik.store.books.book import Books, Posted, writing
from besnik.store.books.read import balances_of, later, members_of, wallet, written
from besnik.store.books.request import Answer, once
from besnik.store.books.undo import reverse

__all__ = [
    "Answer",
    "Books",
    "Posted",
    "balances_of",
    "later",
    "members_of",
    "once",
    "reverse",
    "wallet",
    "writing",
    "written",
]
