"""Cards by their numbers alone, of whatever kind."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from besnik.store.models import Card, CardKind


def cards_of(program: int, numbers: Iterable[object]) -> QuerySet[Card]:
    """Return the cards of a program that have these numbers.

    Each kind is named: without it SQLite has no use for the index of program, kind and number as
    long as it has no statistics, and goes through all cards there are.
    """
    return Card.objects.filter(program=program, kind__in=CardKind.values, data__in=numbers)
