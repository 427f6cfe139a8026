"""What a member did lately: visits and purchases, the newest first."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.db.models import QuerySet

from besnik.store.glance.shown import SaleShown
from besnik.store.models import Member, Posting, Sale, SaleLine

# A favourite is what somebody had more than once in so many of the last sales.
FAVOURITE_OF: Final = 20


def last_visit(member: Member) -> dt.datetime | None:
    """Return when the member's card was last accepted, None if it never was."""
    newest = _visits(member).order_by("-pk").values_list("entry__tap__received_at", flat=True)
    return newest.first()


def visits(member: Member) -> int:
    """Return how many visits of the member have been counted."""
    return _visits(member).values("entry").distinct().count()


def sales(member: Member) -> list[SaleShown]:
    """Return the last purchases, as many as a favourite is looked for in."""
    found = Sale.objects.filter(member=member).select_related("shop").order_by("-at", "-pk")
    return [
        SaleShown(sale.pk, sale.receipt, sale.at, sale.amount_minor, sale.earned, sale.shop.name)
        for sale in found[:FAVOURITE_OF]
    ]


def favourite(sales: Sequence[int]) -> str:
    """Return the title that is in most lines of these sales, empty if none is there twice."""
    titles = SaleLine.objects.filter(sale__in=sales, reward=False).exclude(title="")
    counted = Counter(titles.values_list("title", flat=True))
    title, times = max(counted.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return title if times > 1 else ""


def _visits(member: Member) -> QuerySet[Posting]:
    return Posting.objects.filter(account__member=member, entry__tap__isnull=False)
