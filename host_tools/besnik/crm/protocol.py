"""What the bridge asks of customer records, wherever they are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from besnik.crm.every import AnyCrm
from besnik.store.hot import Batch, CardKey, DecidedTap, KnownCard, Recorded, TapKey


class Crm(AnyCrm, Protocol):
    """Customer records. Every call but ``health`` may raise CrmAwayError."""

    async def lookup_many(self, keys: Sequence[CardKey]) -> Mapping[CardKey, KnownCard]:
        """Return the cards that are known; a key that is absent is known to be unknown."""

    async def record_visits(self, taps: Sequence[DecidedTap]) -> Sequence[Recorded]:
        """Record decided taps, durably before it returns, and return one verdict a tap.

        Refused taps are recorded too, without an entry, so that a repeat gets the same answer.
        Reader and tap id are the idempotency key: a repeat writes nothing. An accepted tap
        whose SUN counter is not fresh is recorded and returned as rejected.
        """

    async def visit_many(self, batch: Batch) -> Sequence[Recorded]:
        """Lead a batch through: readers, ``lookup_many``, ``record_visits``.

        At one go where the adapter can; the readers are always those of Besnik's own store. When
        it raises, the same batch may be given again.
        """

    async def recorded(self, keys: Collection[TapKey]) -> Mapping[TapKey, Recorded]:
        """Return the verdicts of those of the taps that were recorded before."""
