"""Customers taken over by an import, some at a time, beside tills that write as well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from django.db import IntegrityError
from django.utils import timezone

from besnik.crm.foreign import Customer
from besnik.crm.holders import hold
from besnik.crm.joining import language_of
from besnik.crm.matching import Here, Match
from besnik.crm.taking import Taking, note, noted
from besnik.store.models import CrmSource
from besnik.store.writer import Writer

# Hears within the transaction what became of customers, and how many balances were opened.
GotOn = Callable[[Sequence[Match], int], None]


class Intake:
    """Makes members of customers in short transactions, with rests between them."""

    def __init__(self, source: CrmSource, found_at: dt.datetime) -> None:
        self._source, self._found_at = source, found_at
        self._language = language_of(source.program_id)
        self._writer = Writer()

    def take(self, customers: Sequence[Customer], got_on: GotOn) -> None:
        """Take customers over, in one transaction with ``got_on``."""
        for is_last in (False, False, True):
            try:
                self._take(customers, got_on)
            except IntegrityError:
                # Somebody was quicker with a card or a customer: then they are known now.
                if is_last:
                    raise
            else:
                return

    def _take(self, customers: Sequence[Customer], got_on: GotOn) -> None:
        self._writer.rest()
        version = self._writer.version()
        worked_out = None if version is None else self._worked_out(customers)
        with self._writer.hold():
            hold(self._source.program_id, customers)
            if worked_out is None or version != self._writer.version():
                worked_out = self._worked_out(customers)
            matches, taking, is_noted = worked_out
            opened = taking.write()
            if is_noted or any(match.differences for match in matches):
                note(self._source, matches, self._found_at)
            got_on(matches, opened)

    def _worked_out(self, customers: Sequence[Customer]) -> tuple[list[Match], Taking, bool]:
        """Return what becomes of customers, and whether something was found of them before."""
        matches = Here(self._source, customers).matches()
        taking = Taking(self._source, matches, self._language, timezone.now())
        return matches, taking, noted(self._source, matches).exists()
