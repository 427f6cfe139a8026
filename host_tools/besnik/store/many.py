"""One SQL statement for many rows of parameters, on SQLite.

sqlite3 gives up the interpreter for every row it steps to, and while the bridge has work to do it
can wait as long to get it back as everything else takes. So a batch is written by few statements of
many rows, and what is read comes as one JSON array. Rows go in as parameters: taken out of JSON by
SQLite they cost three times as much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

import msgspec

# With powers of two there are few texts, and sqlite3 finds each one prepared (it keeps 128).
# 128 rows of 16 stay below the 32,766 parameters that SQLite takes.
_ROWS_MAX: Final = 128

Row = Sequence[object]


class Many:
    """A statement with ``{rows}`` where a row or several of ``width`` parameters each go."""

    def __init__(self, text: str, width: int) -> None:
        self._text = text
        self._row = f"({', '.join('?' * width)})"
        self._texts: dict[int, str] = {}

    def write(self, cursor: sqlite3.Cursor, rows: Sequence[Row]) -> None:
        """Run it for all rows; AssertionError if it did not write exactly one for each."""
        for text, parameters, count in self._parts(rows):
            written = cursor.execute(text, parameters).rowcount
            assert written == count, f"{written} of {count} rows written"

    def read(self, cursor: sqlite3.Cursor, rows: Sequence[Row]) -> list[Any]:
        """Run it for all rows and return what it finds: its one column is an array of arrays."""
        found: list[Any] = []
        for text, parameters, _ in self._parts(rows):
            array = cursor.execute(text, parameters).fetchone()[0]
            found += msgspec.json.decode(array, type=list[Any])
        return found

    def _parts(self, rows: Sequence[Row]) -> Iterator[tuple[str, list[object], int]]:
        start = 0
        while start < len(rows):
            count = min(1 << ((len(rows) - start).bit_length() - 1), _ROWS_MAX)
            part = rows[start : start + count]
            yield self._of(count), list(chain.from_iterable(part)), count
            start += count

    def _of(self, count: int) -> str:
        if count not in self._texts:
            self._texts[count] = self._text.format(rows=", ".join([self._row] * count))
        return self._texts[count]
