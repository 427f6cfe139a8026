"""A customer of the CRM and a member here become one, by a card: at a tap, or when they are told.

As an import does it, for one: whoever has one of their other cards here is who they are, and what
they have there comes with them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from msgspec.structs import replace

from besnik.crm.foreign import Customer
from besnik.crm.holders import hold
from besnik.crm.matching import Here, Match
from besnik.crm.taking import note, take
from besnik.store.models import CrmAnswer, CrmLink, CrmSource


def matched(source: CrmSource, customer: Customer, cards: Collection[str]) -> Match:
    """Return who a customer is here; ``cards`` are theirs, whatever else they have.

    Within a transaction: whoever it may be is locked, so that one who is being erased at this
    moment is waited for.
    """
    # The CRM has just said that they are one customer's.
    CrmAnswer.objects.filter(program=source.program_id, card__in=cards).delete()
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
