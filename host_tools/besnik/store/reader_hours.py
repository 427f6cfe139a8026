"""What readers say of their health, hour by hour: raw SQL beside that of ``reports.py``.

A reader counts since its start. What it added since it spoke last goes to the hour in which it
says so; after a start it is all it says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from besnik.contract import Health

TABLE: Final = "store_readerhour"
COLUMNS: Final = (
    "reader_id",
    "hour",
    "said",
    "rssi_sum_dbm",
    "rssi_min_dbm",
    "verdict_max_ms",
    "dropped",
    "reconnects",
    "rc522_recoveries",
    "restarts",
)
_ADDED: Final = ("said", "rssi_sum_dbm", "dropped", "reconnects", "rc522_recoveries", "restarts")
_EXTREMES: Final = {"rssi_min_dbm": "<", "verdict_max_ms": ">"}
# Both clocks drift, and a report can wait in the network: what is less is no start in between.
_SLACK_S: Final = 120


class Counted(msgspec.Struct, frozen=True):
    """What a reader had counted when it spoke last, ``up_s`` seconds after its start."""

    at: dt.datetime
    up_s: int
    dropped: int
    reconnects: int
    rc522_recoveries: int


def known_query(count: int, *, locked: bool) -> str:
    """Return the query for what ``count`` readers had counted; ``locked``: held until the end."""
    ending = " ORDER BY reader_id FOR UPDATE" if locked else ""
    return (
        "SELECT reader_id, at, up_s, outbox_dropped, reconnects, rc522_recoveries "
        f"FROM store_readerhealth WHERE reader_id IN ({', '.join('?' * count)}){ending}"
    )


def known(rows: Iterable[Sequence[Any]]) -> dict[int, Counted]:
    """Return what the query found, by the reader's row."""
    return {row[0]: Counted(_aware(row[1]), *row[2:]) for row in rows}


def row(
    reader: int,
    health: Health,
    rssi_dbm: int | None,
    at: dt.datetime,
    before: Counted | None,
    moment: Callable[[dt.datetime], object],
) -> tuple[object, ...]:
    """Return what a report adds to the hour of ``at``; ``before`` is None if it is the first."""
    added = _added(health, at, before)
    return (
        reader,
        moment(at.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)),
        int(rssi_dbm is not None),
        rssi_dbm or 0,
        rssi_dbm,
        health.verdict_ms,
        *added,
    )


def upsert() -> str:
    """Return the statement that adds a ``row``."""
    added = [f"{name} = known.{name} + excluded.{name}" for name in _ADDED]
    # Null compares with nothing: it is kept, or gives way.
    extremes = [
        f"{name} = CASE WHEN known.{name} IS NULL OR excluded.{name} {sign} known.{name}"
        f" THEN excluded.{name} ELSE known.{name} END"
        for name, sign in _EXTREMES.items()
    ]
    return (
        f"INSERT INTO {TABLE} AS known ({', '.join(COLUMNS)})"
        f" VALUES ({', '.join('?' * len(COLUMNS))})"
        f" ON CONFLICT (reader_id, hour) DO UPDATE SET {', '.join([*added, *extremes])}"
    )


def _added(health: Health, at: dt.datetime, before: Counted | None) -> tuple[int, int, int, int]:
    """Return what was dropped, reconnected, recovered and started since ``before``."""
    if before is None:
        return 0, 0, 0, 0
    now = (health.outbox_dropped, health.reconnects, health.rc522_recoveries)
    elapsed_s = (at - before.at).total_seconds()
    if health.up_s + _SLACK_S < before.up_s + elapsed_s or health.up_s < before.up_s:
        return (*now, 1)
    then = (before.dropped, before.reconnects, before.rc522_recoveries)
    dropped, reconnects, recoveries = (
        max(0, new - old) for new, old in zip(now, then, strict=True)
    )
    return dropped, reconnects, recoveries, 0


def _aware(at: Any) -> dt.datetime:
    """Return a time of the database: psycopg gives datetimes, sqlite3 what Django wrote."""
    read = at if isinstance(at, dt.datetime) else dt.datetime.fromisoformat(at)
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def fill(
    health: Mapping[int, tuple[Health, int | None, dt.datetime]],
    before: Mapping[int, Counted],
    moment: Callable[[dt.datetime], object],
) -> list[tuple[object, ...]]:
    """Return the rows of all readers that spoke, in order of their own."""
    return [
        row(reader, said, rssi_dbm, at, before.get(reader), moment)
        for reader, (said, rssi_dbm, at) in sorted(health.items())
    ]
