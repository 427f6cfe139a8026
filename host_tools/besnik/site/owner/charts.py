"""Pictures of figures as SVG, drawn on the server: columns of months, bars of shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

WIDTH: Final = 720
_TOP, _FLOOR = 28, 210
# The scale is written at the start; labels are wider than their columns.
_GUTTER, _END = 96, 24


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
    scale_x: int = 2
    width: int = WIDTH
    floor: int = _FLOOR
    height: int = _FLOOR + 36


class Share(msgspec.Struct, frozen=True):
    """A share to draw as a bar of 100, in percent, with its interval."""

    label: str
    text: str
    value: float
    low: float
    high: float

    @property
    def line(self) -> str:
        """The path of the interval across the bar's end, 10 high."""
        return f"M{self.low:.2f} 2V8M{self.low:.2f} 5H{self.high:.2f}M{self.high:.2f} 2V8"


def columns(
    title: str, values: Sequence[Column], scale: Sequence[tuple[float, str]], *, rtl: bool = False
) -> Columns:
    """Return the picture of columns; ``scale`` is what `steps` gave, each written out.

    With ``rtl`` it begins at the right, as its language does.
    """
    top = max((step for step, _ in scale), default=1.0) or 1.0

    def y(value: float) -> float:
        return round(_FLOOR - (_FLOOR - _TOP) * max(0.0, min(value, top)) / top, 1)

    def middle(place: int) -> float:
        x = _GUTTER + (place + 0.5) * room
        return WIDTH - x if rtl else x

    room = (WIDTH - _GUTTER - _END) / max(1, len(values))
    width = round(room * 0.62, 1)
    bars = [
        Bar(
            column,
            round(middle(place) - width / 2, 1),
            round(middle(place), 1),
            width,
            y(column.value),
            round(_FLOOR - y(column.value), 1),
            None if column.high is None else y(column.high),
            None if column.low is None else y(column.low),
            # A label is wider than a column: every third one, the last among them.
            (len(values) - 1 - place) % 3 == 0,
        )
        for place, column in enumerate(values)
    ]
    lines = [(y(step), text) for step, text in scale]
    return Columns(title, bars, lines, WIDTH - 2 if rtl else 2)


def steps(most: float) -> list[float]:
    """Return the round steps of a scale that holds ``most``: 0, 200, 400, 600."""
    if most <= 0:
        return [0.0, 1.0]
    size = 10 ** math.floor(math.log10(most / 3))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * 4 >= most)
    count = math.ceil(most / step)
    return [step * place for place in range(count + 1)]
