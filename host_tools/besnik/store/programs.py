"""What a program gives, version by version: published once, never changed."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final

from django.db import IntegrityError, transaction

from besnik.loyalty.money import Currency
from besnik.loyalty.program import Program, decode, encode
from besnik.store.models import Program as ProgramRow
from besnik.store.models import ProgramVersion, Staff

_REMEMBERED: Final = 64


class PublishError(ValueError):
    """A version that cannot be published; the text says what to do."""


def current(program: int) -> Program:
    """Return what the program ``program`` (its row) gives: its newest version.

    A program without a version recognises its members and gives nothing.
    """
    newest = ProgramVersion.objects.filter(program=program).order_by("-version")
    found = newest.values_list("pk", "document").first()
    if found is None:
        name = ProgramRow.objects.values_list("name", flat=True).get(pk=program)
        return Program(id=program, name=name, currency=Currency.named("EUR"), zone="UTC")
    return _decoded(*found)


def publish(
    program: Program, at: dt.datetime, staff: Staff | None = None, *, after: int | None = None
) -> ProgramVersion:
    """Publish ``program`` as the next version of the program whose row is ``program.id``.

    ``after`` is the version that was edited: PublishError if another one came in between.
    """
    with transaction.atomic():
        newest = (
            ProgramVersion.objects.filter(program=program.id)
            .order_by("-version")
            .values_list("version", flat=True)
            .first()
        ) or 0
        if after is not None and after != newest:
            raise PublishError(
                f"version {newest} was published meanwhile: open the program again and repeat"
                " your change"
            )
        try:
            made = ProgramVersion.objects.create(
                program_id=program.id,
                version=newest + 1,
                document=encode(program).decode(),
                published_at=at,
                published_by=staff,
            )
        except IntegrityError as error:
            raise PublishError(
                "another version was published at this moment: open the program again"
            ) from error
        ProgramRow.objects.filter(pk=program.id).update(name=program.name)
        return made


@lru_cache(maxsize=_REMEMBERED)
def _decoded(_version: int, document: str) -> Program:
    # A version never changes; the document is part of the key for tests, which copy databases.
    return decode(document)
