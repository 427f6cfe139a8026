"""Readers, members, cards and old taps for a benchmark, put into SQLite by plain SQL."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Final

from support.store import execute, open_raw

# Card n has the UID that `load/readers.c` gives it: 04 and six bytes of n.
_NUMBERS: Final = """
    WITH RECURSIVE number (value) AS (
        SELECT {first} UNION ALL SELECT value + 1 FROM number WHERE value < {last}
    ) """
_MEMBERS: Final = """
    INSERT INTO store_member (program_id, ref, name, language, created_at)
    SELECT 1, printf('b%011d', value), printf('Member %d', value), 'en', '2026-01-01 00:00:00'
    FROM number"""
_CARDS: Final = """
    INSERT INTO store_card (program_id, member_id, kind, data, state, created_at)
    SELECT 1, member.id, 'uid', printf('04%012X', value), 'active', member.created_at
    FROM number CROSS JOIN store_member member ON member.ref = printf('b%011d', value)"""
# An old tap n is of card n * 7919, modulo the cards, and came ten seconds after the one before.
_TAPS: Final = """
    INSERT INTO store_tap (reader_id, tap_id, kind, data, card_id, member_id, tier, outcome, reason,
        finding, read_at, clock_quality, queued, received_at)
    SELECT (SELECT min(id) FROM store_reader), printf('%05d-%06d', 50000 + value / 999999,
        value % 999999), 'uid', card.data, card.id, card.member_id, 'D', 'accepted', 'ok', '',
        1600000000 + 10 * value, 2, 0, datetime(1600000000 + 10 * value, 'unixepoch')
    FROM number CROSS JOIN store_card card ON card.id = {card} + value * 7919 % {cards}"""
_ENTRIES: Final = """
    INSERT INTO store_entry (program_id, kind, tap_id, created_at)
    SELECT 1, 'accrue', id, received_at FROM store_tap
    WHERE id > (SELECT coalesce(max(tap_id), 0) FROM store_entry)"""
_ACCOUNTS: Final = """
    INSERT OR IGNORE INTO store_account (program_id, member_id, unit, balance)
    SELECT DISTINCT 1, member_id, 'stamp', 0 FROM store_card"""
_POSTINGS: Final = """
    INSERT INTO store_posting (entry_id, account_id, amount)
    SELECT entry.id, account.id, 1 FROM store_entry entry
    JOIN store_tap tap ON tap.id = entry.tap_id
    JOIN store_account account ON account.member_id = tap.member_id AND account.unit = 'stamp'
    WHERE entry.id > (SELECT coalesce(max(entry_id), 0) FROM store_posting)"""
_INDEXES: Final = """
    SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    AND tbl_name IN ('store_tap', 'store_entry', 'store_posting')"""


def add_readers(url: str, slugs: Iterable[str]) -> None:
    """Add readers to the demo shop's till."""
    values = ", ".join(f"('{slug}')" for slug in slugs)
    execute(
        url,
        f"WITH new (slug) AS (VALUES {values}) "
        "INSERT INTO store_reader (shop_id, till_id, slug, name) "
        "SELECT till.shop_id, till.id, new.slug, new.slug FROM new, store_till till",
    )


def add_cards(url: str, first: int, last: int) -> None:
    """Add the members and cards of the numbers ``first`` to ``last``."""
    for statement in (_MEMBERS, _CARDS):
        execute(url, (_NUMBERS + statement).format(first=first, last=last))


def add_taps(url: str, first: int, last: int) -> None:
    """Add old taps of all cards with their entries, and the members' side of their postings.

    The indexes are made anew afterwards, which takes less than to keep them. The balances do not
    follow.
    """
    with closing(open_raw(url)) as connection:
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-500000"):
            connection.execute(f"PRAGMA {pragma}")
        cards, card = connection.execute(
            "SELECT count(*), min(id) FROM store_card WHERE data LIKE '04____________'"
        ).fetchone()
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(
            (_NUMBERS + _TAPS).format(first=first, last=last, cards=cards, card=card)
        )
        for statement in (_ENTRIES, _ACCOUNTS, _POSTINGS):
            connection.execute(statement)
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
