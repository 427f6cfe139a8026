"""Finding a member by whatever is at hand: phone, name, number, card, printed code, link.

At most seven statements, each by an index, however many members there are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal

import msgspec
from django.db.models import Exists, OuterRef, QuerySet

from besnik.store.models import (
    Card,
    CardKind,
    CardState,
    Member,
    MemberStatus,
    NameWord,
    Person,
    Program,
    Role,
)
from besnik.store.people import names, phones
from besnik.store.people.codes import read_code
from besnik.store.people.enrolment import country
from besnik.store.people.folding import fold, words
from besnik.store.people.links import read_link

FOUND_MAX: Final = 20
TEXT_MAX: Final = 200
_TAIL: Final = 4
_HEX: Final = re.compile(r"[0-9A-F]{4,20}\Z")
_REF: Final = re.compile(r"[2-9a-hjkmnp-z]{12}\Z")
_BETWEEN: Final = re.compile(r"[\s:.…·\-\u200e\u200f]")
# Roles that may see a whole phone number: they are who writes to members.
_SEE_PHONES: Final = (Role.MANAGER, Role.OWNER)

By = Literal["phone", "name", "number", "card", "code", "link"]


class Found(msgspec.Struct, frozen=True):
    """A member that a search found, and by what; ``phone`` as ``role`` may see it.

    ``cards`` are the ends of the active cards' data, ``status`` as `MemberStatus`.
    """

    ref: str
    name: str
    phone: str
    cards: tuple[str, ...]
    status: str
    by: By


def find(program: Program, text: str, role: str, *, most: int = FOUND_MAX) -> list[Found]:
    """Return the members of ``program`` that ``text`` names, the surest first, at most ``most``.

    ``text`` as typed or scanned: a phone number, words of a name or their beginnings, a member's
    reference, a card's number or the end of it (4 characters), a printed code, a member's link.
    """
    text = unicodedata.normalize("NFKC", text).strip()[:TEXT_MAX]
    by: dict[int, By] = {}
    for kind, members in _ways(program, text):
        for pk in members.values_list("pk", flat=True)[: most - len(by)]:
            by.setdefault(pk, kind)
        if len(by) >= most or (by and kind != "card"):
            break
    return _found(by, role)


def shown_phone(phone: str, role: str) -> str:
    """Return a phone number as ``role`` may see it: whole for a manager, ``•••1234`` for others."""
    return phone if role in _SEE_PHONES else phones.mask(phone)


def _ways(program: Program, text: str) -> Iterator[tuple[By, QuerySet[Member]]]:
    """Yield what ``text`` may be, the surest first."""
    members = Member.objects.filter(program=program).exclude(status=MemberStatus.ERASED)
    if "/m/" in text:
        linked = read_link(text)
        if linked is not None:
            yield "link", members.filter(pk=linked.pk)
        return
    code = read_code(text)
    if code is not None:
        yield "code", members.filter(cards__in=_cards(program, kind=CardKind.CODE, data=code))
    plain = _BETWEEN.sub("", text)
    if _REF.match(plain.lower()):
        yield "number", members.filter(ref=plain.lower())
    if _HEX.match(plain.upper()):
        yield "card", members.filter(cards__in=_cards_ending(program, plain.upper())).distinct()
    phone = _phone(program, text)
    if phone:
        # The condition of the index, or SQLite reads everybody (sqlite.org/partialindex.html).
        known = Person.objects.filter(program=program, phone_digest=phones.digest(phone))
        persons = known.exclude(phone_digest="")
        yield "phone", members.filter(person__in=persons)
    if folded := words(fold(text)):
        yield "name", _named(members, program, folded).order_by("person__folded_name", "pk")


def _cards(program: Program, **fields: str) -> QuerySet[Card]:
    return Card.objects.filter(program=program, **fields).exclude(state=CardState.ERASED)


def _cards_ending(program: Program, text: str) -> QuerySet[Card]:
    return _cards(program, tail=text[-_TAIL:], data__endswith=text)


def _named(
    members: QuerySet[Member], program: Program, folded: tuple[str, ...]
) -> QuerySet[Member]:
    """Return who has a word beginning with each of ``folded``; the longest is looked up first."""
    longest, *others = sorted(folded, key=len, reverse=True)
    begun = NameWord.objects.filter(names.beginning("word", longest), program=program)
    members = members.filter(pk__in=begun.values("person"))
    for word in others:
        also = NameWord.objects.filter(names.beginning("word", word), person=OuterRef("pk"))
        members = members.filter(Exists(also))
    return members


def _phone(program: Program, text: str) -> str:
    if sum(character.isdecimal() for character in text) < 6 or any(map(str.isalpha, text)):
        return ""
    try:
        return phones.normalise(text, country(program.pk))
    except phones.PhoneError:
        return ""


def _found(by: dict[int, By], role: str) -> list[Found]:
    rows = (
        Member.objects.filter(pk__in=by).select_related("person").prefetch_related("cards")
        if by
        else ()
    )
    members = {member.pk: member for member in rows}
    return [
        Found(
            ref=member.ref,
            name=member.name,
            phone=shown_phone(_person_phone(member), role),
            cards=tuple(card.tail for card in member.cards.all() if card.state == CardState.ACTIVE),
            status=member.status,
            by=kind,
        )
        for pk, kind in by.items()
        if (member := members.get(pk)) is not None
    ]


def _person_phone(member: Member) -> str:
    try:
        return member.person.phone
    except Person.DoesNotExist:
        return ""
