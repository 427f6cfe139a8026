"""A CSV file as somebody's spreadsheet wrote it: its alphabet, its separator, its columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

MOST_BYTES: Final = 20_000_000
MOST_ROWS: Final = 200_000
_CELL_MAX: Final = 1_000

Fault = Literal["empty", "too_large", "spreadsheet", "alphabet", "columns", "too_many", "csv"]

# What the columns are called, in the languages of the pages; units may have their own names.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name", "emri", "имя", "όνομα", "ονομα", "نام"),
    "phone": ("phone", "telefoni", "телефон", "τηλέφωνο", "τηλεφωνο", "تلفن"),
    "email": ("email", "e-mail", "posta", "почта", "ایمیل"),
    "birthday": ("birthday", "datëlindja", "день рождения", "γενέθλια", "تولد"),
    "language": ("language", "gjuha", "язык", "γλώσσα", "زبان"),
    "card": ("card", "uid", "karta", "карта", "κάρτα", "کارت"),
    "point": ("points", "point", "pikë", "баллы", "πόντοι", "امتیاز"),
    "stamp": ("stamps", "stamp", "vula", "штампы", "σφραγίδες", "مهر"),
}
PERSONAL: Final = ("name", "phone", "email", "birthday", "language", "card")


class FileError(ValueError):
    """A file that cannot be read at all; ``fault`` says why to a program."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault: Fault = fault


class Row(msgspec.Struct, frozen=True):
    """One row: the line of the file it begins on (the header's is 1), and its cells by column."""

    line: int
    cells: Mapping[str, str]


def text_of(data: bytes) -> str:
    """Return a file's text: UTF-8 with or without a mark, UTF-16 with one; FileError."""
    if not data.strip():
        raise FileError("empty", "the file is empty")
    if len(data) > MOST_BYTES:
        raise FileError("too_large", f"the file has more than {MOST_BYTES} bytes")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileError("spreadsheet", "this is a spreadsheet and no CSV file")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileError("alphabet", "the file is not in UTF-8") from error
    if "\x00" in text:
        raise FileError("alphabet", "the file holds characters that no text has")
    return text


def columns_of(text: str) -> list[str]:
    """Return the columns by our names, "" for one that is not known; FileError without any."""
    header = next(_Lines(text), [])
    known = {word: name for name, words in COLUMNS.items() for word in words}
    found = [known.get(cell.strip().casefold(), "") for cell in header]
    named = [name for name in found if name]
    if "name" not in named or not {"phone", "card"} & set(named) or len(set(named)) < len(named):
        raise FileError(
            "columns", "the first line has to name the columns: name, and phone or card"
        )
    return found


def rows_of(text: str) -> Iterator[Row]:
    """Yield the rows that are not empty; FileError for what is no CSV or too long."""
    columns = columns_of(text)
    reader = _Lines(text)
    next(reader)
    count = 0
    before = 1
    for cells in reader:
        line, before = before + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MOST_ROWS:
            raise FileError("too_many", f"the file has more than {MOST_ROWS} rows")
        named = zip(columns, cells, strict=False)
        yield Row(line, {name: cell.strip()[:_CELL_MAX] for name, cell in named if name})


class _Lines:
    def __init__(self, text: str) -> None:
        first = text.partition("\n")[0]
        separator = max(",;\t", key=first.count)
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)

    @property
    def line_num(self) -> int:
        return self._reader.line_num

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> list[str]:
        try:
            return next(self._reader)
        except csv.Error as error:
            raise FileError("csv", str(error)) from error
