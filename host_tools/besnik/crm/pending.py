"""Taps that wait for the CRM's word on whose card it was: asked for, enrolled here, counted once.

Whose card it is, and what its tap counts, are a transaction each, and begin with the row that
waits: whoever comes second finds none. So a visit is counted once, however often a worker is
killed, one whose customer is enrolled already by whoever looks next; and a tap that comes meanwhile
waits for the writing of one at most.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping
from functools import partial
from typing import Final

import msgspec
from django.db import IntegrityError, transaction

from besnik.contract import Outcome, Reason
from besnik.credentials.assess import CredentialError
from besnik.crm import cache, joining, moving
from besnik.crm.counting import count
from besnik.crm.foreign import Customer, Found
from besnik.store.models import Card, CrmPending, CrmSource, Tap
from besnik.store.numbers import cards_of
from besnik.store.pending import WAITING
from besnik.store.people import EnrolError
from besnik.store.writer import Writer

_log = logging.getLogger(__name__)

# Taps looked at in one round; the others are next.
_ROUND: Final = 500
_TRIES: Final = 3
_writer: Final = Writer()


class Settled(msgspec.Struct, frozen=True):
    """A tap that waits no more, as those who watch its till are told."""

    tap: str
    shop: str
    reader: str
    member: str | None
    outcome: Outcome
    reason: Reason


def waiting(program: int) -> dict[str, bool]:
    """Return the cards whose taps wait, the longest waiting first; True: known here by now."""
    rows = CrmPending.objects.filter(program=program, state=WAITING).order_by("pk")
    taps = list(rows.values_list("tap__data", "tap__kind")[:_ROUND])
    cards = cards_of(program, {data for data, _ in taps})
    known = set(cards.values_list("data", "kind"))
    oldest: dict[str, bool] = {}
    for data, kind in taps:
        oldest.setdefault(data, (data, kind) in known)
    return oldest


def take(
    program: int,
    answers: Mapping[str, Found | None],
    now: dt.datetime,
    asked: CrmSource | None = None,
) -> list[Settled]:
    """Settle the taps of cards by what the CRM said of them; None: it does not know the card.

    A card of somebody who was erased here is nobody's. ``asked`` is the CRM as it was when it was
    asked: CrmSettingsError, and the taps wait on, if its customers may be others since.
    """
    answers = {card: joining.somebody(program, found) for card, found in answers.items()}
    customers = [found for found in answers.values() if isinstance(found, Customer)]
    unowned = {card: found for card, found in answers.items() if not isinstance(found, Customer)}
    with transaction.atomic():
        if asked is not None:
            moving.locked(asked)
        # First, so that the next tap of such a card is answered by it.
        cache.keep_unowned(program, unowned, now)
        cache.keep(program, customers, now)
        cache.forget_unowned(program, answers.keys() - unowned.keys(), now)
    done: list[Settled] = []
    for card, found in answers.items():
        try:
            done += _settled(program, card, found, now, asked=asked)
        except (EnrolError, CredentialError) as error:
            _log.warning("a customer of the CRM cannot be enrolled: %s", error)
            done += _settled(program, card, None, now, asked=asked)
    return done


def enrolled(program: int) -> list[str]:
    """Return the cards whose taps wait though somebody has enrolled them here meanwhile."""
    rows = CrmPending.objects.filter(program=program, state=WAITING)
    cards = cards_of(program, set(rows.values_list("tap__data", flat=True)))
    return list(cards.values_list("data", flat=True).distinct())


def resting(served: Collection[int]) -> list[int]:
    """Return the programs, but for those, that have taps waiting."""
    rows = CrmPending.objects.filter(state=WAITING).exclude(program__in=served)
    return list(rows.values_list("program", flat=True).distinct())


def refuse_waiting(program: int, now: dt.datetime) -> int:
    """Wait for the CRM no more: taps of cards that nobody here has are unknown; return how many.

    Those of cards that are enrolled by now are counted.
    """
    refused, writer = 0, Writer(times=1)  # somebody waits for the page
    while cards := waiting(program):
        for card in cards:
            done = _settled(program, card, None, now, writer=writer)
            refused += sum(each.outcome == "rejected" for each in done)
    return refused


def settle_known(program: int, card: str, now: dt.datetime) -> list[Settled]:
    """Count the waiting taps of a card that somebody has enrolled here meanwhile."""
    return _settled(program, card, _Unasked(), now)


class _Unasked(msgspec.Struct, frozen=True):
    """In place of an answer: nobody has asked."""


_Word = Found | None | _Unasked


def _settled(
    program: int,
    card: str,
    found: _Word,
    now: dt.datetime,
    *,
    writer: Writer = _writer,
    asked: CrmSource | None = None,
) -> list[Settled]:
    waiting = CrmPending.objects.filter(program=program, state=WAITING, tap__data=card)
    done: list[Settled] = []
    for row in list(waiting.order_by("pk").values_list("pk", flat=True)):
        done += _settle(program, row, found, now, writer, asked)
    return done


def _settle(
    program: int,
    waiting: int,
    found: _Word,
    now: dt.datetime,
    writer: Writer,
    asked: CrmSource | None,
) -> list[Settled]:
    def enrol(customer: Customer) -> None:
        _same(asked)
        if (row := _waiting(waiting)) is not None and _known(program, row.tap) is None:
            joining.enrol(program, row.tap, customer, now)

    def settle() -> list[Settled]:
        _same(asked)
        row = _waiting(waiting)
        return [] if row is None else _settle_once(program, row, found, now)

    for attempt in range(_TRIES):
        try:
            if isinstance(found, Customer):
                writer.write(partial(enrol, found))
            return writer.write(settle)
        except (IntegrityError, EnrolError):
            # Somebody enrolled the card, or the customer, at this moment: now they are known.
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _same(asked: CrmSource | None) -> None:
    if asked is not None:
        moving.locked(asked)


def _waiting(row: int) -> CrmPending | None:
    """Return the row if it still waits, and let nobody else have it."""
    rows = CrmPending.objects.filter(pk=row, state=WAITING).select_related("tap__reader__shop")
    return rows.select_for_update(of=("self",)).first()


def _settle_once(program: int, row: CrmPending, found: _Word, now: dt.datetime) -> list[Settled]:
    card = _known(program, row.tap)
    if card is not None:
        row.state = "counted"
        outcome, reason = count(row.tap, card)
    elif isinstance(found, _Unasked):
        return []
    else:
        row.state = "nobody" if found is None else "ambiguous"
        outcome, reason = "rejected", "unknown"
        Tap.objects.filter(pk=row.tap_id).update(outcome=outcome, reason=reason)
    row.settled_at = now
    row.save(update_fields=["state", "settled_at"])
    reader = row.tap.reader
    member = None if card is None else card.member.ref
    return [Settled(row.tap.tap_id, reader.shop.slug, reader.slug, member, outcome, reason)]


def _known(program: int, tap: Tap) -> Card | None:
    """Return the card of a tap as it is here."""
    cards = Card.objects.filter(program=program, kind=tap.kind, data=tap.data)
    return cards.select_related("member").first()
