"""A customer of the CRM and a member here become one, by a card: at a tap, or when they are told.

As an import does it, for one: whoever has one of their other cards here is who they are, and what
they have there comes with them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from msgspec.structs import replace

from besnik.crm import cache
from besnik.crm.foreign import Ambiguous, Customer, Found
from besnik.crm.holders import hold
from besnik.crm.matching import Here, Match
from besnik.crm.taking import note, take
from besnik.store.models import (
    CrmAnswer,
    CrmLink,
    CrmSource,
    Member,
    MemberStatus,
    Role,
    Staff,
    Tap,
)
from besnik.store.people import LANGUAGES, add_card, card_of, left_out


def matched(source: CrmSource, customer: Customer, cards: Collection[str]) -> Match:
    """Return who a customer is here; ``cards`` are theirs, whatever else they have.

    Within a transaction: whoever it may be is locked, so that one who is being erased at this
    moment is waited for.
    """
    # The CRM has just said that they are one customer's. Of most nothing was said before, and what
    # is written first is written later: until then the transaction holds up nobody on SQLite.
    said = CrmAnswer.objects.filter(program=source.program_id, card__in=cards)
    if said.exists():
        said.delete()
    theirs = replace(customer, cards=tuple(dict.fromkeys([*cards, *customer.cards])))
    hold(source.program_id, [theirs])
    (match,) = Here(source, [theirs]).matches()
    return match


def join(source: CrmSource, match: Match, language: str, now: dt.datetime) -> int | None:
    """Make it so; return the member (row), None if somebody has to decide first."""
    take(source, [match], language, now)
    note(source, [match], now)
    link = CrmLink.objects.filter(program=source.program_id, external_id=match.customer.id)
    return link.values_list("member", flat=True).first()


def enrol(program: int, tap: Tap, customer: Customer, now: dt.datetime) -> None:
    """Give the card of a tap to whom the CRM says it is, enrolled if they were not."""
    if (member := _member(program, customer, tap.data, now)) is not None:
        # Its counter is judged and raised with the visit, as at every tap.
        add_card(member, replace(card_of(tap), counter=None))


def somebody(program: int, found: Found | None) -> Found | None:
    """Return what a CRM said of a card; None if it is of somebody who was erased here."""
    is_erased = isinstance(found, Customer) and left_out(program, [found.id])
    return None if is_erased else found


def _member(program: int, customer: Customer, card: str, now: dt.datetime) -> Member | None:
    """Return who a customer with ``card`` is here, enrolled if they were not.

    None: they were erased, or somebody has to decide who they are.
    """
    source = CrmSource.objects.get(program=program)
    match = matched(source, customer, [card])
    # This one is added as what it was proved to be.
    match = replace(match, cards=tuple(each for each in match.cards if each.data != card))
    pk = join(source, match, language_of(program), now)
    if pk is None:
        if match.what == "skipped":
            cache.keep_unowned(program, {card: Ambiguous((customer.id,))}, now)
        return None
    member = Member.objects.get(pk=pk)
    return None if member.status == MemberStatus.ERASED else member


def language_of(program: int) -> str:
    """Return the language in which a member begins whom no one asked: the owner's."""
    owners = Staff.objects.filter(program=program, role=Role.OWNER, is_active=True)
    spoken = owners.exclude(language="").order_by("pk").values_list("language", flat=True).first()
    return spoken if spoken in LANGUAGES else LANGUAGES[0]
