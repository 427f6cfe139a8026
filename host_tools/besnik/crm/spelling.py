"""Card numbers as people write them into their CRM, and as Besnik has them."""

from __future__ import annotations

import re
from typing import Final

_UID: Final = re.compile(r"(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})")
_SEPARATORS: Final = re.compile(r"[\s:.-]")
# How many ``spellings`` a number has.
COUNT: Final = 8


def canonical(code: str) -> str:
    """Return a card's number as Besnik has it, however somebody wrote it; other codes as is."""
    bare = _SEPARATORS.sub("", code).upper()
    return bare if _UID.fullmatch(bare) else code


def spellings(card: str) -> list[str]:
    """Return the ways in which people write a card's number: 04A1B2, 04a1b2, 04:A1:B2, 04 a1 b2."""
    if not _UID.fullmatch(card):
        return [card]
    pairs = re.findall("..", card)
    plain = [card, *(mark.join(pairs) for mark in ":- ")]
    return [*plain, *(text.lower() for text in plain)]
