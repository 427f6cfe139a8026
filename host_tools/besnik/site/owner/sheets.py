"""CSV files that a spreadsheet opens without doing harm, sent as they are read."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Final

from django.http import StreamingHttpResponse

from besnik.site import streams

# A byte order mark: without it Excel takes UTF-8 for the alphabet of its country.
BOM: Final = "\ufeff"
# What a spreadsheet takes for a formula (OWASP, CSV Injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

Cell = str | int | float | None
Rows = Iterable[Sequence[Sequence[Cell]]]


class _Echo:
    def write(self, text: str) -> str:
        return text


def safe(cell: Cell) -> Cell:
    """Return a text so that no spreadsheet takes it for a formula; numbers stay as they are."""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell


def written(header: Sequence[str], rows: Rows) -> Iterator[bytes]:
    """Yield the sheet in pieces: one for each group of ``rows``."""
    writer = csv.writer(_Echo())
    yield (BOM + writer.writerow(header)).encode()
    for group in rows:
        lines = (writer.writerow([safe(cell) for cell in row]) for row in group)
        yield "".join(lines).encode()


def sheet(name: str, header: Sequence[str], rows: Rows) -> StreamingHttpResponse:
    """Return the answer that saves the sheet as ``name``; each group is read when it is sent."""
    response = StreamingHttpResponse(
        _sent(written(header, rows)), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


async def _sent(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    # Django would read all of an ordinary iterator before it sends the first byte.
    while (piece := await streams.in_thread(next, pieces, None)) is not None:
        yield piece
