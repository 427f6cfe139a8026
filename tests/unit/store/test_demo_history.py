"""The demo shop's past: made by the till's own verbs, once, and the ledger adds up."""

from __future__ import annotations

from besnik.store import demo_history
from besnik.store.books.check import check
from besnik.store.models import Entry, Sale


def test_some_days_are_written_once_and_add_up(orm: str) -> None:
    made = demo_history.seed(days=12)

    assert made == Sale.objects.count() > 10
    assert Sale.objects.filter(member=None).exists()
    assert Entry.objects.filter(kind="accrue", sale__isnull=False).exists()
    assert check().is_clean
    assert demo_history.seed(days=12) == 0
