"""The bridge's database in tests: settings for a URL, and plain queries to look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from besnik.config import Config, Database
from besnik.store.database import connect_postgres, connect_sqlite, is_sqlite


def settings_for(url: str) -> Config:
    """Return settings that name the database and are otherwise the defaults."""
    return Config(database=Database(url=url))


def open_raw(url: str) -> Any:
    """Open a connection in autocommit mode: sqlite3's or psycopg's."""
    connect = connect_sqlite if is_sqlite(url) else connect_postgres
    return connect(settings_for(url))


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query, over a connection of its own."""
    with closing(open_raw(url)) as connection:
        return [tuple(row) for row in connection.execute(query).fetchall()]


def assert_ledger_adds_up(url: str, *, each_earns: bool = True) -> None:
    """Every entry sums to zero, every balance is that of its postings and lots.

    Every tap that was accepted, and no other, has an entry; without ``each_earns`` some have none.
    """
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
        """SELECT account.id FROM store_account account
           LEFT JOIN store_lot lot ON lot.member_id = account.member_id AND lot.unit = account.unit
           WHERE account.member_id IS NOT NULL AND account.account IN ('main', 'held')
           GROUP BY account.id, account.account, account.balance HAVING balance <>
           coalesce(sum(CASE account.account WHEN 'main' THEN lot.main ELSE lot.held END), 0)""",
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
           WHERE tap.outcome <> 'accepted' AND entry.id IS NOT NULL"""
        + (" OR tap.outcome = 'accepted' AND entry.id IS NULL" if each_earns else ""),
    )


def execute(url: str, statement: str) -> None:
    """Run one statement, over a connection of its own."""
    with closing(open_raw(url)) as connection:
        connection.execute(statement)


def connect_crm(url: str, adapter: str, *, breaker: str = "closed", why: str = "") -> None:
    """Let the demo's program have another CRM that is on, with nobody who speaks with it."""
    execute(
        url,
        "INSERT INTO store_crmsource (program_id, adapter, settings, place, numbering, fields,"
        " offered, is_on, delivered_to, breaker, why, asked) "
        f"SELECT program_id, '{adapter}', '{{}}', '{{}}', '{{}}', '[]', '[]', true, 0, '{breaker}',"
        f" '{why}', 0 FROM store_shop WHERE slug = 'corner'",
    )


def give_card(url: str, kind: str, uid: str, name: str, state: str = "active") -> None:
    """Give a member one more card."""
    execute(
        url,
        "INSERT INTO store_card (program_id, member_id, kind, data, state, created_at) "
        f"SELECT program_id, id, '{kind}', '{uid}', '{state}', created_at "
        f"FROM store_member WHERE name = '{name}'",
    )


@contextmanager
def locked_taps(url: str) -> Iterator[None]:
    """Within this context nobody can write a tap: commits wait, and none of them succeeds."""
    with closing(open_raw(url)) as connection:
        if is_sqlite(url):
            connection.execute("BEGIN IMMEDIATE")
            yield
        else:
            connection.execute("BEGIN")
            connection.execute("LOCK TABLE store_tap IN SHARE MODE")
            yield
            # The server would finish what waits, even for a client that is dead.
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        connection.execute("ROLLBACK")


@contextmanager
def without_taps_table(url: str) -> Iterator[None]:
    """Within this context the database is of no use to the bridge."""
    with without_table(url, "store_tap"):
        yield


@contextmanager
def without_table(url: str, table: str) -> Iterator[None]:
    """Within this context the database lacks a table."""
    execute(url, f"ALTER TABLE {table} RENAME TO hidden")
    yield
    execute(url, f"ALTER TABLE hidden RENAME TO {table}")


def refuse_taps_of(url: str, uid: str) -> None:
    """Make the database refuse taps of one card, as a fault in our own statements would."""
    if is_sqlite(url):
        execute(
            url,
            f"CREATE TRIGGER refuse BEFORE INSERT ON store_tap WHEN NEW.data = '{uid}' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
    else:
        execute(url, f"ALTER TABLE store_tap ADD CHECK (data <> '{uid}')")
