"""What a shop's records say of its readers and of how far a roll-out is with each."""

from __future__ import annotations

from typing import NamedTuple

from support.store import execute, rows

# How far an update is that has ended, whichever way; 100 is a release that is loaded.
ENDED = 130
_FAR = {"waiting": -1, "told": 0, "ready": 105, "trying": 115}


class Standing(NamedTuple):
    """What the shop's records say of a reader, None where they say nothing yet.

    ``boot`` counts its starts, ``update`` is how far a roll-out is with it.
    """

    state: str | None
    boot: int | None
    firmware: str | None
    update: str | None
    percent: int | None

    @property
    def how_far(self) -> int:
        """Return how far the update is: -1 not begun, percents while it loads, then more."""
        if self.update == "loading":
            return self.percent or 0
        return _FAR.get(self.update or "waiting", ENDED)


def look(url: str) -> dict[str, Standing]:
    """Return what the records say of each reader, by its id."""
    query = (
        "SELECT slug, state.state, state.boot, firmware, rollout.state, percent"
        " FROM store_reader reader"
        " LEFT JOIN store_readerstate state ON state.reader_id = reader.id"
        " LEFT JOIN store_readerinfo info ON info.reader_id = reader.id"
        " LEFT JOIN store_rolloutreader rollout ON rollout.reader_id = reader.id"
    )
    return {slug: Standing(*rest) for slug, *rest in rows(url, query)}


def taps(url: str) -> dict[str, int]:
    """Return how many taps of each reader were answered."""
    query = (
        "SELECT slug, count(*) FROM store_tap JOIN store_reader reader ON reader.id = reader_id"
        " GROUP BY slug"
    )
    return {slug: int(count) for slug, count in rows(url, query)}


def enter_readers(url: str, count: int) -> None:
    """Let the shop have so many readers, counter-1, counter-2 …"""
    for number in range(2, count + 1):
        execute(
            url,
            "INSERT INTO store_reader (shop_id, till_id, slug, name) SELECT shop_id, till_id,"
            f" 'counter-{number}', '{number}' FROM store_reader WHERE slug = 'counter-1'",
        )
