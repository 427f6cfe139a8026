"""What stands in front of every foreign CRM: its limits, its day's budget, and a breaker.

``Front`` is a ForeignCrm as well: whoever asks a CRM asks it through one.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

from besnik.crm import find, moving, sources
from besnik.crm.breaker import Breaker, CutShortError, HeldBackError, Standing
from besnik.crm.budget import Budget
from besnik.crm.foreign import (
    Capabilities,
    CrmAnswerError,
    CrmAwayError,
    CrmError,
    CrmSettingsError,
    Customer,
    Delivered,
    Field,
    ForeignCrm,
    Found,
    Health,
    NewCustomer,
    Page,
    Visit,
)
from besnik.crm.said import place
from besnik.crm.thread import DatabaseThread
from besnik.crm.tidy import checked_id, tidied, tidied_all
from besnik.store.models import CrmSource

_log = logging.getLogger(__name__)

# Far above what adapters promise: for one that breaks its promise.
CALL_MAX_S: Final = 60.0
_ANSWERED_EVERY: Final = dt.timedelta(seconds=60)

_T = TypeVar("_T")


def utc_now() -> dt.datetime:
    """Return the time, aware, UTC."""
    return dt.datetime.now(dt.UTC)


class Front:
    """A CRM that is asked as hard as it may be, and left alone while it fails.

    Beyond the four kinds of CrmError its calls raise two more CrmAwayErrors, HeldBackError: the CRM
    was not asked, and CutShortError: not to the end. ``source`` is the row whose budget is used and
    whose standing is written.
    """

    def __init__(
        self,
        crm: ForeignCrm,
        source: CrmSource,
        database: DatabaseThread,
        *,
        now: Callable[[], dt.datetime] = utc_now,
        call_max_s: float = CALL_MAX_S,
    ) -> None:
        self._crm = crm
        self._source = source.pk
        self._database = database
        self._now = now
        self._call_max_s = call_max_s
        self._said = sources.standing(source)
        self._answered_at = source.answered_at
        self.breaker = Breaker(now, self._said)
        self._budget = Budget(source.pk, database, crm.capabilities, now)

    @property
    def capabilities(self) -> Capabilities:
        """See ForeignCrm."""
        return self._crm.capabilities

    async def lookup_many(self, cards: Sequence[str], fields: Sequence[str]) -> Mapping[str, Found]:
        """See ForeignCrm."""

        async def call() -> Mapping[str, Found]:
            found = await self._crm.lookup_many(cards, fields)
            return {
                card: tidied(each) if isinstance(each, Customer) else each
                for card, each in found.items()
            }

        return await self._call(call)

    async def refresh(self, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Customer]:
        """See ForeignCrm."""

        async def call() -> Mapping[str, Customer]:
            return tidied_all(await self._crm.refresh(ids, fields))

        return await self._call(call, is_spare=True)

    async def record_visits(self, visits: Sequence[Visit], *, again: bool) -> Sequence[Delivered]:
        """See ForeignCrm."""

        async def call() -> Sequence[Delivered]:
            done = await self._crm.record_visits(visits, again=again)
            return _matched(done, [visit.event_id for visit in visits])

        return await self._call(call)

    async def create_customers(
        self, new: Sequence[NewCustomer], *, again: bool
    ) -> Sequence[Delivered]:
        """See ForeignCrm."""

        async def call() -> Sequence[Delivered]:
            done = _matched(
                await self._crm.create_customers(new, again=again),
                [each.event_id for each in new],
            )
            for each in done:
                if each.outcome != "refused":
                    checked_id(each.customer)
            return done

        return await self._call(call)

    async def list_customers(self, after: str | None, fields: Sequence[str]) -> Page:
        """See ForeignCrm."""

        async def call() -> Page:
            page = await self._crm.list_customers(after, fields)
            # A list that is made by a join has a customer once for each of something else.
            each = {customer.id: tidied(customer) for customer in page.customers}
            return Page(tuple(each.values()), page.after)

        return await self._call(call, is_spare=True)

    async def describe(self) -> Sequence[Field]:
        """See ForeignCrm."""
        return await self._call(self._crm.describe, is_spare=True)

    async def health(self) -> Health:
        """See ForeignCrm. One that is well again is asked again at once."""
        health = await self._crm.health()
        if health.ok and self.breaker.standing != Standing():
            self.breaker.reset()
            await self._say()
        return health

    def forgive(self) -> None:
        """Begin anew, because somebody else has written that it is well."""
        if self._said.state != "closed":
            self.breaker.reset()
            self._said = Standing()

    async def aclose(self) -> None:
        """See ForeignCrm."""
        await self._crm.aclose()

    async def _call(self, call: Callable[[], Awaitable[_T]], *, is_spare: bool = False) -> _T:
        self.breaker.enter()
        try:
            await self._budget.pay(is_spare=is_spare)
            answer = await self._bounded(call, is_spare=is_spare)
        except (HeldBackError, CutShortError) as error:
            # What is spare is kept back for the tills, who are well served.
            self.breaker.given_up() if is_spare else self.breaker.held_back(error)
            raise
        except CrmError as error:
            self.breaker.end(error)
            raise
        except BaseException:
            self.breaker.given_up()
            raise
        else:
            self.breaker.end(None)
            return answer
        finally:
            await self._say()

    async def _bounded(self, call: Callable[[], Awaitable[_T]], *, is_spare: bool) -> _T:
        try:
            async with asyncio.timeout(self._call_max_s) as limit:
                with self._budget.collecting(limit, is_spare=is_spare):
                    return await call()
        except TimeoutError as error:
            raise CrmAwayError(f"it did not answer in {self._call_max_s:.0f} s") from error
        except CrmError:
            raise
        except Exception as error:
            # A fault of an adapter, ours or a stranger's: like an answer nobody understands.
            _log.error("the adapter failed: %s at %s", type(error).__name__, place(error))
            raise CrmAnswerError(f"its adapter failed: {type(error).__name__}") from error

    async def _say(self) -> None:
        """Write how it is doing, if that changed."""
        standing, now = self.breaker.standing, self._now()
        if standing != self._said:
            self._said = standing
            await self._database(sources.stand, self._source, standing)
        is_news = self._answered_at is None or now - self._answered_at > _ANSWERED_EVERY
        if standing == Standing() and is_news:
            self._answered_at = now
            await self._database(sources.answered, self._source, now)


@contextlib.asynccontextmanager
async def opened(source: CrmSource, database: DatabaseThread | None = None) -> AsyncIterator[Front]:
    """Yield the front of a program's CRM, closed afterwards; CrmSettingsError.

    That also of one that has another address until it is known whose its customers are.

    Without ``database`` it has a thread of its own, so no transaction may be open around it.
    """
    if moving.has_moved(source):
        raise CrmSettingsError(moving.SAY_FIRST)
    async with contextlib.AsyncExitStack() as stack:
        if database is None:
            database = await stack.enter_async_context(DatabaseThread())
        front = Front(find.open_source(source), source, database)
        stack.push_async_callback(front.aclose)
        yield front


def _matched(done: Sequence[Delivered], asked: Sequence[str]) -> Sequence[Delivered]:
    """Return what became of the events; CrmAnswerError if it is not about just these."""
    if [each.event_id for each in done] != list(asked):
        raise CrmAnswerError("its adapter answered for other events than it was given")
    return done
