"""Cards for a shop under fire: one for each presentation, so that each can be counted."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from besnik.store.database import is_sqlite
from support.counter import Counter
from support.store import open_raw

LOADS: Final = ("load-1", "load-2")
MEMBER: Final = "Ana Hoxha"


def cards(count: int) -> list[tuple[str, str]]:
    """Return keys and UIDs of so many cards; they differ in their first three bytes."""
    return [(f"c{number:04d}", f"04{number:04X}C4D5AA80") for number in range(count)]


def prepare(counter: Counter, url: str, count: int) -> list[tuple[str, str]]:
    """Give the counter and a member so many cards, and the shop the load readers."""
    made = cards(count)
    counter.hold({"key": key, "label": key, "uid": uid} for key, uid in made)
    mark = "?" if is_sqlite(url) else "%s"
    with closing(open_raw(url)) as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        cursor.executemany(
            "INSERT INTO store_card (program_id, member_id, kind, data, state, created_at) SELECT "
            f"program_id, id, 'uid', {mark}, 'active', created_at FROM store_member "
            f"WHERE name = '{MEMBER}'",
            [(uid,) for _, uid in made],
        )
        cursor.executemany(
            f"INSERT INTO store_reader (shop_id, till_id, slug, name) SELECT shop_id, till_id, "
            f"{mark}, 'Load' FROM store_reader WHERE slug = 'counter-1'",
            [(slug,) for slug in LOADS],
        )
        cursor.execute("COMMIT")
    return made
