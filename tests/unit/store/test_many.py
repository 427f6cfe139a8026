"""Statements for many rows, on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from besnik.store.many import PREPARED_MAX, Many

_PUT = Many(
    "INSERT INTO stock (article, count) SELECT * FROM {rows} WHERE column1 IS NOT NULL", width=2
)
_GET = Many(
    "SELECT json_group_array(json_array(article, count)) "
    "FROM {rows} sought CROSS JOIN stock ON article = column1",
    width=1,
)


@pytest.fixture
def cursor() -> Iterator[sqlite3.Cursor]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE stock (article TEXT PRIMARY KEY, count INTEGER)")
        yield connection.cursor()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 127, 128, 129, 300])
def test_every_row_is_written_and_found_once(cursor: sqlite3.Cursor, size: int) -> None:
    rows = [(f"a{number}", None if number % 3 else number) for number in range(size)]
    _PUT.write(cursor, rows)
    assert cursor.execute("SELECT * FROM stock ORDER BY rowid").fetchall() == rows
    sought = [(article,) for article, _ in rows] + [("nothing",)]
    assert [tuple(row) for row in _GET.read(cursor, sought)] == rows


def test_a_row_that_is_left_out_is_no_success(cursor: sqlite3.Cursor) -> None:
    only_known = Many(
        "INSERT INTO stock (article, count) SELECT * FROM {rows} "
        "WHERE column1 IS NOT NULL AND column1 <> 'b'",
        width=2,
    )
    with pytest.raises(AssertionError, match="1 of 2 rows written"):
        only_known.write(cursor, [("a", 1), ("b", 2)])


def test_sizes_share_few_statements_and_little_only_fills_them_up(
    cursor: sqlite3.Cursor,
) -> None:
    texts: list[str] = []
    cursor.connection.set_trace_callback(texts.append)
    for size in range(1, 129):
        _GET.read(cursor, [(None,)] * size)
    filled = [text.count("(NULL)") for text in texts]
    assert all(size <= rows <= 1.25 * size for size, rows in enumerate(filled, 1)), filled
    # With the dozen statements of the bridge no more than sqlite3 is told to keep prepared.
    assert len(set(filled)) * 20 <= PREPARED_MAX
