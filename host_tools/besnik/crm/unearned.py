"""Visits that earned nothing: outside the rules' hours, over a cap, or where visits earn none.

The ledger has no entry of them, but the shop's CRM wants to know that the customer was there. As at
the counter a visit is an accepted tap. A card that is held there again sooner than the program's
own limit of speed allows is no other visit.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from django.db.models import QuerySet

from besnik.loyalty.guards import Velocity, too_fast
from besnik.store import programs
from besnik.store.members import happened_at
from besnik.store.models import CrmDelivery, Entry, Reader, Tap

# As many rows as are read at once; most taps have an entry, and are done with.
PAGE: Final = 1000
_STANDS: Final = "ok"  # and not pending: such a tap is owed when its visit is counted
_NONE: Final = dt.timedelta()


def between(program: int, after: int, last: int) -> tuple[list[tuple[int, dt.datetime]], list[Tap]]:
    """Return the next taps after row ``after``, each with when it came, and those that are told.

    The first are of all programs: they are how far it was looked. None is beyond row ``last``.
    """
    page = list(
        Tap.objects.filter(pk__gt=after, pk__lte=last)
        .order_by("pk")
        .values_list("pk", "received_at", "reader", "outcome", "reason", "member")[:PAGE]
    )
    readers = set(Reader.objects.filter(shop__program=program).values_list("pk", flat=True))
    visits = {
        pk
        for pk, _, reader, outcome, reason, member in page
        if reader in readers and outcome == "accepted" and reason == _STANDS and member is not None
    }
    visits -= set(Entry.objects.filter(tap__in=visits).values_list("tap", flat=True))
    return [(pk, at) for pk, at, *_ in page], list(taps(visits).order_by("pk"))


def owe(tap: int) -> None:
    """Let the CRM be told of the visit of a tap that has waited for it and earned nothing.

    Within the transaction that counts the visit; `collect` has passed the tap, or will.
    """
    found = taps([tap]).get()
    rows = told(found.reader.shop.program_id, [found])
    CrmDelivery.objects.bulk_create(rows, ignore_conflicts=True)


def told(program: int, visits: Sequence[Tap]) -> list[CrmDelivery]:
    """Return what the CRM is to be told of ``visits``, in order.

    Without those that came too soon after another visit of their card.
    """
    limit = programs.current(program).velocity
    kept = visits if limit is None else _slow_enough(limit, visits)
    return [
        CrmDelivery(
            program_id=program,
            event_id=f"t{program}-{tap.pk}-{int(tap.received_at.timestamp()):x}",
            tap=tap.pk,
            member_id=tap.member_id,
            at=tap.received_at,
        )
        for tap in kept
    ]


def remembered(program: int, now: dt.datetime) -> dt.datetime:
    """Return since when visits that were told are needed, to know what comes too soon."""
    limit = programs.current(program).velocity
    return now - (_NONE if limit is None else _reach(limit))


def taps(rows: Collection[int]) -> QuerySet[Tap]:
    """Return the taps of these rows, with their shops."""
    return Tap.objects.filter(pk__in=rows).select_related("reader__shop")


def _reach(limit: Velocity) -> dt.timedelta:
    return dt.timedelta(seconds=max(limit.minutes * 60, limit.gap_s))


def _slow_enough(limit: Velocity, visits: Sequence[Tap]) -> list[Tap]:
    before = _visits_before(limit, visits)
    kept = []
    for tap in visits:
        at = happened_at(tap)
        moments = before[tap.card_id]
        # Whoever looks at a tap again finds itself: what was told is told, and is one visit.
        earlier = [when for pk, when in moments if pk < tap.pk]
        if not too_fast(limit, earlier, at):
            kept.append(tap)
            if (tap.pk, at) not in moments:
                moments.append((tap.pk, at))
    return kept


_Moments = defaultdict[int | None, list[tuple[int, dt.datetime]]]


def _visits_before(limit: Velocity, visits: Sequence[Tap]) -> _Moments:
    """Return when the cards of ``visits`` were at the counter lately, with the taps' rows."""
    found: _Moments = defaultdict(list)
    if not visits:
        return found
    since = min(happened_at(tap) for tap in visits) - _reach(limit)
    members = {tap.member_id for tap in visits}
    told_of = CrmDelivery.objects.filter(member__in=members, tap__isnull=False, at__gte=since)
    earned = Entry.objects.filter(
        postings__account__member__in=members, kind="accrue", occurred_at__gte=since
    )
    rows = [*told_of.values_list("tap", flat=True), *earned.values_list("tap_id", flat=True)]
    for tap in taps({row for row in rows if row is not None}):
        found[tap.card_id].append((tap.pk, happened_at(tap)))
    return found
