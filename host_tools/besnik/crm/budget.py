"""What a CRM may be asked: so many requests in a second, and in a day.

A call pays for the requests it always makes; what it makes beyond them pays as it goes out.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiolimiter import AsyncLimiter

from besnik.crm import sources, toll
from besnik.crm.breaker import CutShortError, HeldBackError
from besnik.crm.foreign import Capabilities
from besnik.crm.thread import DatabaseThread

# Of the day's requests, what is left for people at the tills and for what they did: fields that
# are only shown, and walks over all customers, may not use it.
_KEPT_PART: Final = 5


class Budget:
    """The requests of one CRM. ``source`` is the row that counts those of the day, in UTC."""

    def __init__(
        self,
        source: int,
        database: DatabaseThread,
        able: Capabilities,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._source = source
        self._database = database
        self._able = able
        self._now = now
        self._limiter = None if able.per_second is None else _limiter(able.per_second)

    async def pay(self, *, is_spare: bool, requests: int | None = None) -> None:
        """Pay for a call, or so many ``requests``; HeldBackError when the day's are used up."""
        requests = requests or self._able.requests_per_call
        now = self._now()
        most = self._able.per_day
        if most is not None and is_spare:
            most -= most // _KEPT_PART
        if not await self._database(sources.spend, self._source, requests, now.date(), most):
            tomorrow = dt.datetime.combine(now.date(), dt.time(), dt.UTC) + dt.timedelta(days=1)
            raise HeldBackError(
                f"the {most} requests of a day are used up: it is asked again after midnight UTC",
                (tomorrow - now).total_seconds(),
            )
        if self._limiter is not None:
            await self._limiter.acquire(min(requests, self._limiter.max_rate))

    @contextmanager
    def collecting(self, limit: asyncio.Timeout, *, is_spare: bool) -> Iterator[None]:
        """Have every request within pay that the call has not paid for; CutShortError.

        What it waits for its turn is not of its time, which is ``limit``.
        """
        paid = self._able.requests_per_call
        time = _Time(limit)

        async def payer() -> None:
            nonlocal paid
            if paid:
                paid -= 1
                return
            try:
                with time.standing_still():
                    await self.pay(is_spare=is_spare, requests=1)
            except HeldBackError as held:
                raise CutShortError(str(held), held.retry_after_s) from held

        with toll.paid_by(payer):
            yield


class _Time:
    """The time of a call, whose requests may wait for their turns beside each other."""

    def __init__(self, limit: asyncio.Timeout) -> None:
        self._limit = limit
        self._waiting = 0
        self._left_s = 0.0

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        clock = asyncio.get_running_loop().time
        if not self._waiting:
            self._left_s = (self._limit.when() or clock()) - clock()
            self._limit.reschedule(None)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._limit.reschedule(clock() + self._left_s)


def _limiter(per_second: float) -> AsyncLimiter:
    # A limiter's bucket holds at least one request, however seldom it may be made.
    if per_second >= 1:
        return AsyncLimiter(per_second, 1)
    return AsyncLimiter(1, 1 / per_second)
