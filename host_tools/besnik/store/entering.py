"""A reader entered in the shop's records by whoever makes it of a board."""

from __future__ import annotations

from django.db import transaction

from besnik.contract import is_host_name
from besnik.store import audit
from besnik.store.models import Reader, Shop


class NoPlaceError(ValueError):
    """Where a reader is to stand is not clear; the text says what to do."""


def enter(shop: str, reader: str, till: str = "") -> str:
    """Enter a new reader at a till of a shop; return where it stands then, "" if it is known.

    All three are ids; without ``till`` the shop must have one only. NoPlaceError.
    """
    known = Reader.objects.select_related("shop").filter(slug=reader).first()
    if known is not None:
        if known.shop.slug != shop:
            raise NoPlaceError(
                f"{reader} is a reader of the shop {known.shop.slug}: give this one another id, or"
                f" that shop with --shop {known.shop.slug}"
            )
        return ""
    if is_host_name(reader):
        raise NoPlaceError(f"{reader}: the host has that name at the broker: choose another id")
    found = Shop.objects.filter(slug=shop).first()
    if found is None:
        shops = ", ".join(Shop.objects.order_by("slug").values_list("slug", flat=True)) or "none"
        raise NoPlaceError(
            f"there is no shop {shop} in the records, which have {shops}: add it on the owner's"
            " page of shops, or give its id with --shop"
        )
    tills = {each.slug: each for each in found.tills.order_by("slug")}
    if not till and len(tills) == 1:
        (till,) = tills
    if till not in tills:
        raise NoPlaceError(
            f"at which till of {shop} is {reader} to stand? Say it with --till:"
            f" {', '.join(tills) or 'it has none yet, add one on the page of shops'}"
        )
    with transaction.atomic():
        Reader.objects.create(shop=found, till=tills[till], slug=reader, name=reader)
        audit.record(None, "reader.add", f"reader:{reader}", program=found.program_id)
    return f"{found.name}, {tills[till].name}"
