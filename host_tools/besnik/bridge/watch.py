"""Watches whether the store can settle taps, also while nobody taps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from besnik.crm.every import Health

# How long a batch or a look at the store may take before readers are told not to wait.
PATIENCE_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.25
_PROBE_EVERY_S: Final = 2.0


class Settling(Protocol):
    """What is watched: a group commit."""

    batches: int

    @property
    def busy_s(self) -> float:
        """For how long the batch that is being settled has been; 0.0 when there is none."""


class StoreWatch:
    """Calls ``tell(well)`` with what it finds, over and over.

    Taps themselves show whether the store works; while there are none, ``health`` is asked.
    """

    def __init__(
        self,
        settling: Settling,
        health: Callable[[], Awaitable[Health]],
        tell: Callable[[bool], None],
    ) -> None:
        self._settling = settling
        self._health = health
        self._tell = tell

    async def run(self) -> None:
        """Watch until cancelled."""
        settled, looked_s, well = self._settling.batches, time.monotonic(), True
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            busy_s, now_s = self._settling.busy_s, time.monotonic()
            if busy_s > PATIENCE_S:
                self._tell(well := False)
            elif self._settling.batches != settled:
                settled, looked_s = self._settling.batches, now_s
                self._tell(well := True)
            elif not busy_s and (not well or now_s - looked_s >= _PROBE_EVERY_S):
                self._tell(well := await self._is_well())
                looked_s = time.monotonic()

    async def _is_well(self) -> bool:
        # Not cancelled when it takes long: work on the store cannot be interrupted anyway.
        probe = asyncio.ensure_future(self._health())
        await asyncio.wait({probe}, timeout=PATIENCE_S)
        if not probe.done():
            self._tell(False)
        try:
            return (await probe).ok
        except Exception:
            # Whatever is wrong with it: it settles nothing now. The first tap's error is logged.
            return False
