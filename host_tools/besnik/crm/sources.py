"""The row of a program's CRM: switched on and off, its day's requests, how it is doing."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Case, F, Max, When

from besnik.crm.breaker import Standing
from besnik.store.models import CrmSource, Entry, Member, Tap


def switch_on(source: CrmSource, now: dt.datetime) -> None:
    """Ask and tell the CRM from ``now`` on; what was written before is not told.

    Switched on again it goes on where it was switched off: nothing in between is left out. A row
    that is not saved yet is saved.
    """
    with transaction.atomic():
        if source._state.adding:
            source.save()
        # Whoever holds ``source`` read it a while ago, and its worker has moved the marks since.
        row = CrmSource.objects.select_for_update().get(pk=source.pk)
        if row.started_at is None:
            row.started_at = now
            row.delivered_to = Entry.objects.aggregate(last=Max("pk"))["last"] or 0
            row.members_to = Member.objects.aggregate(last=Max("pk"))["last"] or 0
            row.taps_to = Tap.objects.aggregate(last=Max("pk"))["last"] or 0
            row.save(update_fields=["started_at", "delivered_to", "members_to", "taps_to"])
        row.is_on = True
        row.breaker, row.why, row.retry_at = "closed", "", None
        row.save(update_fields=["is_on", "breaker", "why", "retry_at"])
    source.refresh_from_db()


def switch_off(source: CrmSource) -> None:
    """Neither ask nor tell it any more; what waits is kept."""
    source.is_on = False
    source.save(update_fields=["is_on"])


def spend(source: int, requests: int, day: dt.date, most: int | None) -> bool:
    """Count requests of a day (UTC); False, and none counted, if they would be over ``most``."""
    today = Case(When(asked_on=day, then=F("asked")), default=0)
    rows = CrmSource.objects.alias(today=today).filter(pk=source)
    if most is not None:
        rows = rows.filter(today__lte=most - requests)
    if rows.update(asked_on=day, asked=today + requests):
        return True
    CrmSource.objects.only("pk").get(pk=source)
    return False


def stand(source: int, standing: Standing) -> None:
    """Write how a CRM is doing, for its owner and for the next process that asks it."""
    CrmSource.objects.filter(pk=source).update(
        breaker=standing.state, why=standing.why, retry_at=standing.retry_at
    )


def answered(source: int, at: dt.datetime) -> None:
    """Write when a CRM answered last."""
    CrmSource.objects.filter(pk=source).update(answered_at=at)


def held_back_until(source: CrmSource, now: dt.datetime) -> dt.datetime | None:
    """Return when a CRM that is well is asked again; None if it may be asked now."""
    until = source.retry_at
    return until if source.breaker == "closed" and until is not None and until > now else None


def standing(source: CrmSource) -> Standing:
    """Return how a CRM is doing as its row says; one that was being tried is open."""
    if source.breaker == "closed":
        return Standing("closed", source.why, source.retry_at)
    return Standing("open", source.why, source.retry_at)
