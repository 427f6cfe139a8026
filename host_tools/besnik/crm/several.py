"""Cards that the CRM has for more than one customer: held to a reader, nobody's until settled."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Final

import msgspec
from django.db import transaction
from django.utils import timezone

from besnik.crm import cache, front, moving
from besnik.crm.foreign import Ambiguous, Customer, Found
from besnik.crm.holders import hold
from besnik.crm.joining import language_of
from besnik.crm.matching import Here
from besnik.crm.taking import note, take
from besnik.store.models import CrmAnswer, CrmPending, CrmSource
from besnik.store.numbers import cards_of

SHOWN_FOR: Final = dt.timedelta(days=30)
MOST: Final = 100


class Several(msgspec.Struct, frozen=True):
    """A card, where and when it was held to a reader last, and whose it is there as last heard."""

    card: str
    shop: str
    at: dt.datetime
    customers: tuple[str, ...]


def cards(program: int, now: dt.datetime) -> list[Several]:
    """Return the cards that somebody has to settle, the newest first; those known here are not."""
    rows = (
        CrmPending.objects.filter(
            program=program, state="ambiguous", settled_at__gt=now - SHOWN_FOR
        )
        .select_related("tap__reader__shop")
        .order_by("-pk")[:MOST]
    )
    newest: dict[str, CrmPending] = {}
    for row in rows:
        newest.setdefault(row.tap.data, row)
    known = cards_of(program, newest)
    answers = CrmAnswer.objects.filter(program=program, card__in=newest)
    ids = dict(answers.values_list("card", "ids"))
    here = set(known.values_list("data", flat=True))
    return [
        Several(card, row.tap.reader.shop.name, row.tap.received_at, tuple(ids.get(card, ())))
        for card, row in newest.items()
        if card not in here
    ]


def look_again(source: CrmSource, card: str) -> Found | None:
    """Ask whose a card is now, and make a member of them if it is one customer's; CrmError."""
    found = asyncio.run(_ask(source, card))
    now = timezone.now()
    with transaction.atomic():
        if isinstance(found, Customer):
            cache.forget_unowned(source.program_id, [card], now)
            moving.locked(source)
            hold(source.program_id, [found])
            match = Here(source, [found]).match(found)
            take(source, [match], language_of(source.program_id), now)
            note(source, [match], now)
            found = None if match.what == "left_out" else found
        if not isinstance(found, Customer):
            cache.keep_unowned(source.program_id, {card: found}, now)
        if not isinstance(found, Ambiguous):
            CrmPending.objects.filter(
                program=source.program_id, state="ambiguous", tap__data=card
            ).update(state="nobody")
            CrmAnswer.objects.filter(
                program=source.program_id, card=card, state="ambiguous"
            ).delete()
    return found


async def _ask(source: CrmSource, card: str) -> Found | None:
    async with front.opened(source) as crm:
        return (await crm.lookup_many([card], cache.shown_fields(source))).get(card)
