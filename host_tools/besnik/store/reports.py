"""Writes what readers say about themselves: the latest of each kind, and their health by the hour.

The statements bypass Django, as those of ``hot.py`` do; ``TABLES`` names every column they write,
and a test holds it to the models. They go over a connection of their own that does not wait for
the disk: what a power cut takes, the readers say again, and no tap waits for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, Protocol

import msgspec

from besnik.config import Config
from besnik.contract import Health, Info, State
from besnik.store import reader_hours
from besnik.store.database import connect_postgres, connect_sqlite, is_sqlite

TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "store_readerstate": ("reader_id", "state", "boot", "since"),
    "store_readerinfo": (
        "reader_id",
        "firmware",
        "umqtt",
        "micropython",
        "reset_cause",
        "boot",
        "config_version",
        "since",
    ),
    "store_readerhealth": (
        "reader_id",
        "at",
        "up_s",
        "rssi_dbm",
        "heap_free",
        "outbox",
        "outbox_since",
        "outbox_dropped",
        "reconnects",
        "rc522_recoveries",
        "verdict_ms",
    ),
    reader_hours.TABLE: reader_hours.COLUMNS,
}
_STATE, _INFO, _HEALTH, _HOUR = TABLES
_TEXT_MAX: Final = 32
# What a radio can mean; anything else is a fault of the reader and says nothing.
_RSSI_DBM: Final = range(-127, 21)
_LOCK_WAIT_MS: Final = 200


class ReaderKey(msgspec.Struct, frozen=True):
    """A reader as its topics name it: the slug of its shop and its own."""

    shop: str
    reader: str


class Said(msgspec.Struct):
    """The latest a reader said of each kind, and when it was heard (aware, UTC)."""

    state: tuple[State, dt.datetime] | None = None
    info: tuple[Info, dt.datetime] | None = None
    health: tuple[Health, dt.datetime] | None = None

    def hear(self, message: State | Info | Health, at: dt.datetime) -> None:
        """Take one more message; a will or goodbye of an earlier start than known is none."""
        if isinstance(message, Health):
            self.health = message, at
        elif isinstance(message, Info):
            self.info = message, at
        elif self.state is None or message.follows(self.state[0]):
            self.state = message, at

    def earlier(self, said: Said) -> None:
        """Take what was heard before this, where there is nothing newer."""
        newer = self.state
        self.state = said.state
        if newer is not None:
            self.hear(*newer)
        self.info = self.info or said.info
        self.health = self.health or said.health


def _upsert(table: str, but: Mapping[str, str] | None = None, where: str = "") -> str:
    columns = TABLES[table]
    but = but or {}
    changes = ", ".join(
        f"{name} = {but.get(name, f'excluded.{name}')}" for name in columns if name != "reader_id"
    )
    return (
        f"INSERT INTO {table} AS known ({', '.join(columns)})"
        f" VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT (reader_id) DO UPDATE SET {changes}{where}"
    )


_UPSERTS: Final = {
    # The broker repeats a retained state to every bridge that comes: what is known stays as it
    # is, with its time, and the will of an earlier start does not bury a newer birth.
    _STATE: _upsert(
        _STATE,
        where=" WHERE (known.state <> excluded.state OR known.boot <> excluded.boot)"
        " AND (excluded.state = 'online' OR excluded.boot >= known.boot)",
    ),
    _INFO: _upsert(
        _INFO,
        {"since": "CASE WHEN known.boot = excluded.boot THEN known.since ELSE excluded.since END"},
    ),
    _HEALTH: _upsert(
        _HEALTH,
        {
            "outbox_since": "CASE WHEN excluded.outbox = 0 THEN NULL"
            " ELSE coalesce(known.outbox_since, excluded.outbox_since) END"
        },
    ),
    _HOUR: reader_hours.upsert(),
}
_READERS: Final = """
    SELECT reader.id, shop.slug, reader.slug
    FROM store_reader reader JOIN store_shop shop ON shop.id = reader.shop_id"""


class ReportStore(Protocol):
    """The statements on one connection; used from one thread at a time."""

    def write(self, reports: Mapping[ReaderKey, Said]) -> set[ReaderKey]:
        """Write them in one transaction and return those whose reader does not exist.

        The driver's errors pass through, with nothing written.
        """

    def close(self) -> None:
        """Close the connection."""


def open_reports(config: Config) -> ReportStore:
    """Open the database for reports; the driver's own errors pass through."""
    return _Sqlite(config) if is_sqlite(config.database.url) else _Postgres(config)


class _Sqlite:
    def __init__(self, config: Config) -> None:
        self._connection = connect_sqlite(config)
        # In WAL mode this keeps the file whole and costs no wait for the disk.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(f"PRAGMA busy_timeout={_LOCK_WAIT_MS}")

    def write(self, reports: Mapping[ReaderKey, Said]) -> set[ReaderKey]:
        """See ReportStore."""
        with closing(self._connection.cursor()) as cursor:
            known = _rows(cursor.execute(_READERS))
            cursor.execute("BEGIN IMMEDIATE")
            try:
                rows = _values(reports, known, _as_django_writes)
                if spoke := _health_of(reports, known):
                    query = reader_hours.known_query(len(spoke), locked=False)
                    before = reader_hours.known(cursor.execute(query, sorted(spoke)))
                    rows[_HOUR] = reader_hours.fill(spoke, before, _as_django_writes)
                for table, values in rows.items():
                    cursor.executemany(_UPSERTS[table], values)
                cursor.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise
        return reports.keys() - known.keys()

    def close(self) -> None:
        """See ReportStore."""
        self._connection.close()


class _Postgres:
    def __init__(self, config: Config) -> None:
        self._connection = connect_postgres(config)
        self._connection.execute("SET synchronous_commit = off")
        self._connection.execute(f"SET lock_timeout = {_LOCK_WAIT_MS}")

    def write(self, reports: Mapping[ReaderKey, Said]) -> set[ReaderKey]:
        """See ReportStore."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            known = _rows(cursor.execute(_READERS))
            rows = _values(reports, known, lambda at: at)
            if spoke := _health_of(reports, known):
                query = reader_hours.known_query(len(spoke), locked=True).replace("?", "%s")
                before = reader_hours.known(cursor.execute(query, sorted(spoke)))
                rows[_HOUR] = reader_hours.fill(spoke, before, lambda at: at)
            for table, values in rows.items():
                cursor.executemany(_UPSERTS[table].replace("?", "%s"), values)
        return reports.keys() - known.keys()

    def close(self) -> None:
        """See ReportStore."""
        self._connection.close()


def _rows(rows: Iterable[Sequence[Any]]) -> dict[ReaderKey, int]:
    return {ReaderKey(shop, reader): row for row, shop, reader in rows}


def _as_django_writes(at: dt.datetime) -> str:
    return str(at.astimezone(dt.UTC).replace(tzinfo=None))


def _values(
    reports: Mapping[ReaderKey, Said], known: Mapping[ReaderKey, int], moment: Any
) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of each table, ordered: two bridges never wait for each other in a circle."""
    rows: dict[str, list[tuple[object, ...]]] = {_STATE: [], _INFO: [], _HEALTH: []}
    for key, reader in sorted(known.items(), key=lambda item: item[1]):
        said = reports.get(key)
        if said is None:
            continue
        if said.state:
            state, at = said.state
            rows[_STATE].append((reader, state.s, state.bd, moment(at)))
        if said.info:
            rows[_INFO].append((reader, *_info(said.info[0]), moment(said.info[1])))
        if said.health:
            rows[_HEALTH].append((reader, *_health(said.health[0], moment(said.health[1]))))
    return {table: values for table, values in rows.items() if values}


def _health_of(
    reports: Mapping[ReaderKey, Said], known: Mapping[ReaderKey, int]
) -> dict[int, tuple[Health, int | None, dt.datetime]]:
    """Return what readers said of their health: it, their signal, and when; by the reader's row."""
    spoke = {known[key]: said.health for key, said in reports.items() if key in known}
    return {
        reader: (heard[0], _signal(heard[0]), heard[1]) for reader, heard in spoke.items() if heard
    }


def _signal(health: Health) -> int | None:
    return health.rssi_dbm if health.rssi_dbm in _RSSI_DBM else None


def _info(info: Info) -> tuple[object, ...]:
    texts = (_printable(text) for text in (info.fw, info.umqtt, info.mpy))
    return (*texts, info.reset, info.bd, info.cfg)


def _health(health: Health, at: object) -> tuple[object, ...]:
    return (
        at,
        health.up_s,
        _signal(health),
        health.heap_free,
        health.outbox,
        at if health.outbox else None,
        health.outbox_dropped,
        health.reconnects,
        health.rc522_recoveries,
        health.verdict_ms,
    )


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:_TEXT_MAX]
