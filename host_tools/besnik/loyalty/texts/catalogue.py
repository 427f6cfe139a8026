"""A message in the words of a language.

The texts are Python data here and not gettext: one sentence holds several counted things
("2 points for every 3 items") and gettext has one plural a message; and the engine, the preview
and the proof that both agree need them without Django. Figures are formatted by whoever shows
them, through ``Figures``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, Protocol

import msgspec

from besnik.loyalty.money import Currency
from besnik.loyalty.rules import WHOLE_BP
from besnik.loyalty.texts import el, en, fa, ru, sq

Language = Literal["en", "sq", "ru", "el", "fa"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "sq", "ru", "el", "fa")


class Count(msgspec.Struct, frozen=True, tag="count"):
    """``n`` of something that is counted: a unit, days, months, visits."""

    n: int
    of: str


class Money(msgspec.Struct, frozen=True, tag="money"):
    """An amount of money in minor units."""

    amount_minor: int
    currency: Currency


class Share(msgspec.Struct, frozen=True, tag="share"):
    """A share in basis points."""

    bp: int


class Factor(msgspec.Struct, frozen=True, tag="factor"):
    """A factor in basis points: 15 000 is 1.5."""

    bp: int


class Names(msgspec.Struct, frozen=True, tag="names"):
    """Ids or names; those that the language has a word for are said with it."""

    names: tuple[str, ...]


Value = Count | Money | Share | Factor | Names | dt.date | str


class Message(msgspec.Struct, frozen=True):
    """A sentence without a language: its id and what it speaks of."""

    id: str
    values: Mapping[str, Value] = msgspec.field(default_factory=dict)


class Figures(Protocol):
    """How figures are written; the pages write them as each language does."""

    def number(self, text: str) -> str:
        """Return a number given with ASCII digits and a decimal point."""

    def money(self, amount_minor: int, currency: Currency) -> str:
        """Return an amount of money."""

    def share(self, bp: int) -> str:
        """Return a share given in basis points: "12.5 %"."""

    def day(self, day: dt.date) -> str:
        """Return a date."""

    def name(self, name: str) -> str:
        """Return what people have named, which may be written in another direction."""


class PlainFigures:
    """Figures for machines and proofs: ASCII digits, ``EUR 12.50``, ISO dates."""

    def number(self, text: str) -> str:
        """See Figures."""
        return text

    def money(self, amount_minor: int, currency: Currency) -> str:
        """See Figures."""
        return f"{currency.code} {decimal(amount_minor, currency.exponent)}"

    def share(self, bp: int) -> str:
        """See Figures."""
        return f"{Decimal(bp) / 100:f} %"

    def day(self, day: dt.date) -> str:
        """See Figures."""
        return day.isoformat()

    def name(self, name: str) -> str:
        """See Figures."""
        return name


PLAIN: Final = PlainFigures()

_PHRASES: Final[Mapping[Language, Mapping[str, Mapping[str, str]]]] = {
    "en": en.PHRASES,
    "sq": sq.PHRASES,
    "ru": ru.PHRASES,
    "el": el.PHRASES,
    "fa": fa.PHRASES,
}
_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": en.WORDS,
    "sq": sq.WORDS,
    "ru": ru.WORDS,
    "el": el.WORDS,
    "fa": fa.WORDS,
}
_TEXTS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": en.TEXTS,
    "sq": sq.TEXTS,
    "ru": ru.TEXTS,
    "el": el.TEXTS,
    "fa": fa.TEXTS,
}
_COMMA: Final[Mapping[Language, str]] = {"en": ", ", "sq": ", ", "ru": ", ", "el": ", ", "fa": "، "}


def say(message: Message, language: Language, figures: Figures = PLAIN) -> str:
    """Return the message in ``language``; KeyError for a message that does not exist."""
    values = {name: _value(value, language, figures) for name, value in message.values.items()}
    return _TEXTS[language][message.id].format(**values)


def word(name: str, language: Language) -> str:
    """Return what a language calls a unit, a benefit or a reward; a name it does not know as is."""
    return _WORDS[language].get(name, name)


def counted(n: int | Decimal, of: str, language: Language, figures: Figures = PLAIN) -> str:
    """Return "3 points": ``n`` of something that is counted, in the form the number asks for.

    KeyError if the language has no word for ``of``.
    """
    forms = _PHRASES[language][of]
    form = forms.get(category(n, language), "") or forms["few"]  # Russian: 1.5 as 2
    return form.format(n=figures.number(f"{Decimal(n):f}"))


def category(n: int | Decimal, language: Language) -> str:
    """Return the CLDR plural category of a number without its sign."""
    n = abs(Decimal(n))
    if language == "fa":
        return "one" if n <= 1 else "other"
    if n != int(n):
        return "other"
    if language == "ru":
        if n % 10 == 1 and n % 100 != 11:
            return "one"
        return "few" if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else "many"
    return "one" if n == 1 else "other"


def decimal(whole: int, exponent: int) -> str:
    """Return ``whole`` / 10**exponent, without a fraction that is zero: "1", "12.50", "0.05"."""
    units, rest = divmod(whole, 10**exponent)
    return f"{units}.{rest:0{exponent}d}" if rest else str(units)


def _value(value: Value, language: Language, figures: Figures) -> str:
    if isinstance(value, Count):
        return counted(value.n, value.of, language, figures)
    if isinstance(value, Money):
        return figures.money(value.amount_minor, value.currency)
    if isinstance(value, Share):
        return figures.share(value.bp)
    if isinstance(value, Factor):
        return figures.number(f"{Decimal(value.bp) / WHOLE_BP:f}")
    if isinstance(value, Names):
        words = _WORDS[language]
        named = (words.get(name) or figures.name(name) for name in value.names)
        return _COMMA[language].join(named)
    return figures.name(value) if isinstance(value, str) else figures.day(value)
