"""A shop with another CRM under fire: cards are held to a reader while worker and CRM go down."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence

from django.utils import timezone

from besnik.crm import sources
from besnik.crm.breaker import Standing
from besnik.store.models import Card, CrmSource, Shop
from besnik.store.people import NewCard, enrol
from support.bridge import ReaderStation
from support.crm_reckoning import Told, reckon, waiting
from support.in_store import in_store
from support.paper_crm import PaperServer
from support.processes import Running, wait_until
from support.worker import Workers

KILLS = ("the worker is killed", "the CRM is killed", "the CRM dies when it has written")


def card(number: int) -> str:
    """Return the number of a card."""
    return f"04C0FFEE{number:04X}80"


def connect(paper: PaperServer, write_max: int = 2) -> CrmSource:
    """Switch the CRM on for the demo's program, so many events in a batch.

    By default so few that nobody waits long for one to be full.
    """
    source = CrmSource(
        program=Shop.objects.get(slug="corner").program,
        adapter="paper",
        settings={**paper.settings, "able": json.dumps({"write_max": write_max})},
        unit="stamp",
        fields=[{"name": "note", "label": "Note", "role": "cashier"}],
    )
    sources.switch_on(source, timezone.now())
    return source


def people(source: CrmSource, paper: PaperServer, there: int, here: int) -> list[str]:
    """Make customers who are in the CRM alone, and members who are here alone; return cards."""
    for number in range(there):
        paper.add(f"Customer {number}", card(number))
    for number in range(there, there + here):
        new = NewCard("uid", card(number))
        enrol(source.program, name=f"Member {number}", language="en", card=new)
    return [card(number) for number in range(there + here)]


class Chaos:
    """What goes wrong, each fault by its name.

    ``worker`` is the one that runs now, ``waits_ms`` how long each verdict took on a card that was
    known here, ``pending_ms`` on one that only the CRM could know.
    """

    def __init__(
        self, workers: Workers, paper: PaperServer, source: CrmSource, chance: random.Random
    ) -> None:
        self.faults: dict[str, Callable[[], Awaitable[None]]] = {
            "the worker is killed": self._kill_worker,
            "the CRM is killed": self._kill_crm,
            "the CRM dies when it has written": self._die_after_writing,
            "the CRM stands still": self._stop_crm,
            "429 with Retry-After": self._over_its_limit,
            "401": self._refused,
            "nonsense": self._nonsense,
            "a customer is entered a second time": self._enter_again,
        }
        self.worker: Running = workers.start()
        self.waits_ms: list[float] = []
        self.pending_ms: list[float] = []
        self._workers = workers
        self._paper = paper
        self._source = source.pk
        self._chance = chance

    async def go(
        self,
        names: Sequence[str],
        reader: ReaderStation,
        cards: Sequence[str],
        times: int,
        *,
        pause_s: float = 0.3,
        beside: Callable[[], Awaitable[None]] | None = None,
    ) -> list[dict[str, str]]:
        """Hold each card to the reader so many times while the faults happen; return the verdicts.

        Each verdict comes while the CRM is as it is, within 10 s, or TimeoutError. ``pause_s`` at
        most between two taps; ``beside`` is done after each, before the pause.
        """
        verdicts: list[dict[str, str]] = []

        async def tap() -> None:
            for _ in range(times):
                for uid in self._chance.sample(cards, len(cards)):
                    verdicts.append(await self._tap(reader, uid))
                    if beside is not None:
                        await beside()
                    await asyncio.sleep(self._chance.uniform(0, pause_s))

        tapping = asyncio.create_task(tap())
        for name in names:
            await asyncio.sleep(self._chance.uniform(0, 1))
            await self.faults[name]()
            await in_store(self._well_again)
        await tapping
        return verdicts

    async def _tap(self, reader: ReaderStation, uid: str) -> dict[str, str]:
        began_s = time.monotonic()
        reader.tap(uid)
        verdict = await reader.hear(10)
        waits = self.pending_ms if verdict["why"] == "pending" else self.waits_ms
        waits.append((time.monotonic() - began_s) * 1000)
        return verdict

    def rest(self, url: str, timeout_s: float = 90) -> Told:
        """Wait until nothing waits, and hold the CRM against the ledger.

        What the worker has not looked at yet waits for no more than its next round.
        """
        wait_until(lambda: self._is_quiet(url), "nothing waits for the CRM", timeout_s)
        until_s = time.monotonic() + timeout_s
        while (told := reckon(url, self._paper)).lost and time.monotonic() < until_s:
            time.sleep(0.3)
        return told

    def _is_quiet(self, url: str) -> bool:
        self._well_again()
        return waiting(url) == 0

    def _well_again(self) -> None:
        """Do as the owner who presses the test button: it need not be left alone any longer."""
        sources.stand(self._source, Standing())

    async def _kill_worker(self) -> None:
        await in_store(self.worker.kill)
        self.worker = await in_store(self._workers.start)

    async def _kill_crm(self) -> None:
        await in_store(self._paper.kill)
        await asyncio.sleep(self._chance.uniform(0, 0.5))
        await in_store(self._paper.start)

    async def _die_after_writing(self) -> None:
        await self._fault(dies=True, on="visits")
        await asyncio.sleep(1.5)
        if not self._paper.is_alive:
            await in_store(self._paper.start)
        await self._fault()

    async def _stop_crm(self) -> None:
        assert self._paper.running is not None
        os.kill(self._paper.running.pid, signal.SIGSTOP)
        await asyncio.sleep(self._chance.uniform(0.5, 2))
        os.kill(self._paper.running.pid, signal.SIGCONT)

    async def _over_its_limit(self) -> None:
        await self._fault(status=429, headers={"Retry-After": "1"}, count=3)

    async def _refused(self) -> None:
        await self._fault(status=401, count=2)

    async def _nonsense(self) -> None:
        await self._fault(nonsense=True, count=2)

    async def _enter_again(self) -> None:
        """Let a second customer have the card of one who is known here: that stays theirs."""
        linked = Card.objects.filter(member__crm_link__isnull=False).order_by("pk")
        known = await in_store(lambda: list(linked.values_list("data", flat=True)))
        if known:
            # What is left of an earlier fault would refuse the second one, too.
            await self._fault()
            await in_store(self._paper.add, "Customer again", self._chance.choice(known))

    async def _fault(self, **what: object) -> None:
        await in_store(lambda: self._paper.fault(**what))
