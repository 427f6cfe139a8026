"""Group commit: what arrives while one batch is being settled is the next batch."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from besnik.bridge.log import pairs

_T = TypeVar("_T")
_R = TypeVar("_R")
_log = logging.getLogger(__name__)

_FIRST_DELAY_S: Final = 0.2
_LONGEST_DELAY_S: Final = 2.0


def backoff() -> Iterator[float]:
    """Yield delays in seconds that double up to 2 s, each with jitter of a quarter."""
    delay = _FIRST_DELAY_S
    while True:
        yield delay * random.uniform(0.75, 1.25)
        delay = min(2 * delay, _LONGEST_DELAY_S)


class GroupCommit(Generic[_T, _R]):
    """Settles items in batches, one batch at a time, and answers each through a future.

    ``settle`` returns one result an item. On an error in ``away`` the batch is tried again, as
    long as it takes; on any other error its items are tried one by one, and an item that fails
    alone gets ``failed(error)``.
    """

    def __init__(
        self,
        settle: Callable[[Sequence[_T]], Awaitable[Sequence[_R]]],
        failed: Callable[[Exception], _R],
        away: tuple[type[Exception], ...],
        batch_size: int,
    ) -> None:
        self._settle = settle
        self._failed = failed
        self._away = away
        self._batch_size = batch_size
        self._waiting: deque[tuple[_T, asyncio.Future[_R | None]]] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._busy_since_s: float | None = None
        self._in_hand = 0
        self.batches = 0

    @property
    def waiting(self) -> int:
        """How many items have no result yet."""
        return len(self._waiting) + self._in_hand

    @property
    def busy_s(self) -> float:
        """For how long the batch that is being settled has been; 0.0 when there is none."""
        return 0.0 if self._busy_since_s is None else time.monotonic() - self._busy_since_s

    def submit(self, item: _T) -> asyncio.Future[_R | None]:
        """Return a future of the item's result after its commit; None if it was dropped."""
        future: asyncio.Future[_R | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._arrived.set()
        return future

    def drop_waiting(self) -> None:
        """Give up the items no batch has taken yet: their futures become None."""
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)

    def stop(self) -> None:
        """Let ``run`` return after the batch that is being settled."""
        self._stopping = True
        self._arrived.set()

    async def run(self) -> None:
        """Settle batches until ``stop``."""
        while True:
            await self._arrived.wait()
            if self._stopping:
                return
            self._arrived.clear()
            while self._waiting and not self._stopping:
                await self._next_batch()

    async def _next_batch(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._batch_size))]
        self._busy_since_s, self._in_hand = time.monotonic(), len(taken)
        try:
            results = await self._surely([item for item, _ in taken])
        except asyncio.CancelledError:
            self._waiting.extendleft(reversed(taken))
            raise
        finally:
            self._busy_since_s, self._in_hand = None, 0
        self.batches += 1
        for (_, future), result in zip(taken, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _surely(self, items: Sequence[_T]) -> Sequence[_R]:
        outage = False
        for delay_s in backoff():
            try:
                results = await self._settle(items)
            except self._away as error:
                if not outage:
                    _log.error(pairs("store_away", waiting=len(items), reason=error))
                outage = True
                await asyncio.sleep(delay_s)
            except Exception as error:
                if len(items) == 1:
                    return [self._failed(error)]
                return [(await self._surely([item]))[0] for item in items]
            else:
                if outage:
                    _log.info(pairs("store_back", settled=len(items)))
                return results
        raise AssertionError("backoff never ends")
