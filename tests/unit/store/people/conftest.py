"""A shop in Tirana whose members are known by phone."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from besnik.loyalty.money import Currency
from besnik.loyalty.program import Program as Rules
from besnik.store import programs

if TYPE_CHECKING:
    from besnik.store.models import Program

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def program(orm: str) -> Program:
    """The demo program, in Albania."""
    from besnik.store.models import Program

    row = Program.objects.get()
    rules = Rules(id=row.pk, name=row.name, currency=Currency.named("EUR"), zone="Europe/Tirane")
    programs.publish(rules, NOON)
    return row
