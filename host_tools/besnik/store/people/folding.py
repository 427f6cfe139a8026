"""Names as a search compares them: one form for all the ways a name is typed.

Upper and lower case, accents, the final sigma, ë and ç, ё, the Arabic letters that Persian
keyboards have in forms of their own, and what is written between the letters make no difference.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

# What Unicode does not take apart. Persian keyboards have yeh and kaf of their own (U+06CC,
# U+06A9); hamza on its seat goes with the marks, and the seat of yeh is the Arabic one.
_SAME: Final = str.maketrans(
    {
        "\u064a": "\u06cc",
        "\u0649": "\u06cc",
        "\u0643": "\u06a9",
        "\u0629": "\u0647",
        "\u06d5": "\u0647",  # what is left of U+06C0 when its hamza is taken off
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
# Format characters (Cf) are written between letters and not seen, as the zero-width non-joiner
# of Persian compounds; marks (Mn) are accents; Lm holds the Arabic tatweel.
_UNSEEN: Final = ("Cf", "Mn", "Lm", "Sk")
_APOSTROPHES: Final = "'’ʼ`´"


def fold(name: str) -> str:
    """Return ``name`` in the form a search compares: words of letters and digits, one space apart.

    "Ελένη Παπαδοπούλου" and "ΕΛΕΝΗ ΠΑΠΑΔΟΠΟΥΛΟΥ" are the same, "Ç. Hoxha" and "c hoxha" too.
    """
    taken_apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    plain = unicodedata.normalize("NFKD", taken_apart.translate(_SAME).casefold())
    return " ".join("".join(_letters(plain)).split())


def words(folded: str, most: int = 8) -> tuple[str, ...]:
    """Return the different words of a folded name, in order, the first ``most`` of them."""
    return tuple(dict.fromkeys(folded.split()))[:most]


def _letters(plain: str) -> Iterable[str]:
    for character in plain:
        category = unicodedata.category(character)
        if category in _UNSEEN or character in _APOSTROPHES:
            continue
        if category == "Nd":
            yield str(unicodedata.digit(character))
        elif category[0] in "LN":
            yield character
        else:
            yield " "
