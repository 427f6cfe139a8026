"""What SQLite knows of taps and cards when a batch is judged and written."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Collection, Iterable
from typing import Final

from besnik.loyalty.visits import Limit
from besnik.store.counters import CardCounter
from besnik.store.hot import Recorded, TapKey
from besnik.store.many import Many
from besnik.store.pending import UNOWNED_FOR, AnswerKey
from besnik.store.sqlite_writing import moment

_FIRSTS: Final = Many(
    """
    SELECT json_group_array(json_array(
        tap.reader_id, tap.tap_id, tap.outcome, tap.reason, member.ref))
    FROM {rows} sought CROSS JOIN store_tap tap
      ON tap.reader_id = sought.column1 AND tap.tap_id = sought.column2
    LEFT JOIN store_member member ON member.id = tap.member_id""",
    width=2,
)
# A tap alone takes half the time without the table and the array.
_FIRST: Final = """
    SELECT tap.reader_id, tap.tap_id, tap.outcome, tap.reason, member.ref
    FROM store_tap tap LEFT JOIN store_member member ON member.id = tap.member_id
    WHERE tap.reader_id = ? AND tap.tap_id = ?"""
_COUNTER: Final = "SELECT counter FROM store_card WHERE id = ?"
_USED: Final = "SELECT 1 FROM store_tap WHERE card_id = ? AND counter = ? LIMIT 1"
_EARNINGS: Final = """
    SELECT entry.occurred_at
    FROM store_account account
    CROSS JOIN store_posting posting ON posting.account_id = account.id AND posting.amount > 0
    CROSS JOIN store_entry entry ON entry.id = posting.entry_id AND entry.kind = 'accrue'
    CROSS JOIN store_tap tap ON tap.id = entry.tap_id AND tap.card_id = ?
    WHERE account.member_id = ? AND account.unit = ? AND account.account = 'main'
    AND entry.occurred_at > ?"""
_GIVEN: Final = """
    SELECT coalesce(sum(posting.amount), 0)
    FROM store_account account
    CROSS JOIN store_posting posting ON posting.account_id = account.id
    CROSS JOIN store_entry entry ON entry.id = posting.entry_id AND entry.kind = 'accrue'
    WHERE account.member_id = ? AND account.unit = ? AND account.account = 'main'
    AND entry.occurred_at >= ? AND entry.occurred_at < ?"""
_UNOWNED: Final = """
    SELECT 1 FROM store_reader reader JOIN store_shop shop ON shop.id = reader.shop_id
    JOIN store_crmanswer answer ON answer.program_id = shop.program_id AND answer.card = ?
    WHERE reader.id = ? AND answer.fetched_at > ?"""


class SqliteCards:
    """See CardRows; within an immediate transaction nobody else writes."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def highest(self, cards: Collection[int]) -> dict[int, int | None]:
        """See CardRows."""
        return {card: self._cursor.execute(_COUNTER, (card,)).fetchone()[0] for card in cards}

    def written(self, keys: Collection[TapKey]) -> set[TapKey]:
        """See CardRows."""
        return set(recorded(self._cursor, keys))

    def used(self, counters: Collection[CardCounter]) -> set[CardCounter]:
        """See CardRows."""
        return {pair for pair in counters if self._cursor.execute(_USED, pair).fetchone()}

    def earnings(
        self, card: int, member: int, unit: str, since: dt.datetime
    ) -> Iterable[dt.datetime]:
        """See CardRows."""
        for (at,) in self._cursor.execute(_EARNINGS, (card, member, unit, moment(since))):
            yield dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)

    def given(self, member: int, limit: Limit) -> int:
        """See CardRows."""
        span = member, limit.unit, moment(limit.since), moment(limit.until)
        return int(self._cursor.execute(_GIVEN, span).fetchone()[0])

    def unowned(self, keys: Collection[AnswerKey], now: dt.datetime) -> set[AnswerKey]:
        """See AnswerRows."""
        since = moment(now - UNOWNED_FOR)
        return {
            (reader, card)
            for reader, card in keys
            if self._cursor.execute(_UNOWNED, (card, reader, since)).fetchone()
        }


def recorded(cursor: sqlite3.Cursor, keys: Collection[TapKey]) -> dict[TapKey, Recorded]:
    """Return the verdicts of those of the taps that were written before."""
    if len(keys) == 1:
        [key] = keys
        rows = cursor.execute(_FIRST, key).fetchall()
    else:
        rows = _FIRSTS.read(cursor, list(keys))
    return {(row[0], row[1]): Recorded(row[2], row[3], row[4], repeat=True) for row in rows}
