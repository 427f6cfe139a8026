"""What was reserved for a sale that nobody paid goes back when its time is over."""

from __future__ import annotations

import datetime as dt
from typing import Final

from besnik.loyalty import operations
from besnik.store.books import writing
from besnik.store.models import Hold, Reservation

PAGE: Final = 200


def end_holds(now: dt.datetime) -> int:
    """Give back the points of every hold that ended before ``now``; return how many holds."""
    done = 0
    while True:
        rows = Hold.objects.filter(until__lte=now).order_by("until", "pk")
        found = list(rows.values_list("pk", "member_id", "entry__program_id")[:PAGE])
        if not found:
            return done
        for hold, member, program in found:
            done += _end(hold, member, program, now)


def _end(hold: int, member: int, program: int, now: dt.datetime) -> int:
    with writing(program, [member]) as books:
        # The till may have settled it while this waited for the member.
        row = Hold.objects.filter(pk=hold).first()
        if row is None:
            return 0
        entry = operations.release(books.written(hold), books.later(hold), reason="timeout")
        books.post(entry, at=now, source="job")
        row.delete()
    return 1


def forget_reservations(now: dt.datetime) -> int:
    """Forget which pieces of rewards were kept back, and are free again since that ended."""
    return Reservation.objects.filter(until__lte=now).delete()[0]
