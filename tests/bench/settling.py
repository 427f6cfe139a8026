"""The bridge from a tap's message to its verdict, in one process and without a broker."""

from __future__ import annotations

import random
import time
from types import TracebackType
from typing import Self

from besnik.bridge.case import Presented
from besnik.bridge.desk import Desk
from besnik.bridge.intake import read
from besnik.bridge.tally import Tally
from besnik.credentials.assess import Assessor
from besnik.credentials.keyring import Keys
from besnik.crm.embedded import EmbeddedCrm
from besnik.store.access import StoreAccess
from besnik.store.hot import Recorded
from support.store import settings_for

READER = "counter-1"


class Settling:
    """Settles batches of taps of random cards, as the bridge does."""

    def __init__(self, url: str, boot: int = 1) -> None:
        self._store = StoreAccess(settings_for(url))
        self._desk = Desk(EmbeddedCrm(self._store), Assessor(Keys()), Tally())
        self._boot = boot
        self._sequence = 0
        self._random = random.Random(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._store.aclose()

    async def seconds(self, taps: int, cards: int) -> float:
        """Settle one batch of taps of the first ``cards`` cards; return how long it took."""
        batch = [self._tap(self._random.randrange(cards)) for _ in range(taps)]
        began = time.perf_counter()
        settled = await self._desk.settle(batch)
        taken = time.perf_counter() - began
        for each in settled:
            assert isinstance(each, Recorded), each
            assert (each.outcome, each.repeat) == ("accepted", False), each
        return taken

    def _tap(self, card: int) -> Presented:
        self._sequence += 1
        payload = (
            f'{{"v":1,"id":"{self._boot:05d}-{self._sequence:06d}","k":"uid","d":"04{card:012X}",'
            '"t":1795300000,"tq":2,"q":0}'
        )
        topic = f"besnik/v1/corner/{READER}/tap"
        return Presented(read(topic, payload.encode(), redelivered=False))
