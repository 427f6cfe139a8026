"""Tiers that were promised until a day that has passed: kept, or one lower, by the plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from besnik.loyalty.program import Program
from besnik.store.books import writing
from besnik.store.models import Member, TierHeld
from besnik.store.till import standing

PAGE: Final = 500


def review(program: Program, now: dt.datetime) -> int:
    """Judge again every tier whose last day has passed; return how many were."""
    if program.tiers is None:
        return 0
    done = 0
    for members in _due(program, now):
        for member in members:
            # Locked: a sale at this moment counts too, before or after.
            with writing(program.id, [member.pk]):
                standing.advanced(program, member, now)
            done += 1
    return done


def _due(program: Program, now: dt.datetime) -> Iterator[list[Member]]:
    last = 0
    while True:
        rows = TierHeld.objects.filter(
            member__program=program.id, until__lt=program.today(now), pk__gt=last
        )
        found = [row.member for row in rows.select_related("member").order_by("pk")[:PAGE]]
        if not found:
            return
        yield found
        last = found[-1].pk
