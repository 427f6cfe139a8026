"""QR codes as pictures within a page: nothing is fetched from anywhere."""

from __future__ import annotations

import segno
from django.utils.safestring import SafeString, mark_safe


def svg(text: str) -> SafeString:
    """Return the QR code of ``text`` as SVG, black on white whatever the page's colours are.

    The picture is as large as its frame; who cannot see it needs ``text`` beside it.
    """
    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr")
    # segno draws paths from the code's modules; nothing of the text gets into the markup.
    return mark_safe(drawn)
