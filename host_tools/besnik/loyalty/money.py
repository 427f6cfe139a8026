"""Money as whole minor units: currencies, and what a cashier types."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

# Digits after the point as shops write them (CLDR 48, cash); ISO 4217 gives ALL and IRR two
# that nobody has used for decades.
EXPONENTS: Final = {"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "RUB": 2, "ALL": 0, "IRR": 0, "JPY": 0}
SLIP_FACTOR: Final = 5

_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789.")
_GROUPS: Final = re.compile("[\\s'’٬\u00a0\u202f]")
_PLAIN: Final = re.compile(r"\d+(?:[.,]\d+)?\Z", re.ASCII)
_GROUPED: Final = re.compile(r"\d{1,3}(?P<group>[.,])\d{3}(?:(?P=group)\d{3})*", re.ASCII)


AmountFault = Literal["two_amounts", "no_amount", "decimals"]


class AmountError(ValueError):
    """What was typed is no amount of this currency; the text says how to write it.

    ``fault`` tells a page what to say in its language.
    """

    def __init__(self, text: str, fault: AmountFault) -> None:
        super().__init__(text)
        self.fault: Final = fault


class Currency(msgspec.Struct, frozen=True, omit_defaults=True):
    """A currency: ISO 4217 code, and how many digits its minor unit has.

    ``display_unit`` is what people speak of instead: "toman", of 10 rials, for IRR. Amounts are
    kept in minor units of the currency all the same.
    """

    code: str
    exponent: int
    display_unit: Literal["", "toman"] = ""

    def __post_init__(self) -> None:
        if self.display_unit and self.code != "IRR":
            raise ValueError(f"{self.display_unit} is a unit of IRR, not of {self.code}")

    @classmethod
    def named(cls, code: str) -> Currency:
        """Return the currency ``code`` with its customary exponent, 2 if it is not known here."""
        return cls(code, EXPONENTS.get(code, 2))


def parse_amount(typed: str, currency: Currency) -> int:
    """Return the minor units that ``typed`` means, in Latin, Persian or Arabic digits.

    Point and comma both work as the decimal mark. AmountError when it could mean two things
    ("1.234" in euro), has too many decimals, a sign, or no digits.
    """
    text = _GROUPS.sub("", typed.translate(_DIGITS))
    grouped = _GROUPED.match(text)
    if grouped:
        rest = text[grouped.end() :]
        several = len(grouped[0]) > len("999.999")
        other = {".": ",", ",": "."}[grouped["group"]]
        if several or rest.startswith(other) or (currency.exponent < 2 and not rest):
            text = re.sub("[.,]", "", grouped[0]) + rest
        elif currency.exponent != 3 and not rest:
            raise AmountError(
                f"{typed!r} can mean two amounts: write it without thousands marks", "two_amounts"
            )
    if not _PLAIN.match(text):
        raise AmountError(
            f"{typed!r} is no amount: write digits, and at most one decimal mark", "no_amount"
        )
    whole, _, fraction = text.replace(",", ".").partition(".")
    if len(fraction) > currency.exponent:
        raise AmountError(
            f"{typed!r}: {currency.code} has {currency.exponent} decimals", "decimals"
        )
    return int(whole + fraction.ljust(currency.exponent, "0"))


def looks_like_a_slip(amount_minor: int, recent: Sequence[int]) -> bool:
    """Tell whether an amount is so far above the ``recent`` ones that a cashier should confirm.

    More than five times their median; never with fewer than five of them.
    """
    return len(recent) >= SLIP_FACTOR and amount_minor > SLIP_FACTOR * statistics.median(recent)
