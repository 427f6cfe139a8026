"""What a member agreed to, purpose by purpose, with what was read and who was there.

Membership itself needs no consent and never waits for one: who says no to everything earns as
everybody does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from django.utils import timezone

from besnik.store.models import Consent, Member, Staff

# Each is asked for by itself, and none is set beforehand.
PURPOSES: Final = ("marketing", "profiling", "partners")
TEXT_MAX: Final = 500


class ConsentError(ValueError):
    """A consent that cannot be recorded; the text says what is missing."""


class Agreed(msgspec.Struct, frozen=True):
    """A yes (``given``) or no to one purpose; ``text`` is the sentence as it was read."""

    purpose: str
    given: bool
    text: str


def record(
    member: Member,
    agreed: Iterable[Agreed],
    *,
    source: str,
    staff: Staff | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Record what ``member`` said; ``source`` is where: till, page, api or import. ConsentError.

    What is as it was is not recorded again, so every row is a change.
    """
    now = current(member)
    when = at or timezone.now()
    rows = []
    for said in agreed:
        if said.purpose not in PURPOSES:
            raise ConsentError(f"{said.purpose!r} is no purpose; known: {', '.join(PURPOSES)}")
        if not said.text or len(said.text) > TEXT_MAX:
            raise ConsentError(f"give the sentence that was read, at most {TEXT_MAX} characters")
        before = now.get(said.purpose)
        if before is None or before.given != said.given:
            rows.append(
                Consent(
                    member=member,
                    purpose=said.purpose,
                    given=said.given,
                    text=said.text,
                    source=source,
                    staff=staff,
                    at=when,
                )
            )
    Consent.objects.bulk_create(rows)


def current(member: Member) -> Mapping[str, Consent]:
    """Return the newest answer to each purpose that was ever asked for."""
    return {row.purpose: row for row in member.consents.order_by("at", "pk")}


def may(member: Member, purpose: str) -> bool:
    """Tell whether ``member`` has said yes to ``purpose`` and not taken it back."""
    row = current(member).get(purpose)
    return row is not None and row.given
