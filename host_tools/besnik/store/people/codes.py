"""Codes that are printed and typed: unguessable, without letters that look alike, checked.

Twelve characters of 31; the last is a check digit. A weighted sum modulo a prime finds every
single wrong character and every two that were swapped.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from besnik.store.people.keyed import keyed

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH: Final = 12
_GROUP: Final = 4
_BETWEEN: Final = str.maketrans("", "", " -‐‑–—·.\u00a0\u200c\u200e\u200f")


def new_code() -> str:
    """Return a new random code (54 bits)."""
    return _checked([secrets.randbelow(len(ALPHABET)) for _ in range(LENGTH - 1)])


def derived_code(purpose: str, *parts: str) -> str:
    """Return the code that belongs to ``parts``: always the same, and unguessable without the key.

    So it can be shown again though the database has only its digest.
    """
    number = int.from_bytes(keyed(f"code:{purpose}", *parts), "big")
    values = []
    for _ in range(LENGTH - 1):
        number, value = divmod(number, len(ALPHABET))
        values.append(value)
    return _checked(values)


def coupon_code(coupon: int) -> str:
    """Return the code of the coupon with this row number."""
    return derived_code("coupon", str(coupon))


def read_code(text: str) -> str | None:
    """Return the code that ``text`` (typed or scanned) is, None if it is none."""
    code = text.translate(_BETWEEN).upper()
    if len(code) != LENGTH or any(character not in ALPHABET for character in code):
        return None
    return (
        code if _checked([ALPHABET.index(character) for character in code[:-1]]) == code else None
    )


def grouped(code: str) -> str:
    """Return a code as it is printed: ``ABCD-EFGH-JKMN``."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def _checked(values: Sequence[int]) -> str:
    total = sum(place * value for place, value in enumerate(values, start=1))
    # The check digit's own weight is LENGTH: total + LENGTH * digit is 0 modulo 31.
    digit = -total * pow(LENGTH, -1, len(ALPHABET)) % len(ALPHABET)
    return "".join(ALPHABET[value] for value in (*values, digit))
