"""Finding a member by whatever is at hand: phone, name, number, card, printed code, link.

At most seven statements, each by an index, however many members there are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
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
    for kind, members in _ways(program, text, most):
        for pk in members:
            by.setdefault(pk, kind)
        # The end of a card's number can be the end of a phone's, or somebody's name.
        if by and kind != "card":
            break
    return _found(program, dict(list(by.items())[:most]), role)


def shown_phone(phone: str, role: str) -> str:
    """Return a phone number as ``role`` may see it: whole for a manager, ``•••1234`` for others."""
    return phone if role in _SEE_PHONES else phones.mask(phone)


def _ways(program: Program, text: str, most: int) -> Iterator[tuple[By, Iterable[int]]]:
    """Yield what ``text`` may be, the surest first, with the members (their rows) it then names."""
    if "/m/" in text:
        linked = read_link(text)
        yield "link", () if linked is None else (linked.pk,)
        return
    code = read_code(text)
    cards = Card.objects.filter(program=program).exclude(state=CardState.ERASED)
    if code is not None:
        yield "code", _owners(cards.filter(kind=CardKind.CODE, data=code), most)
    plain = _BETWEEN.sub("", text)
    if _REF.match(plain.lower()):
        yield "number", Member.objects.filter(ref=plain.lower()).values_list("pk", flat=True)
    if _HEX.match(plain.upper()):
        end = plain.upper()
        yield "card", _owners(cards.filter(tail=end[-_TAIL:], data__endswith=end), most)
    phone = _phone(program, text)
    if phone:
        known = Person.objects.filter(program=program, phone_digest=phones.digest(phone))
        # The index has only those with a phone: it is used if the query says so.
        persons = known.exclude(phone_digest="")
        yield "phone", persons.values_list("pk", flat=True)
    if folded := words(fold(text)):
        yield "name", _named(program, folded, most)


def _owners(cards: QuerySet[Card], most: int) -> Iterable[int]:
    return cards.values_list("member_id", flat=True)[:most]


def _named(program: Program, folded: tuple[str, ...], most: int) -> Iterable[int]:
    """Return who has a word beginning with each of ``folded``; the longest is looked up first.

    Of more than ``most`` those come first whose word does, so that a letter reads no more rows.
    """
    longest, *others = sorted(folded, key=len, reverse=True)
    begun = NameWord.objects.filter(names.beginning("word", longest), program=program)
    for word in others:
        also = NameWord.objects.filter(names.beginning("word", word), person=OuterRef("person"))
        begun = begun.filter(Exists(also))
    # A person may have two words that begin alike.
    found = begun.order_by("word").values_list("person_id", flat=True)[: 2 * most]
    return list(dict.fromkeys(found))[:most]


def _phone(program: Program, text: str) -> str:
    if sum(character.isdecimal() for character in text) < 6 or any(map(str.isalpha, text)):
        return ""
    try:
        return phones.normalise(text, country(program.pk))
    except phones.PhoneError:
        return ""


def _found(program: Program, by: dict[int, By], role: str) -> list[Found]:
    if not by:
        return []
    rows = (
        Member.objects.filter(pk__in=by, program=program)
        .exclude(status=MemberStatus.ERASED)
        .select_related("person")
        .prefetch_related("cards")
    )
    members = {member.pk: member for member in rows}
    found = [
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
    # Stable: what was found by number stays before what was found by name.
    return sorted(
        found, key=lambda line: (line.by == "name", line.name if line.by == "name" else "")
    )


def _person_phone(member: Member) -> str:
    try:
        return member.person.phone
    except Person.DoesNotExist:
        return ""
