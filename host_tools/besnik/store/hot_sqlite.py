"""The bridge's statements for SQLite: one immediate transaction a batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, TypeVar

from besnik.store.beginning import be_patient, begin
from besnik.store.checkpoints import Checkpoints
from besnik.store.counters import raised
from besnik.store.hot import (
    Batch,
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
from besnik.store.many import Many
from besnik.store.rulebook import Rulebook
from besnik.store.sqlite_known import SqliteCards, recorded
from besnik.store.sqlite_writing import Writing

_T = TypeVar("_T")

# CROSS JOIN: SQLite is to look up what is sought, in this order (sqlite.org/optoverview.html).
_READERS: Final = Many(
    """
    SELECT json_group_array(json_array(
        reader.slug, reader.id, shop.slug, shop.program_id, (
            SELECT version.id FROM store_programversion version
            WHERE version.program_id = shop.program_id ORDER BY version.version DESC LIMIT 1),
        EXISTS (
            SELECT 1 FROM store_crmsource crm
            WHERE crm.program_id = shop.program_id AND crm.is_on)))
    FROM {rows} sought CROSS JOIN store_reader reader ON reader.slug = sought.column1
    JOIN store_shop shop ON shop.id = reader.shop_id""",
    width=1,
)
_DOCUMENT: Final = "SELECT id, document FROM store_programversion WHERE id = ?"
_CARD_COLUMNS: Final = """card.id, member.id, member.ref,
    CASE member.status WHEN 'active' THEN card.state ELSE 'closed' END, coalesce(tier.level, 0)"""
_CARD_JOINS: Final = """JOIN store_member member ON member.id = card.member_id
    LEFT JOIN store_tierheld tier ON tier.member_id = card.member_id"""
# A card alone takes half the time without the table and the array.
_CARD: Final = f"""
    SELECT {_CARD_COLUMNS} FROM store_card card {_CARD_JOINS}
    WHERE card.program_id = ? AND card.kind = ? AND card.data = ?"""
# Rows of place, program, kind, data.
_CARDS: Final = Many(
    f"""
    SELECT json_group_array(json_array(column1, {_CARD_COLUMNS}))
    FROM {{rows}} sought CROSS JOIN store_card card
      ON card.program_id = sought.column2 AND card.kind = sought.column3
     AND card.data = sought.column4
    {_CARD_JOINS}""",
    width=4,
)
_RAISE: Final = (
    "UPDATE store_card SET counter = ? WHERE id = ? AND (counter IS NULL OR counter < ?)"
)
# Rises when anybody else has written (sqlite.org/pragma.html#pragma_data_version).
_VERSION: Final = "PRAGMA data_version"
# On top of database.py's, for the one who writes all day. With 2 MB, SQLite's default, the pages
# of the indexes are read again for each batch. And what the statement that opens accounts would
# undo if it failed is kept in a file, opened anew each time, unless told not.
_PRAGMAS: Final = (
    "PRAGMA cache_size=-32000",
    "PRAGMA temp_store=MEMORY",
)


class SqliteStore:
    """The hot statements on one SQLite connection in autocommit mode."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # As of this version of the database; nothing here writes what they are made of.
        self._version = connection.execute(_VERSION).fetchone()[0]
        self._readers: dict[str, KnownReader] = {}
        self._rulebook = Rulebook()
        self._writing = Writing()
        self._checks_keys = True
        self._waits = True
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        self._checkpoints = Checkpoints(connection)

    @property
    def waits(self) -> bool:
        """See HotStore."""
        return self._waits

    @waits.setter
    def waits(self, waits: bool) -> None:
        if waits != self._waits:
            be_patient(self._connection, waits)
            self._waits = waits

    def readers(self, slugs: Sequence[str]) -> dict[str, KnownReader]:
        """See HotStore."""
        self._is_overtaken()
        return self._known(slugs)

    def _is_overtaken(self) -> bool:
        """Tell whether anybody has written since this was asked last, and forget what was known."""
        version = self._connection.execute(_VERSION).fetchone()[0]
        if version == self._version:
            return False
        self._version, self._readers = version, {}
        self._writing.overtaken()
        return True

    def _known(self, slugs: Sequence[str]) -> dict[str, KnownReader]:
        if not (missing := set(slugs) - self._readers.keys()):
            return self._readers
        found = _READERS.read(self._connection.cursor(), [(slug,) for slug in missing])
        self._rulebook.learn([row[4] for row in found], self._documents)
        for slug, reader, shop, program, version, asks_crm in found:
            rules = self._rulebook.rules(program, version)
            self._readers[slug] = KnownReader(reader, shop, rules, bool(asks_crm))
        return self._readers

    def _documents(self, versions: Collection[int]) -> Iterable[tuple[int, str]]:
        for version in versions:
            yield self._connection.execute(_DOCUMENT, (version,)).fetchone()

    def cards(self, keys: Sequence[CardKey]) -> dict[CardKey, KnownCard]:
        """See HotStore."""
        sought = list(set(keys))
        if len(sought) == 1:
            [key] = sought
            asked_for = key.program, key.ref.kind, key.ref.data
            row = self._connection.execute(_CARD, asked_for).fetchone()
            return {} if row is None else {key: KnownCard(*row)}
        asked = [
            (place, key.program, key.ref.kind, key.ref.data) for place, key in enumerate(sought)
        ]
        rows = _CARDS.read(self._connection.cursor(), asked)
        return {sought[row[0]]: KnownCard(*row[1:]) for row in rows}

    def settle(self, batch: Batch) -> Sequence[Recorded]:
        """See HotStore.

        Cards that have to be asked wait for nobody who writes. What the other taps refer to is
        known to be there in the transaction that writes them, so SQLite need not look it up once
        more for each foreign key: nobody has written since, or it is looked up again.
        """
        taps = self._decided(batch)
        if not taps and self._is_overtaken():
            taps = self._decided(batch)
        if not taps:
            return []
        self._check_keys(False)
        results = self._in_transaction(
            lambda cursor: self._write(
                cursor, self._decided(batch) if self._is_overtaken() else taps
            )
        )
        self._checkpoints.written(len(taps))
        return results

    def _decided(self, batch: Batch) -> Sequence[DecidedTap]:
        """Look up what the taps refer to, the readers as of ``self._version``, and decide."""
        keys = batch.open(self._known(batch.slugs))
        return batch.decide(self.cards(keys) if keys else {})

    def record(self, taps: Sequence[DecidedTap]) -> list[Recorded]:
        """See HotStore."""
        self._check_keys(True)
        self._writing.overtaken()
        return self._in_transaction(lambda cursor: self._write(cursor, taps))

    def _write(self, cursor: sqlite3.Cursor, taps: Sequence[DecidedTap]) -> list[Recorded]:
        firsts = first_of_each(taps)
        judge(firsts, SqliteCards(cursor))
        earlier = recorded(cursor, firsts)
        new = {key: tap for key, tap in firsts.items() if key not in earlier}
        self._writing.write(cursor, list(new.values()))
        for card, counter in raised(new, new).items():
            cursor.execute(_RAISE, (counter, card, counter))
        return verdicts(taps, firsts, earlier)

    def _in_transaction(self, write: Callable[[sqlite3.Cursor], _T]) -> _T:
        cursor = self._connection.cursor()
        if self._waits:
            begin(cursor)
        else:
            cursor.execute("BEGIN IMMEDIATE")
        try:
            written = write(cursor)
            cursor.execute("COMMIT")
        except BaseException:
            self._writing.forget()
            # SQLite ends the transaction by itself on some errors (disk full, I/O).
            if self._connection.in_transaction:
                cursor.execute("ROLLBACK")
            raise
        return written

    def _check_keys(self, on: bool) -> None:
        """Have SQLite check foreign keys or not, from the next transaction on."""
        if self._checks_keys != on:
            self._connection.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
            self._checks_keys = on

    def recorded(self, keys: Collection[TapKey]) -> dict[TapKey, Recorded]:
        """See HotStore."""
        return recorded(self._connection.cursor(), keys)

    def close(self) -> None:
        """See HotStore."""
        self._connection.close()
