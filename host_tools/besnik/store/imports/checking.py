"""Whether the rows of a file can be taken over; each problem with its line, column and value."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from besnik.credentials.assess import CredentialError, assess, card_ref
from besnik.loyalty.money import AmountError, Currency, parse_amount
from besnik.loyalty.rules import MOST
from besnik.store.imports.reading import Row
from besnik.store.models import Card, CardKind, Member, MemberStatus, Person
from besnik.store.people import LANGUAGES, EnrolError, PhoneError, clean_name, digest, normalise

UNITS: Final = ("point", "stamp")
_SEPARATORS: Final = re.compile(r"[\s:\-]")

Code = Literal[
    "name",
    "phone",
    "phone_twice",
    "phone_left",
    "email",
    "birthday",
    "language",
    "card",
    "card_twice",
    "card_of_other",
    "card_left",
    "nobody",
    "balance",
]


_Tell = Callable[[str, Code], None]


class Problem(NamedTuple):
    """What is wrong with one cell."""

    line: int
    column: str
    code: Code
    value: str


class Ready(msgspec.Struct, frozen=True):
    """A row that can be taken over; ``member`` is whose it is already, None for a new one.

    ``phone`` is in E.164 form, ``card`` upper-case hex, ``opening`` the balances by unit.
    """

    line: int
    name: str
    phone: str
    email: str
    birthday: dt.date | None
    language: str
    card: str
    opening: dict[str, int]
    member: int | None

    @property
    def identities(self) -> list[str]:
        """What names the row's person wherever the file is sent again, and tells nobody who."""
        return [digest(known) for known in (self.phone, self.card) if known]


class Checker:
    """Checks rows one after the other; it remembers which phones and cards the file had."""

    def __init__(self, program: int, country: str, language: str) -> None:
        self._program, self._country, self._language = program, country, language
        self._phones: set[str] = set()
        self._cards: set[str] = set()

    def check(self, row: Row) -> Ready | list[Problem]:
        """Return the row ready to be taken over, or everything that is wrong with it."""
        wrong: list[Problem] = []
        cells = row.cells

        def problem(column: str, code: Code) -> None:
            wrong.append(Problem(row.line, column, code, cells.get(column, "")[:80]))

        name = _name(cells.get("name", ""))
        if not name:
            problem("name", "name")
        phone = self._phone(cells.get("phone", ""), problem)
        card = self._card(cells.get("card", ""), problem)
        if not cells.get("phone") and not cells.get("card"):
            problem("phone", "nobody")
        email = cells.get("email", "")
        if email and not _is_email(email):
            problem("email", "email")
        birthday = _day(cells.get("birthday", ""))
        if birthday == "wrong":
            problem("birthday", "birthday")
        language = cells.get("language", "").lower() or self._language
        if language not in LANGUAGES:
            problem("language", "language")
        opening = {unit: _whole(cells.get(unit, "")) for unit in UNITS}
        for unit, amount in opening.items():
            if amount is None:
                problem(unit, "balance")
        member = None if wrong else self._member(phone, card, problem)
        if wrong:
            return wrong
        return Ready(
            row.line,
            name,
            phone,
            email,
            birthday if isinstance(birthday, dt.date) else None,
            language,
            card,
            {unit: amount for unit, amount in opening.items() if amount},
            member,
        )

    def _phone(self, typed: str, problem: _Tell) -> str:
        if not typed:
            return ""
        try:
            # A spreadsheet takes +355 for a sum; those who know write an apostrophe before it.
            phone = normalise(typed.lstrip("'"), self._country)
        except PhoneError:
            problem("phone", "phone")
            return ""
        if phone in self._phones:
            problem("phone", "phone_twice")
        self._phones.add(phone)
        return phone

    def _card(self, typed: str, problem: _Tell) -> str:
        data = _SEPARATORS.sub("", typed.lstrip("'")).upper()
        if not data:
            return ""
        try:
            if assess(CardKind.UID, data).tier == "X":
                raise CredentialError("a random number")
            card_ref(CardKind.UID, data)
        except CredentialError:
            problem("card", "card")
            return ""
        if data in self._cards:
            problem("card", "card_twice")
        self._cards.add(data)
        return data

    def _member(self, phone: str, card: str, problem: _Tell) -> int | None:
        """Return whose phone or card it is; it must be one and the same, and still a member."""
        by_phone = by_card = None
        if phone:
            same = Person.objects.filter(program=self._program, phone_digest=digest(phone))
            # The condition of the index, or SQLite reads everybody (sqlite.org/partialindex.html).
            persons = same.exclude(phone_digest="")
            by_phone = Member.objects.filter(person__in=persons).first()
        if card:
            held = Card.objects.filter(program=self._program, kind=CardKind.UID, data=card)
            by_card = Member.objects.filter(cards__in=held).first()
        for found, column in ((by_phone, "phone"), (by_card, "card")):
            if found is not None and found.status != MemberStatus.ACTIVE:
                problem(column, "phone_left" if column == "phone" else "card_left")
        if by_card is not None and phone and (by_phone is None or by_phone.pk != by_card.pk):
            problem("card", "card_of_other")
        known = by_phone or by_card
        return None if known is None else known.pk


def _name(typed: str) -> str:
    try:
        return clean_name(typed)
    except EnrolError:
        return ""


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _day(text: str) -> dt.date | Literal["", "wrong"]:
    if not text:
        return ""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return "wrong"


def _whole(typed: str) -> int | None:
    """Return a balance: 0 for nothing, None for what is none."""
    if not typed:
        return 0
    try:
        amount = parse_amount(typed, Currency("", 0))
    except AmountError:
        return None
    return amount if amount <= MOST else None
