"""The bridge's statements for SQLite: one immediate transaction a batch."""

from __future__ import annotations

import datetime as dt
import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from besnik.loyalty.ledger import Entry, NewLot
from besnik.loyalty.visits import Limit
from besnik.store.counters import CardCounter, raised
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
from besnik.store.judge import judge
from besnik.store.many import Many, Row
from besnik.store.pace import alert
from besnik.store.rulebook import Rulebook


def _insert(table: str, *, first: tuple[str, ...] = (), then: str = "") -> Many:
    columns = (*first, *TABLES[table])
    return Many(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM {{rows}} "
        f"WHERE column1 IS NOT NULL{then}",
        width=len(columns),
    )


# CROSS JOIN: SQLite is to look up what is sought, in this order (sqlite.org/optoverview.html).
_READERS: Final = Many(
    """
    SELECT json_group_array(json_array(
        reader.slug, reader.id, shop.slug, shop.program_id, (
            SELECT version.id FROM store_programversion version
            WHERE version.program_id = shop.program_id ORDER BY version.version DESC LIMIT 1)))
    FROM {rows} sought CROSS JOIN store_reader reader ON reader.slug = sought.column1
    JOIN store_shop shop ON shop.id = reader.shop_id""",
    width=1,
)
_DOCUMENT: Final = "SELECT id, document FROM store_programversion WHERE id = ?"
# Rows of place, program, kind, data.
_CARDS: Final = Many(
    """
    SELECT json_group_array(json_array(column1, card.id, member.id, member.ref,
        CASE member.status WHEN 'active' THEN card.state ELSE 'closed' END,
        coalesce(tier.level, 0)))
    FROM {rows} sought CROSS JOIN store_card card
      ON card.program_id = sought.column2 AND card.kind = sought.column3
     AND card.data = sought.column4
    JOIN store_member member ON member.id = card.member_id
    LEFT JOIN store_tierheld tier ON tier.member_id = card.member_id""",
    width=4,
)
_FIRSTS: Final = Many(
    """
    SELECT json_group_array(json_array(
        tap.reader_id, tap.tap_id, tap.outcome, tap.reason, member.ref))
    FROM {rows} sought CROSS JOIN store_tap tap
      ON tap.reader_id = sought.column1 AND tap.tap_id = sought.column2
    LEFT JOIN store_member member ON member.id = tap.member_id""",
    width=2,
)
_COUNTER: Final = "SELECT counter FROM store_card WHERE id = ?"
_USED: Final = "SELECT 1 FROM store_tap WHERE card_id = ? AND counter = ? LIMIT 1"
_RAISE: Final = (
    "UPDATE store_card SET counter = ? WHERE id = ? AND (counter IS NULL OR counter < ?)"
)
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
_ALERT: Final = f"""
    INSERT INTO store_alert ({", ".join(TABLES["store_alert"])})
    SELECT shop.program_id, ?, ?, ?, ?
    FROM store_reader reader JOIN store_shop shop ON shop.id = reader.shop_id WHERE reader.id = ?"""
# The last row ids of both tables; within an immediate transaction nobody else takes the next.
_LAST: Final = """
    SELECT (SELECT max(seq) FROM sqlite_sequence WHERE name = 'store_tap'),
           (SELECT max(seq) FROM sqlite_sequence WHERE name = 'store_entry')"""
# Rises when anybody else has written (sqlite.org/pragma.html#pragma_data_version).
_VERSION: Final = "PRAGMA data_version"
_TAPS: Final = _insert("store_tap", first=("id",))
_ENTRIES: Final = _insert("store_entry", first=("id",))
_LOTS: Final = _insert("store_lot")
_MOVE: Final = " DO UPDATE SET balance = balance + excluded.balance"
# The conditions repeat those of the two partial unique indexes on the model.
_MEMBER_ACCOUNTS: Final = _insert(
    "store_account",
    then=" ON CONFLICT (member_id, unit, account) WHERE member_id IS NOT NULL" + _MOVE,
)
_PROGRAM_ACCOUNTS: Final = _insert(
    "store_account", then=" ON CONFLICT (program_id, unit, account) WHERE member_id IS NULL" + _MOVE
)
# Rows of entry, program, member, unit, amount.
_POSTINGS: Final = f"""
    INSERT INTO store_posting ({", ".join(TABLES["store_posting"])})
    SELECT moved.column1, account.id, moved.column5
    FROM {{rows}} moved CROSS JOIN store_account account ON """
_MEMBER_POSTINGS: Final = Many(
    _POSTINGS
    + "account.member_id = moved.column3 AND account.unit = moved.column4"
    + " AND account.account = 'main'",
    width=5,
)
_PROGRAM_POSTINGS: Final = Many(
    _POSTINGS
    + "account.program_id = moved.column2 AND account.unit = moved.column4"
    + " AND account.account = 'main' AND account.member_id IS NULL",
    width=5,
)
# On top of database.py's, for the one who writes all day. With 2 MB, SQLite's default, the pages
# of the indexes are read again for each batch. With a checkpoint every 1,000 pages, its default,
# a page is copied to the database for each batch and not once for many. And what a statement of
# many rows would undo if it failed is kept in a file, opened anew for each batch, unless told not.
_PRAGMAS: Final = (
    "PRAGMA cache_size=-32000",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA temp_store=MEMORY",
)

_Owner = tuple[int, int | None, str]


class SqliteStore:
    """The hot statements on one SQLite connection in autocommit mode."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version = 0
        # As of that version of the database; nothing here writes what they are made of.
        self._readers: dict[str, KnownReader] = {}
        self._rulebook = Rulebook()
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    def readers(self, slugs: Sequence[str]) -> dict[str, KnownReader]:
        """See HotStore."""
        cursor = self._connection.cursor()
        version = cursor.execute(_VERSION).fetchone()[0]
        if version != self._version:
            self._version, self._readers = version, {}
        sought = [(slug,) for slug in set(slugs) - self._readers.keys()]
        found = _READERS.read(cursor, sought)
        self._rulebook.learn([row[4] for row in found], self._documents)
        for slug, reader, shop, program, version in found:
            rules = self._rulebook.rules(program, version)
            self._readers[slug] = KnownReader(reader, shop, rules)
        return self._readers

    def _documents(self, versions: Collection[int]) -> Iterable[tuple[int, str]]:
        for version in versions:
            yield self._connection.execute(_DOCUMENT, (version,)).fetchone()

    def cards(self, keys: Sequence[CardKey]) -> dict[CardKey, KnownCard]:
        """See HotStore."""
        sought = list(set(keys))
        asked = [
            (place, key.program, key.ref.kind, key.ref.data) for place, key in enumerate(sought)
        ]
        rows = _CARDS.read(self._connection.cursor(), asked)
        return {sought[row[0]]: KnownCard(*row[1:]) for row in rows}

    def record(self, taps: Sequence[DecidedTap]) -> list[Recorded]:
        """See HotStore."""
        firsts = first_of_each(taps)
        cursor = self._connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            judge(firsts, _Cards(cursor))
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


class _Cards:
    """See CardRows; within an immediate transaction nobody else writes."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def highest(self, cards: Collection[int]) -> dict[int, int | None]:
        """See CardRows."""
        return {card: self._cursor.execute(_COUNTER, (card,)).fetchone()[0] for card in cards}

    def written(self, keys: Collection[TapKey]) -> set[TapKey]:
        """See CardRows."""
        return set(_recorded(self._cursor, keys))

    def used(self, counters: Collection[CardCounter]) -> set[CardCounter]:
        """See CardRows."""
        return {pair for pair in counters if self._cursor.execute(_USED, pair).fetchone()}

    def earnings(
        self, card: int, member: int, unit: str, since: dt.datetime
    ) -> Iterable[dt.datetime]:
        """See CardRows."""
        for (at,) in self._cursor.execute(_EARNINGS, (card, member, unit, _moment(since))):
            yield dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)

    def given(self, member: int, limit: Limit) -> int:
        """See CardRows."""
        span = member, limit.unit, _moment(limit.since), _moment(limit.until)
        return int(self._cursor.execute(_GIVEN, span).fetchone()[0])


def _recorded(cursor: sqlite3.Cursor, keys: Collection[TapKey]) -> dict[TapKey, Recorded]:
    rows = _FIRSTS.read(cursor, list(keys))
    return {(row[0], row[1]): Recorded(row[2], row[3], row[4], repeat=True) for row in rows}


def _write(cursor: sqlite3.Cursor, firsts: Mapping[TapKey, DecidedTap]) -> dict[TapKey, Recorded]:
    """Write taps and ledger; return the verdicts of those that had been written before."""
    earlier = _recorded(cursor, firsts)
    new = [tap for key, tap in firsts.items() if key not in earlier]
    last = cursor.execute(_LAST).fetchone()
    tap_ids, entry_ids = (itertools.count((each or 0) + 1) for each in last)
    taps: list[Row] = []
    entries: list[Row] = []
    moves: list[tuple[int, Entry]] = []
    for tap in new:
        received_at, tap_id = _moment(tap.received_at), next(tap_ids)
        taps.append((tap_id, *_tap_values(tap, received_at)))
        if tap.entry is not None:
            entry_id = next(entry_ids)
            happened_at = _moment(tap.happened_at) if tap.queued else received_at
            kind, program = tap.entry.kind, tap.entry.program
            entries.append((entry_id, program, kind, tap_id, happened_at, received_at))
            moves.append((entry_id, tap.entry))
    _TAPS.write(cursor, taps)
    _ENTRIES.write(cursor, entries)
    _post(cursor, moves)
    _LOTS.write(cursor, [_lot_values(entry_id, lot) for entry_id, lot in _opened(moves)])
    for tap in new:
        if tap.reason == "too_soon":
            cursor.execute(_ALERT, (*alert(tap), _moment(tap.happened_at), tap.reader))
    return earlier


def _post(cursor: sqlite3.Cursor, moves: list[tuple[int, Entry]]) -> None:
    sums: defaultdict[_Owner, int] = defaultdict(int)
    postings: list[tuple[int, int, int | None, str, int]] = []
    for entry_id, entry in moves:
        for posting in entry.postings:
            owner = entry.program, posting.member, posting.unit
            sums[owner] += posting.amount
            postings.append((entry_id, *owner, posting.amount))
    balances = [(*owner, amount) for owner, amount in sums.items()]
    _MEMBER_ACCOUNTS.write(cursor, [row for row in balances if row[1] is not None])
    _PROGRAM_ACCOUNTS.write(cursor, [row for row in balances if row[1] is None])
    _MEMBER_POSTINGS.write(cursor, [row for row in postings if row[2] is not None])
    _PROGRAM_POSTINGS.write(cursor, [row for row in postings if row[2] is None])


def _opened(moves: list[tuple[int, Entry]]) -> Iterable[tuple[int, NewLot]]:
    return ((entry_id, lot) for entry_id, entry in moves for lot in entry.opens)


def _lot_values(entry_id: int, lot: NewLot) -> tuple[object, ...]:
    opened_at = _moment(lot.opened_at)
    return (
        lot.member,
        lot.unit,
        entry_id,
        lot.amount,
        lot.amount,
        opened_at,
        opened_at if lot.available_at == lot.opened_at else _moment(lot.available_at),
        None if lot.expires_at is None else _moment(lot.expires_at),
    )


def _tap_values(tap: DecidedTap, received_at: str) -> tuple[object, ...]:
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
        received_at,
    )


def _moment(moment: dt.datetime) -> str:
    # As Django's SQLite backend writes it: UTC, naive, a space in the middle.
    return str(moment.astimezone(dt.UTC).replace(tzinfo=None))
