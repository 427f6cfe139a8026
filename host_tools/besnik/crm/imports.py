"""A walk over all customers of a CRM: counted first (dry), then made members here.

It reads page by page and writes a few customers at a time, each few in one transaction with how far
it is: so it takes little memory, holds up no tap, and goes on where it broke off.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Final, TypeVar

from django.db import transaction
from django.utils import timezone

from besnik.crm import cache, front
from besnik.crm.foreign import CrmAnswerError, CrmAwayError, CrmError, Customer
from besnik.crm.intake import Intake
from besnik.crm.matching import Difference, Here, Match
from besnik.crm.seen import Seen
from besnik.crm.taking import note
from besnik.crm.thread import DatabaseThread
from besnik.store.models import CrmDifference, CrmLink, CrmRecord, CrmRun, CrmSource, Staff

# So many customers are some 5 ms of SQLite's one writer.
AT_ONCE: Final = 20
EXAMPLES: Final = 30
# One that has not got on for so long has broken off: its process is gone.
LOST_AFTER: Final = dt.timedelta(minutes=2)
_PATIENCE_S: Final = 600.0
_PAUSE_S: Final = 5.0
_BEAT_S: Final = 30.0
_WHY_MAX: Final = 300
_T = TypeVar("_T")


class BusyError(Exception):
    """Another walk over this CRM's customers is under way."""


def begin(source: CrmSource, staff: Staff | None, *, dry: bool, anew: bool = False) -> CrmRun:
    """Begin a walk, or take up the import that broke off; BusyError.

    A count that broke off begins anew: it has nothing that would be lost. So does an import with
    ``anew``, for a CRM that does not know any more where it was; who was taken stays taken.
    """
    now = timezone.now()
    with transaction.atomic():
        CrmSource.objects.select_for_update().get(pk=source.pk)
        runs = CrmRun.objects.filter(program=source.program_id)
        if any(not is_lost(run, now) for run in runs.filter(state="running")):
            raise BusyError("the customers are being gone through already: wait until that is done")
        broken = runs.exclude(state="done").order_by("-started_at")
        if anew and not dry:
            broken.filter(dry=False).delete()
        last = None if dry else broken.filter(dry=False).first()
        broken.filter(dry=True).delete()
        # They are names of people, and have been looked at.
        runs.exclude(examples=[]).update(examples=[])
        if last is not None:
            last.state, last.why, last.beat_at = "running", "", now
            last.save()
            return last
        return CrmRun.objects.create(
            program_id=source.program_id, dry=dry, staff=staff, started_at=now, beat_at=now
        )


def is_lost(run: CrmRun, now: dt.datetime) -> bool:
    """Tell whether a walk that should be under way has broken off."""
    return run.state == "running" and now - run.beat_at > LOST_AFTER


def walk(
    run: CrmRun,
    told: Callable[[CrmRun], None] = lambda _run: None,
    patience_s: float = _PATIENCE_S,
) -> CrmRun:
    """Go through all customers, from where ``run`` is; at the end it is done or failed.

    No event loop may run in this thread. A CRM that does not answer is waited for, in all
    ``patience_s``; ``told`` hears how far it is, and by ``why`` that it is waited for.
    """
    source = CrmSource.objects.get(program=run.program_id)
    try:
        asyncio.run(_Walk(run, source, told, patience_s).go())
    except CrmError as error:
        run.state, run.why = "failed", str(error)[:_WHY_MAX]
        run.save(update_fields=["state", "why"])
    except BaseException:
        run.state, run.why = "failed", "it was ended"
        run.save(update_fields=["state", "why"])
        raise
    return run


class _Walk:
    def __init__(
        self,
        run: CrmRun,
        source: CrmSource,
        told: Callable[[CrmRun], None],
        patience_s: float,
    ) -> None:
        self._run, self._source, self._told = run, source, told
        self._patience_s = patience_s
        self._fields = cache.shown_fields(source)
        self._intake = Intake(source, run.started_at)

    async def go(self) -> None:
        async with DatabaseThread() as database, front.opened(self._source, database) as crm:
            with closing(Seen()) as seen:
                await self._list(database, crm, seen)
            if not self._run.dry:
                await self._look_for_gone(database, crm)
            await database(self._end)
        self._told(self._run)

    async def _list(self, database: DatabaseThread, crm: front.Front, seen: Seen) -> None:
        run = self._run
        while True:
            page = await self._patiently(
                database, lambda: crm.list_customers(run.after or None, self._fields)
            )
            for some in _parts(page.customers[run.within :], AT_ONCE):
                await database(self._count if run.dry else self._take, some, seen)
                self._told(run)
            if page.after is None:
                return
            if page.after == run.after:
                raise CrmAnswerError("its list of customers has no end: the same page comes again")
            await database(self._turn, page.after)

    async def _patiently(self, database: DatabaseThread, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask as long as there is patience; HeldBackError says when to come back."""
        while True:
            try:
                answer = await ask()
            except CrmAwayError as error:
                rest_s = max(error.retry_after_s or _PAUSE_S, 0.05)
                self._patience_s -= rest_s
                if self._patience_s < 0:
                    raise
                await self._wait(database, str(error), rest_s)
            else:
                if self._run.why:
                    self._run.why = ""
                    await database(self._beat)
                return answer

    async def _wait(self, database: DatabaseThread, why: str, rest_s: float) -> None:
        """Let some time pass, and say why."""
        self._run.why = why[:_WHY_MAX]
        await database(self._beat)
        self._told(self._run)
        while rest_s > 0:
            await asyncio.sleep(min(rest_s, _BEAT_S))
            rest_s -= _BEAT_S
            await database(self._beat)

    async def _look_for_gone(self, database: DatabaseThread, crm: front.Front) -> None:
        """Ask for the linked customers that no page had: what is not there any more is told."""
        last = 0
        while some := await database(self._unseen, last):
            last = some[-1].pk
            ids = [link.external_id for link in some]
            there = await self._patiently(database, partial(crm.refresh, ids, self._fields))
            await database(self._gone, [link for link in some if link.external_id not in there])
            await database(
                cache.keep_linked, self._source.program_id, there.values(), timezone.now()
            )

    def _take(self, customers: Sequence[Customer], _seen: Seen) -> None:
        self._intake.take(customers, self._got_on)

    def _count(self, customers: Sequence[Customer], seen: Seen) -> None:
        run = self._run
        matches = [seen.judged(match) for match in Here(self._source, customers).matches()]
        opened = sum(match.opens for match in matches)
        run.examples += [
            [difference.kind, match.customer.id, difference.there, difference.here]
            for match in matches
            for difference in match.differences
        ][: EXAMPLES - len(run.examples)]
        self._got_on(matches, opened)

    def _got_on(self, matches: Sequence[Match], opened: int) -> None:
        run = self._run
        run.opened += opened
        for match in matches:
            setattr(run, match.what, getattr(run, match.what) + 1)
        run.seen += len(matches)
        run.within += len(matches)
        run.differing += sum(bool(match.differences) for match in matches)
        run.beat_at = timezone.now()
        run.save()

    def _turn(self, after: str) -> None:
        self._run.after, self._run.within = after, 0
        self._run.save(update_fields=["after", "within"])

    def _beat(self) -> None:
        self._run.beat_at = timezone.now()
        self._run.save(update_fields=["beat_at", "why"])

    def _unseen(self, last: int) -> list[CrmLink]:
        """Return links beyond row ``last`` whose customers this walk has not met."""
        run = self._run
        met = CrmRecord.objects.filter(program=run.program_id, fetched_at__gte=run.started_at)
        links = CrmLink.objects.filter(program=run.program_id, pk__gt=last).order_by("pk")
        unseen = links.exclude(external_id__in=met.values("external_id"))
        return list(unseen.select_related("member")[:AT_ONCE])

    @transaction.atomic
    def _gone(self, links: Sequence[CrmLink]) -> None:
        matches = [
            Match(
                Customer(link.external_id, link.member.name),
                "known",
                link.member_id,
                differences=(Difference("gone", "", link.member.name, link.member_id),),
            )
            for link in links
        ]
        note(self._source, matches, self._run.started_at)
        self._run.differing += len(matches)
        self._beat()

    def _end(self) -> None:
        run = self._run
        run.state, run.beat_at = "done", timezone.now()
        run.save()
        if not run.dry:
            # What this walk did not find any more is settled.
            old = CrmDifference.objects.filter(program=run.program_id, found_at__lt=run.started_at)
            old.delete()


def _parts(customers: Sequence[Customer], size: int) -> Iterator[Sequence[Customer]]:
    return (customers[start : start + size] for start in range(0, len(customers), size))
