"""The log of an SQLite database stays short while taps are written, and no tap copies it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from besnik.store import checkpoints
from besnik.store.checkpoints import Checkpoints
from support.processes import wait_until

PAGE = 4096
PAGES_EACH = 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a shop?.sqlite3"


@pytest.fixture
def writer(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE tap (number INTEGER PRIMARY KEY, data BLOB)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield connection


def log_pages(file: Path) -> int:
    return file.with_name(file.name + "-wal").stat().st_size // PAGE


def write(writer: sqlite3.Connection) -> None:
    for _ in range(PAGES_EACH):
        writer.execute("INSERT INTO tap (data) VALUES (zeroblob(3000))")


def copies(beside: Checkpoints) -> bool:
    return beside._beside is not None and beside._beside.is_alive()


def copied(beside: Checkpoints) -> bool:
    return beside._beside is not None and not copies(beside)


def test_the_log_begins_anew_while_taps_are_written(
    writer: sqlite3.Connection, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EACH_PAGES", 100)
    keeping = Checkpoints(writer)
    for _ in range(20):
        write(writer)
        keeping.written(100)
        # These are in no copy that was begun before.
        write(writer)
        wait_until(lambda: copied(keeping), "the log is copied")
        keeping.written(1)
    assert log_pages(file) < 5 * 2 * PAGES_EACH
    [(count,)] = writer.execute("SELECT count(*) FROM tap")
    assert count == 20 * 2 * PAGES_EACH


def test_a_machine_without_room_for_a_thread_is_said_and_no_tap_fails(
    writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_room(_: object) -> None:
        raise RuntimeError("can't start new thread")

    keeping = Checkpoints(writer)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Thread, "start", no_room)
        keeping.written(checkpoints.EACH_PAGES)
        keeping.written(1)
    assert "event=checkpoint_failed error=RuntimeError" in caplog.text
    keeping.written(checkpoints.EACH_PAGES)
    wait_until(lambda: copied(keeping), "the log is copied later")


def test_few_taps_copy_nothing(writer: sqlite3.Connection, file: Path) -> None:
    keeping = Checkpoints(writer)
    size = file.stat().st_size
    for _ in range(5):
        write(writer)
        keeping.written(PAGES_EACH)
    assert not copied(keeping)
    assert file.stat().st_size == size


def test_a_log_that_cannot_be_copied_is_said_and_stays(
    writer: sqlite3.Connection,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(checkpoints, "EACH_PAGES", 1)
    keeping = Checkpoints(writer)
    moved = file.rename(file.with_name("moved"))
    write(writer)
    keeping.written(1)
    wait_until(lambda: copied(keeping), "it was tried")
    assert "event=checkpoint_failed error=OperationalError" in caplog.text
    assert not file.exists()
    moved.rename(file)
    write(writer)
    keeping.written(0)
    [(count,)] = writer.execute("SELECT count(*) FROM tap")
    assert count == 2 * PAGES_EACH


def test_taps_that_come_one_by_one_do_not_fill_the_log(
    writer: sqlite3.Connection, file: Path
) -> None:
    """Each is a commit of its own, of as many pages as five taps of a batch."""
    keeping = Checkpoints(writer)
    for _ in range(1000):
        writer.execute("BEGIN")
        write(writer)
        writer.execute("COMMIT")
        keeping.written(1)
        # How fast a busy machine copies is not asked here, but when it begins.
        wait_until(lambda: not copies(keeping), "the log is copied")
    assert log_pages(file) < checkpoints.PAGES_MAX * 0.8
