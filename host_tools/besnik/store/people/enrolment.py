"""Enrolment: a member, who it is, what was agreed to, and the card, or nothing of it all."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from besnik.credentials.assess import CredentialError, assess, card_ref
from besnik.store.models import (
    Card,
    CardKind,
    Member,
    MemberStatus,
    Motive,
    Originality,
    Person,
    Program,
    Staff,
    Tap,
)
from besnik.store.people import consents as consent_records
from besnik.store.people import names, phones
from besnik.store.people.codes import read_code
from besnik.store.programs import current

LANGUAGES: Final = ("en", "sq", "ru", "el", "fa")
NAME_MAX: Final = 120
TAG_MAX: Final = 40
TAGS_MAX: Final = 20

Refusal = Literal[
    "card_known",
    "random_uid",
    "name_empty",
    "name_long",
    "name_characters",
    "language",
    "phone_country",
    "phone_wrong",
    "phone_known",
    "email",
    "birthday",
    "motive",
    "tags",
]


class EnrolError(ValueError):
    """An enrolment that cannot be made; ``code`` says why to a program, the text to a person.

    ``member`` is the reference of the member who has that card or phone already.
    """

    def __init__(self, code: Refusal, text: str, member: str | None = None) -> None:
        super().__init__(text)
        self.code: Refusal = code
        self.member = member


class NewCard(msgspec.Struct, frozen=True):
    """A card to enrol: ``data`` is a UID in upper-case hex, or a printed code.

    ``counter`` is its SUN counter so far, ``originality`` what was found when it was tapped.
    """

    kind: str
    data: str
    counter: int | None = None
    originality: str = Originality.UNCHECKED


class Details(msgspec.Struct, frozen=True):
    """What may be known of a person; all of it is optional. ``phone`` as typed."""

    phone: str = ""
    email: str = ""
    birthday: dt.date | None = None
    motive: str = ""
    tags: tuple[str, ...] = ()


UNKNOWN: Final = Details()


def enrol_tap(
    tap: Tap,
    *,
    name: str,
    language: str,
    details: Details = UNKNOWN,
    consents: Sequence[consent_records.Agreed] = (),
    staff: Staff | None = None,
) -> Member:
    """Enrol the card of a rejected tap in the program of the tap's shop; EnrolError.

    The counter of that tap counts as used, so the tap cannot be played again as a visit.
    """
    program = Program.objects.get(shops__readers=tap.reader_id)
    return enrol(
        program,
        name=name,
        language=language,
        card=card_of(tap),
        details=details,
        consents=consents,
        staff=staff,
    )


def card_of(tap: Tap) -> NewCard:
    """Return the card of a tap that nobody knows yet; EnrolError for one that proved nothing."""
    if tap.tier == "X":
        raise _proved_nothing()
    found = tap.finding if tap.finding in Originality.values else Originality.UNCHECKED
    return NewCard(tap.kind, tap.data, tap.counter, found)


def enrol(
    program: Program,
    *,
    name: str,
    language: str,
    card: NewCard | None = None,
    details: Details = UNKNOWN,
    consents: Sequence[consent_records.Agreed] = (),
    source: str = "till",
    staff: Staff | None = None,
    at: dt.datetime | None = None,
) -> Member:
    """Make a member with what is known and at most one active card, or nothing of it all.

    EnrolError for a card or phone the program knows, a random UID, a name that is empty, longer
    than 120 characters or holds control characters, a language that is none of ``LANGUAGES``, a
    phone number that is none; CredentialError for data that is no card's.
    """
    name = clean_name(name)
    if language not in LANGUAGES:
        raise EnrolError("language", f"Choose one of the languages {', '.join(LANGUAGES)}.")
    given = None if card is None else _checked(card)
    with transaction.atomic():
        member = Member.objects.create(program=program, name=name, language=language)
        person = person_of(member, details)
        person.folded_name = names.folded(name)
        _insert(person)
        names.index([person])
        consent_records.record(member, consents, source=source, staff=staff, at=at)
        if given is not None:
            add_card(member, given)
    return member


def add_card(member: Member, card: NewCard) -> Card:
    """Give ``member`` one more card; EnrolError if the program knows it."""
    card = _checked(card)
    try:
        with transaction.atomic():
            return Card.objects.create(
                program_id=member.program_id,
                member=member,
                kind=card.kind,
                data=card.data,
                counter=card.counter,
                originality=card.originality,
            )
    except IntegrityError as error:
        owner = Card.objects.filter(program_id=member.program_id, kind=card.kind, data=card.data)
        if ref := owner.values_list("member__ref", flat=True).first():
            raise EnrolError("card_known", "This card already belongs to a member.", ref) from error
        raise


def person_of(member: Member, details: Details) -> Person:
    """Return the person (not saved) that ``details`` describe, checked; EnrolError."""
    phone = ""
    if details.phone.strip():
        phone = _free_phone(member, details.phone)
    if details.motive not in Motive.values:
        raise EnrolError("motive", f"Choose one of {', '.join(filter(None, Motive.values))}.")
    email = details.email.strip()
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise EnrolError("email", "This is no e-mail address: check it.") from error
    today = current(member.program_id).today(dt.datetime.now(dt.UTC))
    if details.birthday is not None and not today.year - 130 <= details.birthday.year <= today.year:
        raise EnrolError("birthday", "Check the year of the birthday.")
    tags = tuple(dict.fromkeys(" ".join(tag.split()) for tag in details.tags if tag.strip()))
    if len(tags) > TAGS_MAX or any(len(tag) > TAG_MAX for tag in tags):
        raise EnrolError("tags", f"Give at most {TAGS_MAX} tags of at most {TAG_MAX} characters.")
    return Person(
        member=member,
        program_id=member.program_id,
        folded_name=names.folded(member.name),
        phone=phone,
        phone_digest=phones.digest(phone) if phone else "",
        email=email,
        birthday=details.birthday,
        motive=details.motive,
        tags=list(tags),
    )


def clean_name(name: str) -> str:
    """Return ``name`` as it is kept: NFC, single spaces; EnrolError for one that cannot be."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name:
        raise EnrolError("name_empty", "Give a name.")
    if len(name) > NAME_MAX:
        raise EnrolError("name_long", f"Give a name of at most {NAME_MAX} characters.")
    # Cs: half a surrogate pair has no UTF-8 form. Cf stays: Persian names need U+200C.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise EnrolError("name_characters", "The name holds characters that cannot be shown.")
    return name


def country(program: int) -> str:
    """Return the country (two letters) whose phone numbers are written without its code, or ""."""
    return phones.country_of(current(program).zone)


def _insert(person: Person) -> None:
    """Save a new person; EnrolError if somebody else was given the phone at this moment."""
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        if person.phone:
            _free_phone(person.member, person.phone)
        raise error


def _free_phone(member: Member, typed: str) -> str:
    """Return a phone number that no other member of the program has; EnrolError."""
    try:
        phone = phones.normalise(typed, country(member.program_id))
    except phones.PhoneError as error:
        raise EnrolError(error.code, str(error)) from error
    # The condition of the index, or SQLite reads everybody (sqlite.org/partialindex.html).
    known = Person.objects.exclude(phone_digest="").exclude(member=member)
    taken = known.filter(program_id=member.program_id, phone_digest=phones.digest(phone))
    found = taken.values_list("member__ref", "member__status").first()
    if found is not None:
        left = " who left" if found[1] == MemberStatus.CLOSED else ""
        raise EnrolError(
            "phone_known",
            f"This phone number belongs to a member{left}: find them by it.",
            found[0],
        )
    return phone


def _checked(card: NewCard) -> NewCard:
    if card.kind == CardKind.CODE:
        code = read_code(card.data)
        if code is None:
            raise CredentialError("this is no printed code: check what was typed")
        return msgspec.structs.replace(card, data=code)
    if card.kind == "uid" and assess(card.kind, card.data).tier == "X":
        raise _proved_nothing()
    ref = card_ref(card.kind, card.data)
    return msgspec.structs.replace(card, kind=ref.kind, data=ref.data)


def _proved_nothing() -> EnrolError:
    return EnrolError(
        "random_uid", "This phone or card did not say which card it is. Use another one."
    )
