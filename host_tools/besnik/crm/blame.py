"""Whose fault it is that an event could not be written: the CRM's, or the event's own.

A CRM can answer 403 or 500 about one record for ever, while all others are taken. Whoever does not
tell that from a key that is wrong, or a CRM that is away, keeps every other event waiting for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from besnik.crm.breaker import HeldBackError
from besnik.crm.foreign import CrmAwayError, CrmError, CrmRefusedError

# The CRM's: all wait. Not known yet: this one lets the others pass. The event's: at last its owner
# has to look.
Fault = Literal["crm", "unsure", "event"]

# Events of so many customers that are refused alone, one after the other, and none written in
# between: it is the key that may not write.
_DENIED_MAX: Final = 3


class Blame:
    """What is known of it since the worker began."""

    def __init__(self) -> None:
        self._written = 0
        self._before: dict[int, int] = {}
        self._denied: set[str] = set()

    def wrote(self, rows: Sequence[int]) -> None:
        """Take note that the CRM has taken one of these events at least, and answered for all."""
        self._written += 1
        self._denied.clear()
        for row in rows:
            self._before.pop(row, None)

    def failed(self, rows: Sequence[int]) -> None:
        """Take note that these events could not be written."""
        for row in rows:
            self._before.setdefault(row, self._written)

    def is_in_doubt(self, rows: int, error: CrmError) -> bool:
        """Whether events may be to blame, if the CRM is well; ``rows``: how many were sent."""
        if isinstance(error, CrmRefusedError):
            return True
        if isinstance(error, HeldBackError):
            return False
        # Who says how long it wants to be left alone is the one that is busy.
        return isinstance(error, CrmAwayError) and error.retry_after_s is None and rows == 1

    def is_key(self, customer: str, error: CrmError) -> bool:
        """Whether an event that was sent alone is refused as those of others before it were."""
        if not isinstance(error, CrmRefusedError):
            return False
        self._denied.add(customer)
        if len(self._denied) < _DENIED_MAX:
            return False
        # Who has changed the key begins anew.
        self._denied.clear()
        return True

    def of(self, row: int, error: CrmError) -> Fault:
        """Return whose fault it is that an event failed alone, while the CRM is well."""
        if isinstance(error, CrmRefusedError):
            return "event"
        # A CRM can be well and write nothing: its disk is full.
        has_written = self._written > self._before.get(row, self._written)
        return "event" if has_written else "unsure"
