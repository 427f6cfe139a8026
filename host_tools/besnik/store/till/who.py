"""Whom the till deals with, and whether that is sure enough to pay with their points."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, cast

from besnik.credentials.assess import Tier, assess, may_redeem
from besnik.store.models import (
    Card,
    CardKind,
    CardState,
    Member,
    MemberStatus,
    Person,
    Role,
    Staff,
    Tap,
)
from besnik.store.people import phones
from besnik.store.people.codes import read_code
from besnik.store.people.enrolment import country
from besnik.store.people.links import read_link
from besnik.store.pins import PinError, check_pin
from besnik.store.till.asks import Approval, Who
from besnik.store.till.errors import TillError
from besnik.store.till.place import LEADS, Place

By = Literal["member", "phone", "card", "tap"]

_HEX: Final = re.compile(r"[0-9A-F]+\Z")
_BETWEEN: Final = re.compile(r"[\s:\-]")
_UID_DIGITS: Final = (8, 14, 20)


class Known(NamedTuple):
    """A member, by what they were found, and the tap if it was one."""

    member: Member
    by: By
    tap: Tap | None = None


def known(place: Place, who: Who, *, even_closed: bool = False) -> Known:
    """Return who is meant; TillError if nobody, or if a card must not be used.

    Somebody who left is nobody's customer; with ``even_closed`` they are found all the same.
    """
    given = [bool(who.member), bool(who.phone), bool(who.card), who.tap is not None]
    if sum(given) != 1:
        raise TillError("who")
    if who.tap is not None:
        tap = tap_here(place, who.tap)
        found = Known(_of_tap(tap), "tap", tap)
    elif who.card:
        found = Known(_of_card(place, who.card), "card")
    elif who.phone:
        found = Known(_of_phone(place, who.phone), "phone")
    else:
        found = Known(_of_ref(place, who.member), "member")
    if found.member.status == MemberStatus.ERASED:
        raise TillError("member_unknown")
    if found.member.status == MemberStatus.CLOSED and not even_closed:
        raise TillError("member_closed")
    return found


def tap_here(place: Place, row: int) -> Tap:
    """Return a tap at a reader of this shop; TillError."""
    tap = (
        Tap.objects.filter(pk=row, reader__shop=place.shop)
        .select_related("member", "card", "reader")
        .first()
    )
    if tap is None:
        raise TillError("tap_unknown")
    return tap


def must_prove(place: Place, found: Known, approver: Staff | None) -> None:
    """TillError unless it is sure that the member is here: points are worth money.

    A card that anyone can copy, or a number that anyone can read out, collects but does not pay;
    a tap that proved its card does, a phone number that the customer said, a PIN of staff.
    """
    if found.by == "phone" or (found.by == "member" and place.vouched):
        return
    if found.tap is not None and may_redeem(cast(Tier, found.tap.tier)):
        return
    if approver is None:
        raise TillError("copyable")


def vetted(place: Place, approval: Approval | None) -> Staff | None:
    """Return the member of staff whose PIN was given, None if none was; TillError for a wrong one.

    To be asked before the transaction: a wrong PIN is counted although nothing else is written.
    """
    if approval is None:
        return None
    staff = Staff.objects.filter(
        program=place.program, username=approval.username, is_active=True
    ).first()
    if staff is None or staff.role == Role.AUDITOR or not _works_here(staff, place):
        raise TillError("wrong_pin")
    try:
        check_pin(staff, approval.pin)
    except PinError as error:
        raise TillError("pin_locked" if error.code == "pin_locked" else "wrong_pin") from error
    return staff


def lead_agrees(place: Place, approver: Staff | None, code: str) -> None:
    """TillError ``code`` unless a shift lead, or somebody above, does it or agreed to it."""
    if place.is_lead:
        return
    if approver is None:
        raise TillError(code)
    if approver.role not in LEADS:
        raise TillError("needs_pin")


def _works_here(staff: Staff, place: Place) -> bool:
    own = list(staff.shops.values_list("pk", flat=True))
    return not own or place.shop in own


def _of_ref(place: Place, ref: str) -> Member:
    member = Member.objects.filter(program=place.program, ref=ref.strip().lower()).first()
    if member is None:
        raise TillError("member_unknown")
    return member


def _of_phone(place: Place, typed: str) -> Member:
    try:
        phone = phones.normalise(typed, country(place.program))
    except phones.PhoneError as error:
        raise TillError(error.code) from error
    person = (
        Person.objects.filter(program=place.program, phone_digest=phones.digest(phone))
        # The condition of the index, or SQLite reads everybody (sqlite.org/partialindex.html).
        .exclude(phone_digest="")
        .select_related("member")
        .first()
    )
    if person is None:
        raise TillError("member_unknown")
    return person.member


def _of_card(place: Place, typed: str) -> Member:
    if "/m/" in typed:
        linked = read_link(typed)
        if linked is None or linked.program_id != place.program:
            raise TillError("card_unknown")
        return linked
    kind, data = card_number(typed)
    card = (
        Card.objects.filter(program=place.program, kind=kind, data=data)
        .select_related("member")
        .first()
    )
    return _of_row(card)


def card_number(typed: str) -> tuple[str, str]:
    """Return kind and data of the card whose number was typed or scanned; TillError."""
    plain = _BETWEEN.sub("", typed).upper()
    if _HEX.match(plain) and len(plain) in _UID_DIGITS:
        if assess("uid", plain).tier == "X":
            raise TillError("random_uid")
        return CardKind.UID, plain
    code = read_code(typed)
    if code is None:
        raise TillError("card_wrong")
    return CardKind.CODE, code


def _of_tap(tap: Tap) -> Member:
    if tap.tier == "X":
        raise TillError("random_uid")
    if tap.member is not None and tap.card is not None:
        return _of_row(tap.card)
    card = (
        Card.objects.filter(program__shops__readers=tap.reader_id, kind=tap.kind, data=tap.data)
        .select_related("member")
        .first()
    )
    return _of_row(card)


def _of_row(card: Card | None) -> Member:
    if card is None:
        raise TillError("card_unknown")
    if card.state == CardState.REPLACED:
        raise TillError("card_replaced")
    if card.state != CardState.ACTIVE:
        raise TillError("card_blocked")
    return card.member
