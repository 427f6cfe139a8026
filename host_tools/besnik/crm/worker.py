"""What is done all day for the CRM of one program: cards asked for, fields renewed, events told.

Three loops, because a slow answer to one must not hold up the others; each begins with what the
database says, so that a worker that was killed goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from besnik import contract
from besnik.crm import cache, creating, outbox, pending, telling
from besnik.crm.blame import Blame, Fault
from besnik.crm.breaker import HeldBackError
from besnik.crm.foreign import CrmAnswerError, CrmAwayError, CrmError
from besnik.crm.front import Front, utc_now
from besnik.crm.said import place
from besnik.crm.thread import DatabaseThread
from besnik.store.models import CrmSource

_log = logging.getLogger(__name__)

# How often each loop looks without being woken.
WAITING_S: Final = 2.0
# Fields that are a quarter of an hour old may be some seconds older: in a busy shop each look is
# for as many customers as one request takes.
REFRESH_S: Final = 15.0
TELL_S: Final = 20.0
# After a failure that does not say how long.
AGAIN_S: Final = 5.0
_LEAST_S: Final = 0.5
# A card that a CRM alone answers nonsense about is asked for again after this.
_ODD_S: Final = 60.0

Say = Callable[[pending.Settled], None]


class Worker:
    """Serves one program's CRM until cancelled. ``heard`` wakes it; ``say`` tells what it did."""

    def __init__(self, source: CrmSource, front: Front, database: DatabaseThread, say: Say) -> None:
        self._asked, self._source = source, source.pk
        self._program = source.program_id
        self._fields = cache.shown_fields(source)
        self._front = front
        self._database = database
        self._say = say
        self._tapped = asyncio.Event()
        self._full = asyncio.Event()
        self._told_of = 0
        self._seen: set[str] = set()
        self._many = asyncio.Event()
        self._odd: dict[str, float] = {}
        self._blame = Blame()
        able = front.capabilities
        self._members_rest = telling.rest(able, is_idempotent=False)
        self._visits_rest = telling.rest(able, is_idempotent=able.idempotent_writes)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again(self.answer_waiting, self._tapped, WAITING_S))
            group.create_task(self._again(self.refresh, self._many, REFRESH_S))
            group.create_task(self._again(self.tell, self._full, TELL_S))

    def heard(self, visit: contract.Visit) -> None:
        """Take note of a visit, of whatever program."""
        if visit.why == "pending":
            self._tapped.set()
            return
        if visit.member is None:
            return
        self._seen.add(visit.member)
        self._told_of += visit.r == "accepted"
        if len(self._seen) >= self._front.capabilities.lookup_max:
            self._many.set()
        if self._told_of >= self._front.capabilities.write_max:
            self._full.set()

    async def answer_waiting(self) -> None:
        """Settle all taps that wait, as far as the CRM answers."""
        most = self._front.capabilities.lookup_max
        while True:
            waiting = await self._database(pending.waiting, self._program)
            for card in [card for card, is_known in waiting.items() if is_known]:
                done = await self._database(pending.settle_known, self._program, card, utc_now())
                self._tell(done)
            now_s = time.monotonic()
            asked = [
                card
                for card, is_known in waiting.items()
                if not is_known and self._odd.get(card, 0.0) <= now_s
            ][:most]
            if not asked:
                return
            try:
                found = await self._front.lookup_many(asked, self._fields)
            except CrmAnswerError as error:
                # One of them, as a rule: each is asked for by itself.
                if len(asked) == 1:
                    self._odd[asked[0]] = now_s + _ODD_S
                    _log.warning("crm of program %d: a card: %s", self._program, error)
                most = 1
                continue
            self._odd = {card: until_s for card, until_s in self._odd.items() if until_s > now_s}
            answers = {card: found.get(card) for card in asked}
            self._tell(
                await self._database(pending.take, self._program, answers, utc_now(), self._asked)
            )

    async def refresh(self) -> None:
        """Ask for the fields of those who were here lately, where what is known is old."""
        seen, self._seen = self._seen, set()
        if not seen:
            return
        ids = await self._database(cache.stale, self._program, seen, utc_now())
        most = self._front.capabilities.lookup_max
        for start in range(0, len(ids), most):
            part = ids[start : start + most]
            found = await self._front.refresh(part, self._fields)
            await self._database(cache.renew, self._program, part, list(found.values()), utc_now())

    async def tell(self) -> None:
        """Tell the CRM what happened since the last time, members before what they did."""
        self._told_of = 0
        able = self._front.capabilities
        await self._database(outbox.collect, self._source, utc_now(), can_create=able.can_create)
        failure: CrmError | None = None
        try:
            while able.can_create and await self._tell_members():
                pass
        except CrmError as error:
            # What others did is told all the same.
            failure = error
        while await self._tell_visits():
            pass
        if failure is not None:
            raise failure

    async def _tell_members(self, *, fresh: bool = False) -> bool:
        most = min(self._front.capabilities.write_max, self._front.capabilities.lookup_max)
        asked = await self._database(creating.batch, self._source, most, utc_now(), fresh=fresh)
        if not asked.people:
            await self._database(creating.refuse_orphans, self._source)
            return False
        try:
            if cards := asked.cards:
                found = await self._front.lookup_many(cards, self._fields)
                asked = await self._database(
                    creating.take_known, self._asked, asked, found, utc_now()
                )
            if asked.people:
                sent_s = self._members_rest.sent_s
                await self._database(telling.mark, asked.rows, utc_now(), sent_s)
                new = [each.new for each in asked.people]
                done = await self._front.create_customers(new, again=asked.again)
                await self._database(creating.take_made, self._asked, asked, done, utc_now())
                if any(each.outcome != "refused" for each in done):
                    self._blame.wrote(asked.rows)
        except CrmError as error:
            failed = partial(telling.failed, resting=self._members_rest, again=asked.again)
            # Each is a customer of their own.
            others = None if fresh else self._tell_members
            await self._failed(failed, asked.rows, str(asked.rows[0]), error, others)
        return True

    async def _tell_visits(self, *, fresh: bool = False) -> bool:
        most = self._front.capabilities.write_max
        sent_s = self._visits_rest.sent_s
        batch = await self._database(
            telling.batch, self._source, most, utc_now(), sent_s, fresh=fresh
        )
        if batch is None:
            return False
        try:
            done = await self._front.record_visits(batch.visits, again=batch.again)
        except CrmError as error:
            failed = partial(telling.failed, resting=self._visits_rest, again=batch.again)
            others = None if fresh else self._tell_visits
            await self._failed(failed, batch.rows, batch.visits[0].customer, error, others)
            return True
        await self._database(telling.settle, batch.rows, done)
        if any(each.outcome != "refused" for each in done):
            self._blame.wrote(batch.rows)
        return True

    async def _failed(
        self,
        failed: Callable[..., None],
        rows: Sequence[int],
        whose: str,
        error: CrmError,
        others: Callable[..., Awaitable[bool]] | None,
    ) -> None:
        """Write that a call brought nothing; raises ``error`` unless it was the event's fault.

        If that is not known yet, some of the ``others`` are told all the same: where many fail by
        themselves, one of them is always due, and what is written between them says whose fault it
        is.
        """
        self._blame.failed(rows)
        fault = await self._fault(rows, whose, error)
        await self._database(failed, rows, error, utc_now(), fault=fault)
        if fault == "unsure" and len(rows) == 1 and others is not None:
            await others(fresh=True)
        if fault != "event":
            raise error

    async def _fault(self, rows: Sequence[int], whose: str, error: CrmError) -> Fault:
        if not self._blame.is_in_doubt(len(rows), error):
            return "crm"
        is_alone = len(rows) == 1
        if is_alone and self._blame.is_key(whose, error):
            return "crm"
        # One that is well again is asked again at once: its breaker is closed by this.
        if not (await self._front.health()).ok:
            return "crm"
        return self._blame.of(rows[0], error) if is_alone else "unsure"

    def _tell(self, settled: list[pending.Settled]) -> None:
        for each in settled:
            self._say(each)

    async def _again(
        self, work: Callable[[], Awaitable[None]], woken: asyncio.Event, every_s: float
    ) -> None:
        """Work at once, when woken, and every so often; after a failure as soon as it may be."""
        said = ""
        while True:
            woken.clear()
            pause_s = every_s
            try:
                await work()
                said = ""
            except HeldBackError as held:
                pause_s = _pause_s(held, every_s)
            except Exception as error:
                # One of the CRM or the database passes; a fault of ours ends no other loop.
                pause_s = _pause_s(error, every_s)
                if said != (said := f"{type(error).__name__}: {_words(error)}"):
                    _log.warning("crm of program %d: %s", self._program, said)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), pause_s)


def _pause_s(error: Exception, every_s: float) -> float:
    asked_s = error.retry_after_s if isinstance(error, CrmAwayError) else None
    return min(every_s, AGAIN_S if asked_s is None else max(asked_s, _LEAST_S))


def _words(error: Exception) -> str:
    # A database's error can quote the row that it is about.
    return str(error) if isinstance(error, CrmError) else place(error)
