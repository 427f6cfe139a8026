"""Points here and points there: which of them should be the same, and which are in dispute."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from besnik.loyalty.ledger import HELD, MAIN
from besnik.store.models import Account, CrmDelivery, CrmDifference, CrmSource, Posting


def balances(source: CrmSource, members: Collection[int]) -> dict[int, int]:
    """Return what members have of the points that a CRM keeps; nothing if it keeps none."""
    if not source.unit or not members:
        return {}
    have = dict.fromkeys(members, 0)
    accounts = Account.objects.filter(member__in=members, unit=source.unit, account=MAIN)
    return have | {pk: balance for pk, balance in accounts.values_list("member", "balance") if pk}


def underway(source: CrmSource, members: Collection[int]) -> set[int]:
    """Return those of the customers' members whose news is on its way there."""
    if not members:
        return set()
    waiting = CrmDelivery.objects.filter(
        program=source.program_id, member__in=members, state="waiting"
    )
    found = set(waiting.values_list("member", flat=True))
    if source.started_at is not None:
        new = _postings(source, members).filter(entry_id__gt=source.delivered_to)
        found |= set(new.values_list("account__member", flat=True))
    return {member for member in found if member is not None}


def disputed(program: int, members: Collection[int]) -> set[int]:
    """Return those of the members whose points are not the same there, until somebody decides.

    Who writes a balance there meanwhile decides for them.
    """
    if not members:
        return set()
    found = CrmDifference.objects.filter(program=program, kind="points", member__in=members)
    return {member for member in found.values_list("member", flat=True) if member is not None}


def untold(source: CrmSource, members: Collection[int]) -> set[int]:
    """Return those of the members, no customers there yet, whose every point is still to be told.

    What such a customer has there is not among it: both together are what they have.
    """
    if not members:
        return set()
    mark = CrmSource.objects.values_list("delivered_to", flat=True).get(pk=source.pk)
    owed = CrmDelivery.objects.filter(program=source.program_id, member__in=members)
    told = set(owed.filter(state="done", entry__gt=mark).values_list("member", flat=True))
    waiting = set(
        owed.exclude(state="done").filter(entry__isnull=False).values_list("entry", flat=True)
    )
    old = _postings(source, members)
    if source.started_at is not None:
        old = old.filter(entry_id__lte=mark)
    told |= {
        member
        for entry, member in old.values_list("entry", "account__member").distinct()
        if entry not in waiting
    }
    return set(members) - {member for member in told if member is not None}


def _postings(source: CrmSource, members: Collection[int]) -> QuerySet[Posting]:
    return Posting.objects.filter(
        account__member__in=members,
        account__unit=source.unit,
        account__account__in=(MAIN, HELD),
    )
