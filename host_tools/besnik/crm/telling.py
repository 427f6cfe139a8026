"""Batches of what a CRM is told, and what became of them.

A batch is marked as perhaps sent before it is, so that whoever takes it up after a kill tells the
adapter that it may be a repeat. One that fails is sent again whole, then in halves, and at last
event by event: one event that a CRM cannot take holds up no other (`besnik.crm.blame`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from django.db.models import F, Q, QuerySet, Sum
from msgspec.structs import replace

from besnik.crm import balances, unearned
from besnik.crm.blame import Fault
from besnik.crm.breaker import HeldBackError
from besnik.crm.foreign import (
    Capabilities,
    CrmAnswerError,
    CrmAwayError,
    CrmError,
    CrmRefusedError,
    Delivered,
    Visit,
    VisitKind,
)
from besnik.crm.front import CALL_MAX_S
from besnik.loyalty.ledger import HELD, MAIN
from besnik.store.members import happened_at
from besnik.store.models import (
    NEWCOMER,
    CrmDelivery,
    CrmLink,
    CrmSource,
    Entry,
    Posting,
    Tap,
)

# A call that nobody waits for any more, because its worker was killed or gave up, can still be on
# its way: for as long as an adapter's calls last, and a little.
UNSURE_S: Final = 12.0
# An event that fails alone lets the others pass for so long. It is one for the owner at last.
_ODD_S: Final = 30
_TRIES_MAX: Final = 26
_WHY_MAX: Final = 300

_KINDS: Final[Mapping[str, VisitKind]] = {
    "redeem": "redeem",
    "commit": "redeem",
    "reverse": "reverse",
    "reinstate": "reverse",
}


class Rest(msgspec.Struct, frozen=True):
    """How long events rest before they are sent again, because they may still be carried out.

    ``sent_s`` from when they are sent, for whoever takes them up after a kill; ``late_s`` after a
    call that got no answer, ``answered_s`` after one that did.
    """

    sent_s: float = UNSURE_S
    late_s: float = UNSURE_S
    answered_s: float = UNSURE_S


def rest(able: Capabilities, *, is_idempotent: bool) -> Rest:
    """Return how long events of a CRM rest."""
    if is_idempotent:
        return Rest()
    late_s = able.late_s + able.search_lag_s
    return Rest(
        UNSURE_S + (CALL_MAX_S + late_s if late_s else 0.0),
        max(UNSURE_S, late_s),
        max(UNSURE_S, able.search_lag_s),
    )


class Batch(msgspec.Struct, frozen=True):
    """Events that are sent together; ``rows`` are theirs in CrmDelivery, in the same order."""

    rows: tuple[int, ...]
    visits: tuple[Visit, ...]
    again: bool


def due(program: int, now: dt.datetime) -> QuerySet[CrmDelivery]:
    """Return what waits and may be sent now."""
    rows = CrmDelivery.objects.filter(program=program, state="waiting")
    return rows.filter(Q(next_at__isnull=True) | Q(next_at__lte=now))


def rested(rows: QuerySet[CrmDelivery], *, fresh: bool) -> QuerySet[CrmDelivery]:
    """Return rows as they have their turn: those that may be repeats, whoever rested longest first.

    Only ``fresh`` ones, if so: those that were never sent.
    """
    chosen = rows.filter(maybe=False) if fresh else rows
    return chosen.order_by("-maybe", F("next_at").asc(nulls_first=True), "at", "pk")


def batch(
    source: int,
    most: int,
    now: dt.datetime,
    sent_s: float = UNSURE_S,
    *,
    fresh: bool = False,
) -> Batch | None:
    """Take the next events and mark them as perhaps sent; None if there is nothing to send.

    Those that may be repeats come first, and alone; of those whoever has rested longest, with
    others that failed as often, in the order in which they happened. Events of members who are not
    customers there yet wait until they are. Only those never sent, if ``fresh``.
    """
    # Not one transaction: SQLite's one writer is the bridge's, and nobody else takes these rows.
    row = CrmSource.objects.get(pk=source)
    ready = due(row.program_id, now).exclude(NEWCOMER).filter(member__crm_link__isnull=False)
    ready = rested(ready, fresh=fresh)
    first = ready.first()
    if first is None:
        return None
    like = ready.filter(maybe=first.maybe, tries=first.tries)
    taken = sorted(like[: size(most, first.tries)], key=lambda event: (event.at, event.pk))
    visits = _visits(row, taken)
    mark([each.pk for each in taken], now, sent_s)
    return Batch(tuple(each.pk for each in taken), visits, first.maybe)


def mark(rows: Sequence[int], now: dt.datetime, sent_s: float = UNSURE_S) -> None:
    """Write that events are perhaps sent from now on; nobody sends them again for a while."""
    CrmDelivery.objects.filter(pk__in=rows).update(
        maybe=True, next_at=now + dt.timedelta(seconds=sent_s)
    )


def settle(rows: Sequence[int], results: Sequence[Delivered]) -> None:
    """Write what became of events that a CRM has answered for, in order."""
    fine = [row for row, each in zip(rows, results, strict=True) if each.outcome != "refused"]
    done(fine)
    for row, each in zip(rows, results, strict=True):
        if each.outcome == "refused":
            refuse([row], each.why)


def done(rows: Sequence[int]) -> None:
    """Write that a CRM has these events."""
    CrmDelivery.objects.filter(pk__in=rows).update(state="done", maybe=False, why="")


def refuse(rows: Sequence[int], why: str) -> None:
    """Leave events to the owner, who is told why."""
    CrmDelivery.objects.filter(pk__in=rows).update(state="refused", why=why[:_WHY_MAX])


def failed(
    rows: Sequence[int],
    error: CrmError,
    now: dt.datetime,
    *,
    again: bool,
    fault: Fault = "crm",
    resting: Rest | None = None,
) -> None:
    """Write that a call with these events brought nothing; ``again`` as it was in the call."""
    waiting = CrmDelivery.objects.filter(pk__in=rows)
    if isinstance(error, HeldBackError):
        # Nothing was sent: what was no repeat before is none now.
        waiting.update(maybe=again, next_at=None)
        return
    waiting.update(
        why=str(error)[:_WHY_MAX],
        next_at=now + dt.timedelta(seconds=_rest_s(error, resting or Rest())),
    )
    is_theirs = fault == "event" or isinstance(error, CrmAnswerError)
    if len(rows) > 1 or is_theirs:
        waiting.update(tries=F("tries") + 1)
    if len(rows) > 1 or not (is_theirs or fault == "unsure"):
        return
    waiting.filter(next_at__lt=(later := now + dt.timedelta(seconds=_ODD_S))).update(next_at=later)
    if is_theirs:
        # That it may not be written is an answer; a failure may pass.
        tries_max = 1 if isinstance(error, CrmRefusedError) else _TRIES_MAX
        waiting.filter(tries__gte=tries_max).update(state="refused")


def _rest_s(error: CrmError, resting: Rest) -> float:
    is_silent = isinstance(error, CrmAwayError) and error.retry_after_s is None
    return resting.late_s if is_silent else resting.answered_s


def size(most: int, tries: int) -> int:
    """Return how many events go together after so many failures."""
    return max(most >> max(tries - 1, 0), 1)


def _visits(source: CrmSource, rows: Sequence[CrmDelivery]) -> tuple[Visit, ...]:
    entries = {
        entry.pk: entry
        for entry in Entry.objects.filter(pk__in=[row.entry for row in rows]).select_related(
            "tap__reader__shop", "sale__shop"
        )
    }
    taps = {tap.pk: tap for tap in unearned.taps([row.tap for row in rows if row.tap is not None])}
    members = {row.member_id for row in rows}
    points = _points(source, entries, members)
    known = {member for member in members if member is not None}
    # What the CRM has is not written over while somebody has to decide about it.
    disputed = balances.disputed(source.program_id, known)
    have = balances.balances(source, known - disputed)
    # Only the last event of a customer is followed by what they have now.
    last = {row.member_id: row.pk for row in rows}
    links = CrmLink.objects.filter(member__in=members)
    customers = dict(links.values_list("member", "external_id"))
    return tuple(
        replace(
            _of_tap(taps[row.tap]) if row.tap is not None else _of_entry(entries[row.entry or 0]),
            event_id=row.event_id,
            customer=customers[row.member_id or 0],
            points=points.get((row.entry, row.member_id), 0),
            balance=have.get(row.member_id or 0) if last[row.member_id] == row.pk else None,
        )
        for row in rows
    )


def _of_entry(entry: Entry) -> Visit:
    tap, sale = entry.tap, entry.sale
    shop = sale.shop.name if sale is not None else tap.reader.shop.name if tap is not None else ""
    at, card = entry.occurred_at or entry.created_at, None if tap is None else tap.data
    return Visit("", "", _kind(entry), shop, at, card=card)


def _of_tap(tap: Tap) -> Visit:
    return Visit("", "", "visit", tap.reader.shop.name, happened_at(tap), card=tap.data)


def _kind(entry: Entry) -> VisitKind:
    if entry.kind == "accrue":
        return "purchase" if entry.sale_id is not None else "visit" if entry.tap_id else "other"
    return _KINDS.get(entry.kind, "other")


_Moved = dict[tuple[int | None, int | None], int]


def _points(source: CrmSource, entries: Mapping[int, Entry], members: set[int | None]) -> _Moved:
    """Return what each entry moved of the points that the CRM knows, by entry and member."""
    moved = Posting.objects.filter(
        entry__in=entries,
        account__member__in=members,
        account__unit=source.unit,
        account__account__in=(MAIN, HELD),
    )
    sums = moved.values_list("entry", "account__member").annotate(sum=Sum("amount"))
    return {(entry, member): amount for entry, member, amount in sums}
