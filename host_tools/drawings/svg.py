"""Shapes of a drawing, as lines of SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

INK: Final = "#0f172a"
SOFT: Final = "#475569"
PAPER: Final = "#f8fafc"


def page(width: int, height: int, title: str, says: str, parts: Sequence[str]) -> str:
    """Return a whole drawing; ``says`` is for those who cannot see it."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
            ' aria-labelledby="t d" font-family="system-ui, sans-serif">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(says)}</desc>',
            f'<rect width="{width}" height="{height}" rx="14" fill="{PAPER}"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def box(x: float, y: float, width: float, height: float, fill: str = "#fff") -> str:
    """Return a part's outline."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8" fill="{fill}"'
        f' stroke="{SOFT}" stroke-width="1.6"/>'
    )


def text(
    x: float, y: float, said: str, *, size: int = 14, anchor: str = "start", colour: str = INK
) -> str:
    """Return a line of text whose baseline is at ``y``; larger ones are bold."""
    weight = ' font-weight="600"' if size > 14 else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}"{weight} text-anchor="{anchor}"'
        f' fill="{colour}">{escape(said)}</text>'
    )


def line(points: Sequence[tuple[float, float]], colour: str, *, width: float = 3) -> str:
    """Return a wire through these points."""
    way = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'


def dashed(points: Sequence[tuple[float, float]], colour: str) -> str:
    """Return a measure, or a wire that may be left out."""
    way = " ".join(f"{x:g},{y:g}" for x, y in points)
    return (
        f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="1.6"'
        ' stroke-dasharray="6 4"/>'
    )


def dot(x: float, y: float, colour: str = INK, radius: float = 5) -> str:
    """Return a pad, or a place where wires meet."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{colour}"/>'
