"""Phone numbers: one form (E.164), a keyed digest to find them by, and what is shown of them."""

from __future__ import annotations

import re
from typing import Final, Literal

import phonenumbers
from babel.core import get_global

from besnik.store.people.keyed import keyed

Problem = Literal["phone_country", "phone_wrong"]

_MASK: Final = "•••"
_SHOWN_DIGITS: Final = 4
# A number as people type it into a text: 7 digits or more of any script with what is usually
# between them, but for a date. Prices have fewer digits, or commas.
_DATE: Final = r"\b[0-3]?\d[./-][01]?\d[./-](?:19|20|13|14)\d\d\b|\b(?:19|20)\d\d-[01]\d-[0-3]\d\b"
_IN_TEXT: Final = re.compile(
    rf"(?<!\d)(?!{_DATE})(?:\+|\b00)?\d(?:[\s().\-/\u00a0\u200c]{{0,2}}\d){{6,17}}"
)


class PhoneError(ValueError):
    """A number that is no phone number; ``code`` for a program, the text for a person."""

    def __init__(self, code: Problem, text: str) -> None:
        super().__init__(text)
        self.code: Problem = code


def country_of(zone: str) -> str:
    """Return the two letters of the country a time zone is in; "" for one that is in none."""
    territory: str = get_global("zone_territories").get(zone, "")
    return territory if len(territory) == 2 and territory.isalpha() else ""


def normalise(text: str, country: str = "") -> str:
    """Return a phone number in E.164 form: plus, country, number; PhoneError.

    ``text`` is as typed, with digits of any script; without a leading plus or 00 it is a number
    of ``country`` (two letters).
    """
    cleaned = "".join(character for character in text if character.isprintable()).strip()
    if cleaned.startswith("00"):
        cleaned = f"+{cleaned[2:]}"
    if not country and not cleaned.startswith(("+", "＋")):
        raise PhoneError("phone_country", "Write the number with + and the code of its country.")
    try:
        number = phonenumbers.parse(cleaned, country or None)
    except phonenumbers.NumberParseException:
        number = None
    # Possible, not valid: a country's new prefixes are in use before a library knows them.
    if number is None or number.extension or not phonenumbers.is_possible_number(number):
        raise PhoneError("phone_wrong", "This is no phone number: check its digits.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def digest(phone: str) -> str:
    """Return the keyed digest of a number in E.164 form: 64 hex digits."""
    return keyed("phone", phone).hex()


def mask(phone: str) -> str:
    """Return what may be shown of a number to those who need not know it: ``•••1234``."""
    digits = [character for character in phone if character.isdecimal()]
    return _MASK + "".join(digits[-_SHOWN_DIGITS:]) if digits else ""


def mask_in(text: str) -> str:
    """Return ``text`` with every phone number in it masked."""
    return _IN_TEXT.sub(lambda found: mask(found.group()), text)
