"""What is the same of every CRM, Besnik's own store among them.

Each looks cards up by their canonical numbers, many at once (``lookup_many``), and records visits
once however often it is told of them (``record_visits``). What those calls carry differs: the
bridge decides on taps (`besnik.crm.protocol`), another CRM is told of them (`besnik.crm.foreign`).
All of them pass the same tests, those of ``tests/support/crm_every.py``.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

# Who asks for more means for ever, or counts in another unit.
RETRY_AFTER_MAX_S: Final = 86_400.0


class CrmError(Exception):
    """A call that brought nothing; the text says what to do, without secrets or personal data."""


class CrmAwayError(CrmError):
    """It does not answer, is too slow, or is over its limit: the same call may be made later.

    ``retry_after_s`` is how long it asked to be left alone, if it said so; a day at most.
    """

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = (
            None if retry_after_s is None else min(max(retry_after_s, 0.0), RETRY_AFTER_MAX_S)
        )


class Health(msgspec.Struct, frozen=True):
    """Whether it can be used now; ``why`` says what is wrong in words for the owner."""

    ok: bool
    why: str = ""


class Capabilities(msgspec.Struct, frozen=True):
    """What an adapter can do, and how hard it may be asked.

    ``lookup_max`` cards and ``write_max`` visits fit in one call. ``idempotent_writes``: an event
    that was written before is not written again by the CRM itself; otherwise the adapter looks for
    it first when told that it may be a repeat. ``late_s``: how long a request that nobody waits for
    any more can still be carried out, so that a repeat would look for it too early; 0 where that
    does no harm. ``per_second`` and ``per_day`` limit requests, None:
    no limit. ``search_lag_s``: how long a new record cannot be found.
    """

    lookup_max: int = 50
    write_max: int = 50
    idempotent_writes: bool = False
    per_second: float | None = None
    per_day: int | None = None
    search_lag_s: float = 0.0
    late_s: float = 60.0
    can_create: bool = True
    can_list: bool = True
    requests_per_call: int = 1


class AnyCrm(Protocol):
    """What can be asked of every CRM."""

    @property
    def capabilities(self) -> Capabilities:
        """What this one can do."""

    async def health(self) -> Health:
        """Say whether it can be used now; raises nothing."""
