"""Pictures of figures as SVG, drawn on the server: columns of months, and shares with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

WIDTH: Final = 720
_TOP, _FLOOR = 28, 210
# The scale is written at the start; labels are wider than their columns.
_GUTTER, _END = 96, 24
_ROW: Final = 64


class Column(msgspec.Struct, frozen=True):
    """One column to draw: a label, a value and how it is written; bounds where it is estimated."""

    label: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None


class Bar(msgspec.Struct, frozen=True):
    """Where a column stands: lengths in units of the picture, from its top and its start."""

    column: Column
    x: float
    middle: float
    width: float
    y: float
    height: float
    high_y: float | None
    low_y: float | None
    labelled: bool


class Columns(msgspec.Struct, frozen=True):
    """A picture of columns over a scale of round steps."""

    title: str
    bars: Sequence[Bar]
    scale: Sequence[tuple[float, str]]
    width: int = WIDTH
    floor: int = _FLOOR
    height: int = _FLOOR + 36


class Share(msgspec.Struct, frozen=True):
    """One share of a picture of shares, in percent, with its interval."""

    label: str
    text: str
    value: float
    low: float
    high: float


class Row(msgspec.Struct, frozen=True):
    """Where a share is drawn."""

    share: Share
    y: int
    bar_y: int
    length: float
    low_x: float
    high_x: float


class Shares(msgspec.Struct, frozen=True):
    """A picture of shares between 0 and 100 percent, row by row."""

    title: str
    rows: Sequence[Row]
    height: int
    width: int = WIDTH


def columns(title: str, values: Sequence[Column], scale: Sequence[tuple[float, str]]) -> Columns:
    """Return the picture of columns; ``scale`` is what `steps` gave, each written out."""
    top = max((step for step, _ in scale), default=1.0) or 1.0

    def y(value: float) -> float:
        return round(_FLOOR - (_FLOOR - _TOP) * max(0.0, min(value, top)) / top, 1)

    room = (WIDTH - _GUTTER - _END) / max(1, len(values))
    width = round(room * 0.62, 1)
    bars = [
        Bar(
            column,
            round(_GUTTER + place * room + (room - width) / 2, 1),
            round(_GUTTER + (place + 0.5) * room, 1),
            width,
            y(column.value),
            round(_FLOOR - y(column.value), 1),
            None if column.high is None else y(column.high),
            None if column.low is None else y(column.low),
            # A label is wider than a column: every second one, the last among them.
            (len(values) - 1 - place) % 2 == 0,
        )
        for place, column in enumerate(values)
    ]
    return Columns(title, bars, [(y(step), text) for step, text in scale])


def steps(most: float) -> list[float]:
    """Return the round steps of a scale that holds ``most``: 0, 200, 400, 600."""
    if most <= 0:
        return [0.0, 1.0]
    size = 10 ** math.floor(math.log10(most / 3))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * 4 >= most)
    count = math.ceil(most / step)
    return [step * place for place in range(count + 1)]


def shares(title: str, values: Sequence[Share]) -> Shares:
    """Return the picture of shares."""
    scale = WIDTH / 100
    rows = [
        Row(
            share,
            place * _ROW + 20,
            place * _ROW + 30,
            round(max(0.0, min(100.0, share.value)) * scale, 1),
            round(max(0.0, share.low) * scale, 1),
            round(min(100.0, share.high) * scale, 1),
        )
        for place, share in enumerate(values)
    ]
    return Shares(title, rows, len(rows) * _ROW)
