"""A purchase that was recorded before its card was held to the reader."""

from __future__ import annotations

import datetime as dt

import msgspec

from besnik.store.models import Sale, Till


class OpenSale(msgspec.Struct, frozen=True):
    """A purchase at a till that is nobody's yet: the next card gets it."""

    receipt: str
    amount_minor: int


def open_sale(till: Till, since: dt.datetime, now: dt.datetime) -> OpenSale | None:
    """Return the newest purchase after ``since`` that waits for a card, None if none does."""
    recent = Sale.objects.filter(program_id=till.shop.program_id, at__gt=since, at__lte=now)
    sale = recent.filter(till=till, member__isnull=True).order_by("-at", "-pk").first()
    return OpenSale(sale.receipt, sale.amount_minor) if sale else None
