"""The customer records in Besnik's own store, which is also the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from besnik.crm.every import Capabilities, CrmAwayError, Health
from besnik.store.access import StoreAccess, StoreUnavailableError
from besnik.store.hot import Batch, CardKey, DecidedTap, KnownCard, Recorded, TapKey

# From 128 taps a commit on, the commit itself is a small part of the time.
_BATCH_SIZE: Final = 512


class EmbeddedCrm:
    """The store as an adapter: a tap, its entry and the balances are one transaction."""

    capabilities = Capabilities(
        lookup_max=_BATCH_SIZE,
        write_max=_BATCH_SIZE,
        idempotent_writes=True,
        # Members are enrolled and listed by the pages, which have the same tables.
        can_create=False,
        can_list=False,
    )

    def __init__(self, store: StoreAccess) -> None:
        self._store = store

    async def lookup_many(self, keys: Sequence[CardKey]) -> Mapping[CardKey, KnownCard]:
        """See Crm."""
        if not keys:
            return {}
        try:
            return await self._store.call(lambda hot: hot.cards(keys))
        except StoreUnavailableError as error:
            raise CrmAwayError(str(error)) from error

    async def record_visits(self, taps: Sequence[DecidedTap]) -> Sequence[Recorded]:
        """See Crm."""
        if not taps:
            return []
        try:
            return await self._store.call(lambda hot: hot.record(taps))
        except StoreUnavailableError as error:
            raise CrmAwayError(str(error)) from error

    async def visit_many(self, batch: Batch) -> Sequence[Recorded]:
        """See Crm: one piece of work for the store."""
        try:
            return await self._store.call(lambda hot: hot.settle(batch))
        except StoreUnavailableError as error:
            raise CrmAwayError(str(error)) from error

    async def recorded(self, keys: Collection[TapKey]) -> Mapping[TapKey, Recorded]:
        """See Crm."""
        if not keys:
            return {}
        try:
            return await self._store.call(lambda hot: hot.recorded(keys))
        except StoreUnavailableError as error:
            raise CrmAwayError(str(error)) from error

    async def health(self) -> Health:
        """See AnyCrm: reads a table and writes nothing to others.

        So a store without tables is not ok, nor one that is locked or cannot be written.
        """
        try:
            await self._store.call(lambda hot: (hot.readers([""]), hot.record([])))
        except StoreUnavailableError as error:
            return Health(ok=False, why=str(error))
        return Health(ok=True)
