"""The read rate over the gain steps as a drawing (SVG) to keep with a reader."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from besnik.fleet.doctor.antenna import GOOD_SHARE, Step

_LEFT: Final = 60
_TOP: Final = 50
_HEIGHT: Final = 200
_PITCH: Final = 80
_BAR: Final = 48
_PARTS: Final = (("read", "#0a7d3c"), ("damaged", "#c2410c"), ("silent", "#d4d4d8"))


def svg(steps: Sequence[Step], gain_db: int, title: str) -> str:
    """Return bars of what was read, damaged and silent at each gain; the one in use is marked."""
    width = _LEFT + _PITCH * len(steps) + 20
    height = _TOP + _HEIGHT + 80
    base = _TOP + _HEIGHT
    good = base - GOOD_SHARE * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="14">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="28" font-size="16" font-weight="bold">{escape(title)}</text>',
    ]
    for number, step in enumerate(steps):
        parts += _bar(_LEFT + _PITCH * number, base, step, is_used=step.gain_db == gain_db)
    parts += [
        f'<path d="M{_LEFT} {good:.1f}H{width - 20}" stroke="#111" stroke-dasharray="4 4"/>',
        f'<text x="{_LEFT - 8}" y="{good + 5:.1f}" text-anchor="end">{GOOD_SHARE:.0%}</text>',
        f'<path d="M{_LEFT} {base}H{width - 20}" stroke="#111"/>',
    ]
    for number, (name, colour) in enumerate(_PARTS):
        x = _LEFT + 110 * number
        parts.append(f'<rect x="{x}" y="{base + 52}" width="14" height="14" fill="{colour}"/>')
        parts.append(f'<text x="{x + 20}" y="{base + 64}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _bar(x: float, base: float, step: Step, *, is_used: bool) -> list[str]:
    middle = x + _BAR / 2
    drawn, bottom = [], base
    for name, colour in _PARTS:
        tall = _HEIGHT * getattr(step, name) / step.looks
        bottom -= tall
        if tall:
            drawn.append(
                f'<rect x="{x}" y="{bottom:.1f}" width="{_BAR}" height="{tall:.1f}"'
                f' fill="{colour}"/>'
            )
    weight = ' font-weight="bold"' if is_used else ""
    drawn.append(
        f'<text x="{middle}" y="{base + 18}" text-anchor="middle"{weight}>{step.gain_db} dB</text>'
    )
    drawn.append(
        f'<text x="{middle}" y="{base + 36}" text-anchor="middle"{weight}>'
        f"{step.read}/{step.looks}{' set' if is_used else ''}</text>"
    )
    return drawn
