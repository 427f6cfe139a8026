"""Readers, members and cards for a benchmark, put into SQLite by plain SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from support.store import execute

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
