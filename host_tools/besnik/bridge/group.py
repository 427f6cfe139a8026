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
_ALONE_EVERY: Final = 5  # attempts

_Waiting = tuple[_T, Callable[["_R | None"], None]]


def backoff() -> Iterator[float]:
    """Yield delays in seconds that double up to 2 s, each with jitter of a quarter."""
    delay = _FIRST_DELAY_S
    while True:
        yield delay * random.uniform(0.75, 1.25)
        delay = min(2 * delay, _LONGEST_DELAY_S)


class GroupCommit(Generic[_T, _R]):
    """Settles items in batches, one batch at a time, and tells the result of each.

    ``settle`` returns one result an item, and may be given again what it settled before. On an
    error in ``away`` the batch is tried again, as long as it takes. On any other error it is
    halved until the item at fault is alone: that one gets ``failed(error)``.

    An item can also look like an outage, when it touches what is broken in the database. So every
    few attempts begin with one item alone; if that one passes, the others are halved as well.
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
        self._waiting: deque[_Waiting[_T, _R]] = deque()
        self._taken: list[_Waiting[_T, _R]] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        self._busy_since_s: float | None = None
        self.batches = 0

    @property
    def waiting(self) -> int:
        """How many items have no result yet."""
        return len(self._waiting) + len(self._taken)

    @property
    def busy_s(self) -> float:
        """For how long the batch that is being settled has been; 0.0 when there is none."""
        return 0.0 if self._busy_since_s is None else time.monotonic() - self._busy_since_s

    def add(self, item: _T, settled: Callable[[_R | None], None]) -> None:
        """Settle an item; ``settled`` is told its result after its commit, and must not raise.

        None: it was dropped.
        """
        self._waiting.append((item, settled))
        self._arrived.set()

    def submit(self, item: _T) -> asyncio.Future[_R | None]:
        """Return a future of the item's result after its commit; None if it was dropped."""
        future: asyncio.Future[_R | None] = asyncio.get_running_loop().create_future()

        def settled(result: _R | None) -> None:
            if not future.done():
                future.set_result(result)

        self.add(item, settled)
        return future

    def drop_waiting(self) -> None:
        """Give up the items no batch has taken yet: their result is None."""
        while self._waiting:
            self._waiting.popleft()[1](None)

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
                # The answers go out before the next batch, which may leave the loop no time.
                await asyncio.sleep(0)

    async def _next_batch(self) -> None:
        self._busy_since_s = time.monotonic()
        try:
            await self._surely()
            self.batches += 1
        finally:
            self._busy_since_s = None
            self._waiting.extendleft(reversed(self._taken))
            self._taken = []

    async def _surely(self) -> None:
        """Take a batch and settle it; while the store is away, take more."""
        outage = False
        for attempt, delay_s in enumerate(backoff(), 1):
            while self._waiting and len(self._taken) < self._batch_size:
                self._taken.append(self._waiting.popleft())
            count = len(self._taken)
            try:
                if attempt % _ALONE_EVERY:
                    await self._sift(self._taken)
                else:
                    await self._sift_beside(self._taken[attempt // _ALONE_EVERY % count])
            except self._away as error:
                if not outage:
                    _log.error(pairs("store_away", waiting=count, reason=error))
                outage = True
                await asyncio.sleep(delay_s)
            else:
                if outage:
                    _log.info(pairs("store_back", settled=count))
                return

    async def _sift_beside(self, witness: _Waiting[_T, _R]) -> None:
        await self._sift([witness])
        if self._taken:
            await self._sift(self._taken, witness)

    async def _sift(
        self, part: list[_Waiting[_T, _R]], witness: _Waiting[_T, _R] | None = None
    ) -> None:
        """Settle what can be settled; what fails alone is answered as failed.

        Raises what is in ``away``, unless ``witness`` shows that the store is there.
        """
        try:
            results = await self._settle([item for item, _ in part])
        except Exception as error:
            is_away = isinstance(error, self._away)
            if is_away and witness is None:
                raise
            if len(part) > 1:
                middle = len(part) // 2
                for half in (part[:middle], part[middle:]):
                    # A store that settles at once would leave nobody else a turn.
                    await asyncio.sleep(0)
                    await self._sift(half, witness)
                return
            if is_away and witness is not None:
                await self._settle([witness[0]])
            results = [self._failed(error)]
        self._answer(part, results)

    def _answer(self, part: list[_Waiting[_T, _R]], results: Sequence[_R]) -> None:
        if len(part) == len(self._taken):
            self._taken = []
        else:
            answered = {id(each) for each in part}
            self._taken = [each for each in self._taken if id(each) not in answered]
        for (_, settled), result in zip(part, results, strict=True):
            settled(result)
