"""The bridge takes SQLite's one writer as soon as it is free, and waits no longer than it may."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from besnik.store import beginning


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE taps (id INTEGER)")
    return path


@pytest.fixture
def bridge(file: Path) -> Iterator[sqlite3.Cursor]:
    with closing(sqlite3.connect(file, isolation_level=None, timeout=5)) as connection:
        yield connection.cursor()


@pytest.fixture
def other(file: Path) -> Iterator[sqlite3.Connection]:
    # It ends its transaction on another thread.
    with closing(
        sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    ) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def patience_ms(cursor: sqlite3.Cursor) -> int:
    return int(cursor.execute("PRAGMA busy_timeout").fetchone()[0])


def test_it_begins_when_whoever_writes_is_done(
    bridge: sqlite3.Cursor, other: sqlite3.Connection
) -> None:
    done = threading.Timer(0.05, other.rollback)
    done.start()
    beginning.begin(bridge)
    assert bridge.connection.in_transaction
    assert done.finished.is_set()
    assert patience_ms(bridge) == 5000


@pytest.mark.usefixtures("other")
def test_it_gives_up_after_its_time_and_can_be_asked_again(
    bridge: sqlite3.Cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "BUSY_TIMEOUT_S", 0.05)
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        beginning.begin(bridge)
    assert not bridge.connection.in_transaction
    assert bridge.execute("SELECT count(*) FROM taps").fetchone() == (0,)


def test_another_error_is_not_waited_for(bridge: sqlite3.Cursor) -> None:
    beginning.begin(bridge)
    with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        beginning.begin(bridge)
