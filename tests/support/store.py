"""The bridge's database in tests: settings for a URL, and plain queries to look at it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from besnik.config import Config, Database
from besnik.store.database import connect_postgres, connect_sqlite, is_sqlite


def settings_for(url: str) -> Config:
    """Return settings that name the database and are otherwise the defaults."""
    return Config(database=Database(url=url))


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query, over a connection of its own."""
    settings = settings_for(url)
    connect = connect_sqlite if is_sqlite(url) else connect_postgres
    with closing(connect(settings)) as connection:
        return [tuple(row) for row in connection.execute(query).fetchall()]


def assert_ledger_adds_up(url: str) -> None:
    """Every entry sums to zero, every balance is the sum of its postings, taps are unique."""
    assert not rows(
        url,
        """SELECT entry_id, unit FROM store_posting posting
           JOIN store_account account ON account.id = posting.account_id
           GROUP BY entry_id, unit HAVING sum(amount) <> 0""",
    )
    assert not rows(
        url,
        """SELECT account.id FROM store_account account
           LEFT JOIN store_posting posting ON posting.account_id = account.id
           GROUP BY account.id, account.balance HAVING balance <> coalesce(sum(amount), 0)""",
    )
    assert not rows(
        url,
        """SELECT entry.id FROM store_entry entry
           LEFT JOIN store_posting posting ON posting.entry_id = entry.id
           GROUP BY entry.id HAVING count(posting.id) < 2""",
    )
    assert not rows(
        url,
        """SELECT tap.id FROM store_tap tap LEFT JOIN store_entry entry ON entry.tap_id = tap.id
           WHERE (tap.outcome = 'accepted') <> (entry.id IS NOT NULL)""",
    )
