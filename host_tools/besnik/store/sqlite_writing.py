"""Taps and their ledger as rows of SQLite, a few statements for a whole batch."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from besnik.loyalty.ledger import Entry, NewLot
from besnik.store.hot import TABLES, DecidedTap
from besnik.store.many import Many, Row
from besnik.store.pace import alert
from besnik.store.pending import WAITING


# OR ROLLBACK: a row that cannot be written ends the transaction, as it would anyway. Without it
# SQLite copies each page that a statement of many rows touches, to undo that statement alone.
def _insert(table: str, *, first: tuple[str, ...] = (), then: str = "") -> Many:
    columns = (*first, *TABLES[table])
    into = f"INSERT OR ROLLBACK INTO {table} ({', '.join(columns)})"
    return Many(
        f"{into} SELECT * FROM {{rows}} WHERE column1 IS NOT NULL{then}",
        width=len(columns),
        few=f"{into} {{rows}}{then}",
    )


# The last row ids of both tables; within an immediate transaction nobody else takes the next.
_LAST: Final = """
    SELECT (SELECT max(seq) FROM sqlite_sequence WHERE name = 'store_tap'),
           (SELECT max(seq) FROM sqlite_sequence WHERE name = 'store_entry')"""
_TAPS: Final = _insert("store_tap", first=("id",))
_ENTRIES: Final = _insert("store_entry", first=("id",))
_POSTINGS: Final = _insert("store_posting")
_LOTS: Final = _insert("store_lot")
_ALERT: Final = f"""
    INSERT INTO store_alert ({", ".join(TABLES["store_alert"])})
    SELECT shop.program_id, ?, ?, ?, ?
    FROM store_reader reader JOIN store_shop shop ON shop.id = reader.shop_id WHERE reader.id = ?"""
_PENDING: Final = f"""
    INSERT INTO store_crmpending ({", ".join(TABLES["store_crmpending"])})
    SELECT shop.program_id, tap.id, ? FROM store_tap tap
    JOIN store_reader reader ON reader.id = tap.reader_id
    JOIN store_shop shop ON shop.id = reader.shop_id WHERE tap.reader_id = ? AND tap.tap_id = ?"""
_MOVE: Final = " DO UPDATE SET balance = balance + excluded.balance"
# The conditions repeat those of the two partial unique indexes on the model.
_MEMBER_ACCOUNTS: Final = _insert(
    "store_account",
    then=" ON CONFLICT (member_id, unit, account) WHERE member_id IS NOT NULL" + _MOVE,
)
_PROGRAM_ACCOUNTS: Final = _insert(
    "store_account", then=" ON CONFLICT (program_id, unit, account) WHERE member_id IS NULL" + _MOVE
)
# Rows of program, member, unit.
_ACCOUNT_IDS: Final = Many(
    """
    SELECT json_group_array(json_array(column1, column2, column3, account.id))
    FROM {rows} sought CROSS JOIN store_account account
      ON account.member_id = column2 AND account.unit = column3 AND account.account = 'main'
    WHERE column2 IS NOT NULL""",
    width=3,
)
_PROGRAM_ACCOUNT_ID: Final = """
    SELECT id FROM store_account
    WHERE program_id = ? AND unit = ? AND account = 'main' AND member_id IS NULL"""
# Rows of account, program, member, unit, amount. An account never becomes another one: if it did,
# the database is not the one that the ids are of.
_BALANCE: Final = """
    UPDATE OR ROLLBACK store_account SET balance = balance + ?5
    WHERE id = ?1 AND program_id = ?2 AND member_id IS ?3 AND unit = ?4"""
_BALANCES: Final = Many(
    """
    UPDATE OR ROLLBACK store_account SET balance = balance + moved.column5 FROM {rows} moved
    WHERE store_account.id = moved.column1 AND store_account.program_id = moved.column2
    AND store_account.member_id IS moved.column3 AND store_account.unit = moved.column4""",
    width=5,
)
# Of so few, each alone is moved sooner than all together.
_FEW: Final = 3
_REMEMBERED: Final = 100_000

_Owner = tuple[int, int | None, str]  # program, member, unit


def moment(value: dt.datetime) -> str:
    """Return a time as Django's SQLite backend writes it: UTC, naive, a space in the middle."""
    if value.tzinfo is dt.UTC and value.microsecond:
        # As nearly all are. The other way takes four times as long.
        day, time = (value.year, value.month, value.day), (value.hour, value.minute, value.second)
        return "%d-%02d-%02d %02d:%02d:%02d.%06d" % (*day, *time, value.microsecond)  # noqa: UP031
    return str(value.astimezone(dt.UTC).replace(tzinfo=None))


class Writing:
    """Writes taps with their entries, postings, lots, balances and alerts.

    It remembers the rows of accounts, which never go: a tap is then spared three look-ups.
    """

    def __init__(self) -> None:
        self._accounts: dict[_Owner, int] = {}
        self._last: tuple[int, int] | None = None

    def forget(self) -> None:
        """Forget what was learned in a transaction that was undone."""
        self._accounts.clear()
        self._last = None

    def overtaken(self) -> None:
        """Note that somebody else may have written."""
        self._last = None

    def write(self, cursor: sqlite3.Cursor, new: Sequence[DecidedTap]) -> None:
        """Write taps that are not written yet, within a transaction that is open."""
        tap_id, entry_id = self._last or _last_ids(cursor)
        taps: list[Row] = []
        entries: list[Row] = []
        lots: list[Row] = []
        moves: list[tuple[int, Entry]] = []
        for tap in new:
            received_at = moment(tap.received_at)
            tap_id += 1
            taps.append(_tap_values(tap_id, tap, received_at))
            if (entry := tap.entry) is not None:
                entry_id += 1
                happened_at = moment(tap.happened_at) if tap.queued else received_at
                entries.append(
                    (entry_id, entry.program, entry.kind, tap_id, happened_at, received_at)
                )
                moves.append((entry_id, entry))
                for lot in entry.opens:
                    lots.append(_lot_values(entry_id, lot, happened_at, tap))
        self._last = tap_id, entry_id
        _TAPS.write(cursor, taps)
        _ENTRIES.write(cursor, entries)
        self._post(cursor, moves)
        _LOTS.write(cursor, lots)
        _note(cursor, new)

    def _post(self, cursor: sqlite3.Cursor, moves: list[tuple[int, Entry]]) -> None:
        sums: dict[_Owner, int] = {}
        postings: list[tuple[int, _Owner, int]] = []
        for entry_id, entry in moves:
            program = entry.program
            for posting in entry.postings:
                owner, amount = (program, posting.member, posting.unit), posting.amount
                sums[owner] = sums.get(owner, 0) + amount
                postings.append((entry_id, owner, amount))
        self._move(cursor, sums)
        accounts = self._accounts
        _POSTINGS.write(
            cursor, [(entry_id, accounts[owner], amount) for entry_id, owner, amount in postings]
        )

    def _move(self, cursor: sqlite3.Cursor, sums: dict[_Owner, int]) -> None:
        """Move the balances, and learn the accounts that are not known."""
        accounts = self._accounts
        if len(accounts) > _REMEMBERED:
            accounts.clear()
        known: list[Row] = []
        unknown: list[_Owner] = []
        for owner, moved in sums.items():
            if (account := accounts.get(owner)) is None:
                unknown.append(owner)
            else:
                known.append((account, owner[0], owner[1], owner[2], moved))
        if len(known) > _FEW:
            _BALANCES.write(cursor, known)
        else:
            written = cursor.executemany(_BALANCE, known).rowcount if known else 0
            assert written == len(known), f"{written} of {len(known)} balances moved"
        if not unknown:
            return
        members = [owner for owner in unknown if owner[1] is not None]
        programs = [owner for owner in unknown if owner[1] is None]
        _MEMBER_ACCOUNTS.write(cursor, [(*owner, sums[owner]) for owner in members])
        _PROGRAM_ACCOUNTS.write(cursor, [(*owner, sums[owner]) for owner in programs])
        for program, member, unit, account in _ACCOUNT_IDS.read(cursor, members):
            accounts[program, member, unit] = account
        for owner in programs:
            found = cursor.execute(_PROGRAM_ACCOUNT_ID, (owner[0], owner[2])).fetchone()
            accounts[owner] = found[0]


def _last_ids(cursor: sqlite3.Cursor) -> tuple[int, int]:
    tap_id, entry_id = cursor.execute(_LAST).fetchone()
    return tap_id or 0, entry_id or 0


def _note(cursor: sqlite3.Cursor, new: Iterable[DecidedTap]) -> None:
    """Write the alerts of taps that came too soon, and which of them wait for another CRM."""
    for tap in new:
        if tap.reason == "too_soon":
            cursor.execute(_ALERT, (*alert(tap), moment(tap.happened_at), tap.reader))
        elif tap.reason == "pending":
            cursor.execute(_PENDING, (WAITING, tap.reader, tap.tap_id))


def _lot_values(
    entry_id: int, lot: NewLot, happened_at: str, tap: DecidedTap
) -> tuple[object, ...]:
    # Most lots are opened when their tap came, and available then: one text for three.
    same = lot.opened_at is tap.received_at
    opened_at = happened_at if same else moment(lot.opened_at)
    return (
        lot.member,
        lot.unit,
        entry_id,
        lot.amount,
        lot.amount,
        opened_at,
        opened_at if lot.available_at is lot.opened_at else moment(lot.available_at),
        None if lot.expires_at is None else moment(lot.expires_at),
    )


def _tap_values(row: int, tap: DecidedTap, received_at: str) -> tuple[object, ...]:
    ref, card = tap.ref, tap.card
    return (
        row,
        tap.reader,
        tap.tap_id,
        ref.kind,
        ref.data,
        None if card is None else card.card,
        None if card is None else card.member,
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
