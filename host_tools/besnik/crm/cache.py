"""What a CRM said lately, kept over restarts: its customers' fields, and cards it does not know.

A customer's fields are fresh for a quarter of an hour. Older ones are shown, with their age, while
they are asked for again, and for as long as the CRM does not answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from django.db.models import Q

from besnik.crm.foreign import Ambiguous, Customer
from besnik.store.inserting import Insert
from besnik.store.models import CrmAnswer, CrmLink, CrmRecord, CrmSource

FRESH_FOR: Final = dt.timedelta(minutes=15)
_NAME_MAX: Final = 200
_NOBODY_KEPT: Final = dt.timedelta(days=1)


def shown_fields(source: CrmSource) -> list[str]:
    """Return the names of the fields that a CRM is asked for: those the owner chose to show."""
    return [str(field["name"]) for field in source.fields]


def keep(program: int, customers: Iterable[Customer], now: dt.datetime) -> None:
    """Keep what a CRM has just said of customers."""
    keeping(program, customers, now).run()


def keeping(program: int, customers: Iterable[Customer], now: dt.datetime) -> Insert:
    """Return the statement that keeps what a CRM has just said of customers."""
    return Insert(
        [
            CrmRecord(
                program_id=program,
                external_id=customer.id,
                name=customer.name[:_NAME_MAX],
                points=customer.points,
                fields=dict(customer.fields),
                fetched_at=now,
            )
            for customer in {each.id: each for each in customers}.values()
        ],
        unique=["program", "external_id"],
        replaced=["name", "points", "fields", "fetched_at", "is_stale"],
    )


def renew(program: int, ids: Sequence[str], found: Sequence[Customer], now: dt.datetime) -> None:
    """Keep what a CRM has just said of customers who were asked for by their ids.

    Of one who is gone there is nothing to show; that is known for as long as fields are fresh.
    """
    gone = set(ids) - {customer.id for customer in found}
    known = CrmRecord.objects.filter(program=program, external_id__in=gone)
    names = dict(known.values_list("external_id", "name"))
    keep_linked(program, [*found, *(Customer(id, names.get(id, "")) for id in gone)], now)


def keep_linked(program: int, customers: Iterable[Customer], now: dt.datetime) -> None:
    """Keep what a CRM has just said of those who are members here by now.

    Somebody may have been erased while the CRM was asked.
    """
    said = {customer.id: customer for customer in customers}
    links = CrmLink.objects.filter(program=program, external_id__in=said)
    keep(program, [said[id] for id in links.values_list("external_id", flat=True)], now)


def keep_unowned(program: int, cards: Mapping[str, Ambiguous | None], now: dt.datetime) -> None:
    """Keep which cards a CRM does not know (None), or knows of more than one customer."""
    CrmAnswer.objects.bulk_create(
        [
            CrmAnswer(
                program_id=program,
                card=card,
                state="none" if found is None else "ambiguous",
                ids=[] if found is None else list(found.ids),
                fetched_at=now,
            )
            for card, found in cards.items()
        ],
        update_conflicts=True,
        unique_fields=["program", "card"],
        update_fields=["state", "ids", "fetched_at"],
    )


def forget_unowned(program: int, owned: Collection[str], now: dt.datetime) -> None:
    """Drop the answers about cards that have an owner by now, and old ones about nobody's.

    Those about several customers stay for the owner to see until they are settled there.
    """
    answers = CrmAnswer.objects.filter(program=program)
    answers.filter(card__in=owned).delete()
    answers.filter(state="none", fetched_at__lt=now - _NOBODY_KEPT).delete()


def stale(program: int, members: Collection[str], now: dt.datetime) -> list[str]:
    """Return the CRM's ids of those members (public references) whose fields are not fresh.

    One whose fields were never asked for is not fresh either.
    """
    links = CrmLink.objects.filter(program=program, member__ref__in=members)
    linked = set(links.values_list("external_id", flat=True))
    fresh = CrmRecord.objects.filter(
        Q(is_stale=False), program=program, external_id__in=linked, fetched_at__gt=now - FRESH_FOR
    )
    return sorted(linked - set(fresh.values_list("external_id", flat=True)))
