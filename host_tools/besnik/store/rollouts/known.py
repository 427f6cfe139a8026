"""The releases that a host has, as the pages and the roll-outs know them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db import transaction

from besnik.store.models import Release


class Found(msgspec.Struct, frozen=True):
    """A release whose signature and files were good when it was looked at."""

    number: int
    version: str
    board: str
    mpy: str
    size_bytes: int


def know(found: Iterable[Found], now: dt.datetime) -> None:
    """Keep what was found; what was not is no longer here."""
    releases = {each.number: each for each in found}
    with transaction.atomic():
        Release.objects.exclude(number__in=releases).filter(is_here=True).update(is_here=False)
        for number, each in releases.items():
            said = {**msgspec.structs.asdict(each), "is_here": True}
            Release.objects.update_or_create(
                number=number, defaults=said, create_defaults={**said, "found_at": now}
            )
