"""SQLite's one writer, for the bridge: taken as soon as it is free.

SQLite itself asks for it again after 1, 2, 5, 10, 15, 20 and 25 ms (sqliteDefaultBusyCallback in
sqlite.org/src/file/src/main.c). A tap that found it held for 9 ms waited 18, and whoever asked in
between was let in before it.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Final

from besnik.store.database import BUSY_TIMEOUT_S

_AGAIN_S: Final = 0.0005
_PRIMARY: Final = 0xFF  # sqlite.org/rescode.html: the low byte of an extended code


def is_busy(error: Exception) -> bool:
    """Tell whether SQLite says that somebody else has what was asked for."""
    if not isinstance(error, sqlite3.OperationalError):
        return False
    # One that is raised by hand, as tests do, has no code.
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY == sqlite3.SQLITE_BUSY


def be_patient(connection: sqlite3.Connection, waits: bool) -> None:
    """Have all but ``begin`` wait for others as long as SQLite may, or not at all."""
    patience_ms = 1000 * BUSY_TIMEOUT_S if waits else 0
    connection.execute(f"PRAGMA busy_timeout={patience_ms:.0f}")


def begin(cursor: sqlite3.Cursor) -> None:
    """Begin an immediate transaction; sqlite3.OperationalError after BUSY_TIMEOUT_S of waiting."""
    # Reads keep SQLite's own patience: they wait only while a database is opened or recovered.
    be_patient(cursor.connection, False)
    try:
        until_s = time.monotonic() + BUSY_TIMEOUT_S
        while not _has_begun(cursor, until_s):
            time.sleep(_AGAIN_S)
    finally:
        be_patient(cursor.connection, True)


def _has_begun(cursor: sqlite3.Cursor, until_s: float) -> bool:
    try:
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not is_busy(error) or time.monotonic() > until_s:
            raise
        return False
    return True
