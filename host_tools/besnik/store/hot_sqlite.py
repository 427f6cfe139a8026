"""The bridge's statements for SQLite: one immediate transaction a batch."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from besnik.loyalty.ledger import Entry
from besnik.loyalty.program import Rules
from besnik.store.counters import CardCounter, judge, raised
from besnik.store.hot import (
    TABLES,
    CardKey,
    DecidedTap,
    KnownCard,
    KnownReader,
    Recorded,
    TapKey,
    first_of_each,
    verdicts,
)


def _insert(table: str) -> str:
    columns = TABLES[table]
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"


_READER: Final = """
    SELECT reader.id, shop.slug, program.id, program.stamps_per_visit
    FROM store_reader reader
    JOIN store_shop shop ON shop.id = reader.shop_id
    JOIN store_program program ON program.id = shop.program_id
    WHERE reader.slug = ?"""
_CARD: Final = """
    SELECT card.id, member.id, member.ref, card.state
    FROM store_card card JOIN store_member member ON member.id = card.member_id
    WHERE card.program_id = ? AND card.kind = ? AND card.data = ?"""
_FIRST: Final = """
    SELECT tap.outcome, tap.reason, member.ref
    FROM store_tap tap LEFT JOIN store_member member ON member.id = tap.member_id
    WHERE tap.reader_id = ? AND tap.tap_id = ?"""
_COUNTER: Final = "SELECT counter FROM store_card WHERE id = ?"
_USED: Final = "SELECT 1 FROM store_tap WHERE card_id = ? AND counter = ? LIMIT 1"
_RAISE: Final = (
    "UPDATE store_card SET counter = ? WHERE id = ? AND (counter IS NULL OR counter < ?)"
)
_TAP: Final = _insert("store_tap") + " ON CONFLICT (reader_id, tap_id) DO NOTHING RETURNING id"
_ENTRY: Final = _insert("store_entry") + " RETURNING id"
_POSTING: Final = _insert("store_posting")
_MOVE: Final = " DO UPDATE SET balance = balance + excluded.balance RETURNING id"
# The conditions repeat those of the two partial unique indexes on the model.
_MEMBER_ACCOUNT: Final = (
    _insert("store_account") + " ON CONFLICT (member_id, unit) WHERE member_id IS NOT NULL" + _MOVE
)
_PROGRAM_ACCOUNT: Final = (
    _insert("store_account") + " ON CONFLICT (program_id, unit) WHERE member_id IS NULL" + _MOVE
)

_Owner = tuple[int, int | None, str]


class SqliteStore:
    """The hot statements on one SQLite connection in autocommit mode."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def readers(self, slugs: Sequence[str]) -> dict[str, KnownReader]:
        """See HotStore."""
        found = {}
        for slug in set(slugs):
            row = self._connection.execute(_READER, (slug,)).fetchone()
            if row is not None:
                found[slug] = KnownReader(row[0], row[1], Rules(row[2], row[3]))
        return found

    def cards(self, keys: Sequence[CardKey]) -> dict[CardKey, KnownCard]:
        """See HotStore."""
        found = {}
        for key in set(keys):
            sought = (key.program, key.ref.kind, key.ref.data)
            row = self._connection.execute(_CARD, sought).fetchone()
            if row is not None:
                found[key] = KnownCard(*row)
        return found

    def record(self, taps: Sequence[DecidedTap]) -> list[Recorded]:
        """See HotStore."""
        firsts = first_of_each(taps)
        cursor = self._connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            judge(firsts, _Counters(cursor))
            earlier = _write(cursor, firsts)
            for card, counter in raised(firsts, firsts.keys() - earlier.keys()).items():
                cursor.execute(_RAISE, (counter, card, counter))
            cursor.execute("COMMIT")
        except BaseException:
            # SQLite ends the transaction by itself on some errors (disk full, I/O).
            if self._connection.in_transaction:
                cursor.execute("ROLLBACK")
            raise
        return verdicts(taps, firsts, earlier)

    def recorded(self, keys: Collection[TapKey]) -> dict[TapKey, Recorded]:
        """See HotStore."""
        return _recorded(self._connection.cursor(), keys)

    def close(self) -> None:
        """See HotStore."""
        self._connection.close()


class _Counters:
    """See CounterRows; within an immediate transaction nobody else writes."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def highest(self, cards: Collection[int]) -> dict[int, int | None]:
        """See CounterRows."""
        return {card: self._cursor.execute(_COUNTER, (card,)).fetchone()[0] for card in cards}

    def written(self, keys: Collection[TapKey]) -> set[TapKey]:
        """See CounterRows."""
        return set(_recorded(self._cursor, keys))

    def used(self, counters: Collection[CardCounter]) -> set[CardCounter]:
        """See CounterRows."""
        return {pair for pair in counters if self._cursor.execute(_USED, pair).fetchone()}


def _recorded(cursor: sqlite3.Cursor, keys: Collection[TapKey]) -> dict[TapKey, Recorded]:
    found = {key: cursor.execute(_FIRST, key).fetchone() for key in keys}
    return {
        key: Recorded(row[0], row[1], row[2], repeat=True)
        for key, row in found.items()
        if row is not None
    }


def _write(cursor: sqlite3.Cursor, firsts: Mapping[TapKey, DecidedTap]) -> dict[TapKey, Recorded]:
    """Write taps and ledger; return the verdicts of those that had been written before."""
    earlier: dict[TapKey, Recorded] = {}
    moves: list[tuple[int, Entry]] = []
    for key, tap in firsts.items():
        row = cursor.execute(_TAP, _tap_values(tap)).fetchone()
        if row is None:
            earlier |= _recorded(cursor, [key])
        elif tap.entry is not None:
            moves.append((_write_entry(cursor, row[0], tap, tap.entry), tap.entry))
    _post(cursor, moves)
    return earlier


def _write_entry(cursor: sqlite3.Cursor, tap_row: int, tap: DecidedTap, entry: Entry) -> int:
    values = (entry.program, entry.kind, tap_row, _moment(tap.received_at))
    return int(cursor.execute(_ENTRY, values).fetchone()[0])


def _post(cursor: sqlite3.Cursor, moves: list[tuple[int, Entry]]) -> None:
    sums: defaultdict[_Owner, int] = defaultdict(int)
    for _, entry in moves:
        for posting in entry.postings:
            sums[entry.program, posting.member, posting.unit] += posting.amount
    accounts = {}
    for (program, member, unit), amount in sums.items():
        statement = _PROGRAM_ACCOUNT if member is None else _MEMBER_ACCOUNT
        row = cursor.execute(statement, (program, member, unit, amount)).fetchone()
        accounts[program, member, unit] = row[0]
    cursor.executemany(
        _POSTING,
        [
            (entry_row, accounts[entry.program, posting.member, posting.unit], posting.amount)
            for entry_row, entry in moves
            for posting in entry.postings
        ],
    )


def _tap_values(tap: DecidedTap) -> tuple[object, ...]:
    return (
        tap.reader,
        tap.tap_id,
        tap.ref.kind,
        tap.ref.data,
        None if tap.card is None else tap.card.card,
        None if tap.card is None else tap.card.member,
        tap.counter,
        tap.tier,
        tap.outcome,
        tap.reason,
        tap.finding,
        tap.read_at,
        tap.clock_quality,
        tap.queued,
        _moment(tap.received_at),
    )


def _moment(moment: dt.datetime) -> str:
    # As Django's SQLite backend writes it: UTC, naive, a space in the middle.
    return str(moment.astimezone(dt.UTC).replace(tzinfo=None))
