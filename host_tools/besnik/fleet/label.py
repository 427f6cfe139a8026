"""The card that is stuck under a reader: its id, its shop, and both as a QR code."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path

import segno

_SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="86mm" height="54mm" viewBox="0 0 860 540">
<title>Besnik reader {reader}, shop {shop}</title>
<rect width="860" height="540" rx="30" fill="#fff" stroke="#000" stroke-width="2"/>
<g transform="translate(40 100) scale({scale})">{qr}</g>
<g font-family="sans-serif" fill="#000">
<text x="410" y="150" font-size="36">Besnik reader</text>
<text x="410" y="230" font-size="64" font-weight="bold" textLength="{width}"
 lengthAdjust="spacingAndGlyphs">{reader}</text>
<text x="410" y="310" font-size="40">{shop}</text>
<text x="410" y="420" font-size="28">{made}</text>
</g>
</svg>
"""


def svg(shop: str, reader: str, made: str) -> str:
    """Return the card (ISO 7810 ID-1, 86 mm by 54 mm); ``made`` is its last line."""
    code = segno.make(f"besnik:{shop}/{reader}", error="m", micro=False)
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", xmldecl=False, svgns=False, nl=False, border=0)
    return _SVG.format(
        reader=escape(reader),
        shop=escape(shop),
        made=escape(made),
        qr=drawn.getvalue().decode(),
        scale=round(340 / code.symbol_size(border=0)[0], 3),
        width=min(410, 40 * len(reader)),
    )


def write(folder: Path, shop: str, reader: str, made: str) -> Path:
    """Write the card into ``folder``; return its file."""
    file = folder / "label.svg"
    file.write_text(svg(shop, reader, made), encoding="utf-8")
    return file
