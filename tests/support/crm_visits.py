"""Cards, events and visits as tests of CRMs make them."""

from __future__ import annotations

import datetime as dt
import itertools
import time

from besnik.crm.foreign import Visit

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
_numbers = itertools.count(1)


def new_card() -> str:
    """Return the number of a card that nobody has used in this run."""
    return f"04{time.time_ns() % 2**32:08X}{next(_numbers) % 2**16:04X}"


def new_event() -> str:
    """Return an id of an event, as those of the ledger are."""
    return f"e{time.time_ns() % 10**9}-{next(_numbers)}"


def visit(customer: str, event_id: str, *, points: int = 10, balance: int | None = 30) -> Visit:
    """Return a visit at noon."""
    return Visit(event_id, customer, "visit", "Corner Café", NOON, points, balance, new_card())
