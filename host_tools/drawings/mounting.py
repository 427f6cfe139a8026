"""Where the antenna goes: under a counter top, and away from metal."""

from __future__ import annotations

from typing import Final

from drawings.svg import INK, SOFT, box, dashed, page, text

_WOOD: Final = "#d6b48a"
_METAL: Final = "#94a3b8"
_BOARD: Final = "#93c5fd"
_FERRITE: Final = "#334155"


def drawing() -> str:
    """Return two cross-sections: over a free space, and over metal with ferrite."""
    parts = [
        text(40, 44, "The antenna under the counter", size=20),
        text(40, 68, "Cross-sections, not to scale.", colour=SOFT),
        *_section(40, "wood, plastic or glass", has_ferrite=False),
        *_section(520, "metal close behind it: ferrite", has_ferrite=True),
    ]
    says = (
        "A card lies on a top of wood, plastic or glass, 10 mm thick at most. The antenna is close"
        " under it, coil upwards. Behind the antenna there are 20 mm of air before any metal; or a"
        " sheet of ferrite as large as the antenna, with metal directly behind it."
    )
    return page(980, 420, "Mounting the antenna", says, parts)


def _section(x: float, says: str, *, has_ferrite: bool) -> list[str]:
    metal_y = 268 if has_ferrite else 318
    parts = [
        text(x, 108, says, size=17),
        box(x + 120, 134, 180, 12, "#fff"),
        text(x + 310, 146, "card, held flat"),
        f'<rect x="{x}" y="150" width="420" height="52" fill="{_WOOD}"/>',
        text(x + 12, 181, "10 mm at most, no metal in it"),
        box(x + 120, 212, 180, 14, _BOARD),
        text(x + 310, 224, "the RC522, coil up"),
        f'<rect x="{x}" y="{metal_y}" width="420" height="30" fill="{_METAL}"/>',
        text(x + 12, metal_y + 20, "metal: a drawer, a steel top, a till"),
    ]
    if has_ferrite:
        return [
            *parts,
            f'<rect x="{x + 110}" y="240" width="200" height="12" fill="{_FERRITE}"/>',
            text(x + 320, 252, "ferrite sheet"),
            text(x, 352, "Ferrite for 13.56 MHz, larger than the coil by 5 mm all", colour=SOFT),
            text(
                x, 372, "round, between coil and metal; nothing between coil and card.", colour=SOFT
            ),
        ]
    return [
        *parts,
        dashed([(x + 210, 230), (x + 210, metal_y)], INK),
        text(x + 222, 276, "20 mm of air or more"),
        text(x, 376, "Cables and the board's own copper count as metal too.", colour=SOFT),
    ]
