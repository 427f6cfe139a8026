"""Customers who were erased here, made members again because they wish it."""

from __future__ import annotations

import asyncio
from typing import Literal

from django.db import transaction
from django.utils import timezone

from besnik.crm import cache, front, moving
from besnik.crm.foreign import Ambiguous, Customer, Found
from besnik.crm.holders import hold
from besnik.crm.joining import language_of
from besnik.crm.matching import Here, card_from
from besnik.crm.taking import note, take
from besnik.store.models import CrmAnswer, CrmSource
from besnik.store.people import left_out, let_in

# What became of it: a member again; never left out, so nothing was done; not there (any more); of
# several customers there; a member again would clash with somebody here: see the differences.
Outcome = Literal["taken", "never", "gone", "several", "differs"]


def readmit(source: CrmSource, number: str) -> Outcome:
    """Make a customer a member again, by their number there or a card that they have; CrmError.

    They begin anew: what they had when they were erased is nobody's, and they agreed to nothing.
    """
    number = number.strip()
    card = None
    if not left_out(source.program_id, [number]):
        card = card_from(number)
        if card is None:
            return "never"
    found = asyncio.run(_ask(source, number if card is None else card.data, by_card=bool(card)))
    if found is None:
        return "gone"
    if isinstance(found, Ambiguous):
        return "several"
    return _taken(source, found)


@transaction.atomic
def _taken(source: CrmSource, customer: Customer) -> Outcome:
    program, now = moving.locked(source).program_id, timezone.now()
    if not left_out(program, [customer.id]):
        return "never"
    let_in(program, customer.id)
    hold(program, [customer])
    matches = [Here(source, [customer]).match(customer)]
    take(source, matches, language_of(program), now)
    note(source, matches, now)
    # Their cards were nobody's until now.
    CrmAnswer.objects.filter(
        program=program, card__in=[card.data for card in matches[0].cards]
    ).delete()
    return "differs" if matches[0].what == "skipped" else "taken"


async def _ask(source: CrmSource, number: str, *, by_card: bool) -> Found | None:
    fields = cache.shown_fields(source)
    async with front.opened(source) as crm:
        if by_card:
            return (await crm.lookup_many([number], fields)).get(number)
        return (await crm.refresh([number], fields)).get(number)
