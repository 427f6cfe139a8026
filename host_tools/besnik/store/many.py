"""One SQL statement for many rows of parameters, on SQLite.

sqlite3 gives up the interpreter for every row it steps to, and takes it back: 100 postings written
row by row take 2.7 times as long, and more where another thread has taken it meanwhile. So a batch
is written by few statements of many rows, and what is read comes as one JSON array. Rows go in as
parameters: taken out of JSON by SQLite they cost three times as much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

import msgspec

# 128 rows of 16 stay below the 32,766 parameters that SQLite takes.
_ROWS_MAX: Final = 128
# A statement comes in 24 sizes, with at most a quarter of rows that only fill it up: a batch of 72
# written by statements of 128 rows took a sixth longer. sqlite3 keeps as many as this prepared,
# all sizes of all there are; to prepare one takes longer than to run it.
PREPARED_MAX: Final = 512

Row = Sequence[object]


class Many:
    """A statement for many rows of ``width`` parameters; ``{rows}`` is where they are, as a table.

    Its columns are ``column1`` and so on. The first is never NULL: rows that only fill up the
    table have NULL there, and the statement has to leave them out. ``few`` is the statement for so
    few rows that none only fills up: a tap alone is spared a third of each insert.
    """

    def __init__(self, text: str, width: int, *, few: str = "") -> None:
        self._text = text
        self._few = few
        self._width = width
        self._texts: dict[int, str] = {}

    def write(self, cursor: sqlite3.Cursor, rows: Sequence[Row]) -> None:
        """Run it for all rows; AssertionError if it did not write exactly one for each."""
        for part in _parts(rows):
            written = cursor.execute(*self._filled(part)).rowcount
            assert written == len(part), f"{written} of {len(part)} rows written"

    def read(self, cursor: sqlite3.Cursor, rows: Sequence[Row]) -> list[Any]:
        """Run it for all rows and return what it finds: its one column is an array of arrays."""
        found: list[Any] = []
        for part in _parts(rows):
            array = cursor.execute(*self._filled(part)).fetchone()[0]
            found += msgspec.json.decode(array, type=list[Any])
        return found

    def _filled(self, rows: Sequence[Row]) -> tuple[str, list[object]]:
        """Return text and parameters for so many rows that few texts are in use."""
        count = _size(len(rows))
        if count not in self._texts:
            row = f"({', '.join('?' * self._width)})"
            values = f"VALUES {', '.join([row] * count)}"
            few = self._few if count <= _FEW else ""
            self._texts[count] = few.format(rows=values) or self._text.format(rows=f"({values})")
        parameters = list(chain.from_iterable(rows))
        if (spare := count - len(rows)) > 0:
            parameters += [None] * (spare * self._width)
        return self._texts[count], parameters


# Up to here each number of rows has its own statement.
_FEW: Final = 8


def _size(rows: int) -> int:
    """Return how many rows the statement for ``rows`` rows has: four sizes for each doubling."""
    step = max(1 << (rows - 1).bit_length() >> 3, 1)
    return -(-rows // step) * step


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + _ROWS_MAX] for start in range(0, len(rows), _ROWS_MAX))
