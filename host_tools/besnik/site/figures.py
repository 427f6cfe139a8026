"""Money, points and shares as each language writes them, and what people type as an amount.

Money is whole minor units everywhere; it is rounded before it comes here, and formatting never
rounds it again. Rials may be shown and typed as tomans of ten: `Currency.display_unit`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Final, Literal, cast

from babel.core import Locale
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from besnik.loyalty.money import AmountError, Currency, parse_amount
from besnik.loyalty.texts.catalogue import Language, Message, counted, word
from besnik.loyalty.texts.catalogue import say as say_in
from besnik.site import formats
from besnik.site.formats import Number, number

RIALS_IN_TOMAN: Final = 10
MOST_MINOR: Final = 10**13

_NBSP: Final = "\u00a0"
# How shops write them, where CLDR has only the code or a word for bankers.
_SYMBOLS: Final = {
    ("fa", "EUR"): "یورو",
    ("fa", "USD"): "دلار",
    ("fa", "GBP"): "پوند",
    ("fa", "CHF"): "فرانک",
    ("fa", "RUB"): "روبل",
    ("fa", "ALL"): "لک",
    ("el", "ALL"): "λεκ",
    ("ru", "ALL"): "лек",
    ("el", "RUB"): "₽",
    ("sq", "RUB"): "₽",
    ("en", "RUB"): "₽",
}
# What people type: Arabic letters of a Persian word, the decimal mark and the comma of Persian.
_TYPED: Final = str.maketrans("يك٫،", "یک.,")
_RIAL: Final = "rial"
_TOMAN: Final = "toman"

_Unit = Literal["", "rial", "toman"]


class TypedError(ValueError):
    """What was typed cannot be used; the text says how to write it, in the active language."""


def _language() -> Language:
    return cast(Language, formats.language())


class _Figures:
    """Figures of rules and messages in the active language (`Figures` of besnik.loyalty)."""

    def __init__(self, *, signed: bool = False) -> None:
        self._signed = signed

    def number(self, text: str) -> str:
        """See Figures."""
        value = Decimal(text)
        exponent = value.normalize().as_tuple().exponent
        decimals = max(0, -exponent) if isinstance(exponent, int) else 0
        return number(value, decimals, signed=self._signed)

    def money(self, amount_minor: int, currency: Currency) -> str:
        """See Figures; a whole amount has no decimals, as in a sentence."""
        return amount(amount_minor, currency, short=True)

    def share(self, bp: int) -> str:
        """See Figures."""
        return formats.percent(Decimal(bp) / 10_000, 2)

    def day(self, day: dt.date) -> str:
        """See Figures."""
        return formats.full_day(day)

    def name(self, name: str) -> str:
        """See Figures; a name of the other direction keeps its own, and the line the line's."""
        foreign = {"L"} if _language() == "fa" else {"R", "AL"}
        if foreign.isdisjoint(unicodedata.bidirectional(mark) for mark in name):
            return name
        return f"\u2068{name}\u2069"


FIGURES: Final = _Figures()
_SIGNED: Final = _Figures(signed=True)


def say(message: Message) -> str:
    """Return a message of besnik.loyalty in the active language."""
    return say_in(message, _language(), FIGURES)


def amount(
    amount_minor: Number, currency: Currency, *, signed: bool = False, short: bool = False
) -> str:
    """Return an amount of money: "€12.50", "1 234 Lekë", "۲۵٬۰۰۰ تومان".

    A fraction of a minor unit (an average) is rounded half up first. With ``signed`` more than
    nothing has a plus; with ``short`` a whole amount has no decimals.
    """
    whole = formats.rounded(amount_minor)
    if currency.code == "IRR":
        toman = currency.display_unit == _TOMAN
        value = whole / RIALS_IN_TOMAN if toman else whole
        figures = _SIGNED if signed else FIGURES
        said = counted(value, _TOMAN if toman else _RIAL, _language(), figures)
        return said.replace(" ", _NBSP)
    value = whole.scaleb(-currency.exponent)
    short = short and value == value.to_integral_value()
    text = number(value, 0 if short else currency.exponent, fixed=True, signed=signed)
    sign = symbol(currency)
    if _language() != "en":
        return f"{text}{_NBSP}{sign}"
    minus = "-" if value < 0 else "+" if signed and value > 0 else ""
    space = _NBSP if sign[-1].isalpha() else ""
    return f"{minus}{sign}{space}{text.lstrip('-+')}"


def symbol(currency: Currency) -> str:
    """Return the sign or word of a currency's unit in the active language, for many of it."""
    if currency.code == "IRR":
        return points_word(0, currency.display_unit or _RIAL)
    known = _SYMBOLS.get((_language(), currency.code))
    return known or Locale.parse(_language()).currency_symbols.get(currency.code, currency.code)


def points(count: int | Decimal, unit: str, *, signed: bool = False) -> str:
    """Return "12 points" of a unit; a unit that the languages have no word for is its own word."""
    try:
        return counted(count, unit, _language(), _SIGNED if signed else FIGURES)
    except KeyError:
        return f"{(_SIGNED if signed else FIGURES).number(f'{Decimal(count):f}')} {unit}"


def points_word(count: int | Decimal, unit: str) -> str:
    """Return the word alone, as ``count`` of the unit asks for it: "points"."""
    return points(count, unit).partition(" ")[2]


def unit_name(unit: str, currency: Currency) -> str:
    """Return what a unit is called in a heading: "points", "баллы", "€"."""
    return symbol(currency) if unit == currency.code else word(unit, _language())


def quantity(count: int, unit: str, currency: Currency, *, signed: bool = False) -> str:
    """Return points of a unit, or an amount of money if the unit is the currency's."""
    if unit == currency.code:
        return amount(count, currency, signed=signed)
    return points(count, unit, signed=signed)


def as_typed(amount_minor: int, currency: Currency) -> str:
    """Return an amount as somebody types it: the value of a form's field."""
    exponent = _exponent(currency, currency.display_unit)
    value = Decimal(amount_minor).scaleb(-exponent)
    if currency.display_unit and value == value.to_integral_value():
        value = formats.rounded(value)
    return _written(f"{value:f}")


def parse_typed_amount(typed: str, currency: Currency) -> int:
    """Return the minor units of what was typed, in digits of any script.

    Everything that `amount` shows is understood, with its unit or without; without one it is in
    the unit shown. TypedError says how to write it.
    """
    text, unit = _without_unit(_plain(typed), currency)
    exponent = _exponent(currency, unit)
    try:
        found = parse_amount(text, Currency(currency.code, exponent))
    except AmountError as error:
        raise TypedError(_refusal(error, text, exponent)) from error
    if found > MOST_MINOR:
        raise TypedError(_("This amount is too large: check the digits."))
    return found


def parse_typed_count(typed: str) -> int:
    """Return a whole number of points that was typed, in digits of any script."""
    try:
        found = parse_amount(_plain(typed), Currency("", 0))
    except AmountError as error:
        raise TypedError(_("Write a whole number in digits.")) from error
    if found > MOST_MINOR:
        raise TypedError(_("This number is too large: check the digits."))
    return found


def _written(plain: str) -> str:
    """Return ASCII digits with a decimal point as the active language writes them."""
    mark = {"en": ".", "fa": "\u066b"}.get(_language(), ",")
    return formats.localized_digits(plain.replace(".", mark))


def _exponent(currency: Currency, unit: _Unit) -> int:
    """Return how many decimals an amount in ``unit`` has: a rial is the tenth of a toman."""
    return 1 if unit == _TOMAN else currency.exponent


def _plain(typed: str) -> str:
    """Return what was typed with ASCII digits and marks, without marks of direction."""
    kept = []
    for mark in typed.translate(_TYPED):
        category = unicodedata.category(mark)
        if category != "Cf":
            kept.append(str(unicodedata.decimal(mark)) if category == "Nd" else mark)
    text = "".join(kept).strip()
    return text.replace("/", ".") if _language() == "fa" else text


def _without_unit(text: str, currency: Currency) -> tuple[str, _Unit]:
    """Return the text without a unit's sign or word, and the unit it was in."""
    shown: _Unit = currency.display_unit
    words: dict[str, _Unit] = {symbol(currency): shown, currency.code: shown}
    if currency.code == "IRR":
        units: tuple[_Unit, ...] = (_RIAL, _TOMAN)
        words = {points_word(n, unit): unit for unit in units for n in (1, 2, 5)}
        words["IRR"] = _RIAL
    folded = text.casefold()
    for sign, unit in sorted(words.items(), key=lambda item: -len(item[0])):
        if folded.startswith(sign.casefold()):
            return text[len(sign) :].strip(), unit
        if folded.endswith(sign.casefold()):
            return text[: -len(sign)].strip(), unit
    return text, shown


def _refusal(error: AmountError, text: str, exponent: int) -> str:
    """Return what to type instead, in the active language."""
    if error.fault == "two_amounts":
        clear = re.sub(r"\D", "", text) + "." + "0" * exponent
        return _(
            "“%(typed)s” can mean two amounts: write it without a mark between thousands,"
            " for example %(example)s."
        ) % {"typed": text, "example": _written(clear)}
    if error.fault == "decimals" and exponent == 0:
        return _("Write a whole amount, without decimals.")
    if error.fault == "decimals":
        return ngettext(
            "Write at most %(shown)s digit after the decimal mark.",
            "Write at most %(shown)s digits after the decimal mark.",
            exponent,
        ) % {"shown": number(exponent)}
    return _("Write the amount in digits, with at most one decimal mark.")
