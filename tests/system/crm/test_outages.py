"""Worker and CRM are killed, stopped and started at random while cards are held to a reader."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable

import pytest

from besnik.crm import sources
from besnik.crm.breaker import Standing
from besnik.store.models import CrmLink, CrmSource
from besnik.store.people import NewCard, enrol
from support.bridge import ReaderStation
from support.crm_reckoning import balances, reckon, waiting
from support.paper_crm import PaperServer
from support.processes import Running, wait_until
from support.store import assert_ledger_adds_up
from support.worker import Workers

# Customers who are in the CRM alone, and members who are here alone.
THERE, HERE = 24, 8
ROUNDS = 8
QUIET_S = 60.0


def card(number: int) -> str:
    return f"04C0FFEE{number:04X}80"


@pytest.fixture
def people(source: CrmSource, paper: PaperServer) -> list[str]:
    """The cards of all, those of the CRM first."""
    for number in range(THERE):
        paper.add(f"Customer {number}", card(number))
    for number in range(THERE, THERE + HERE):
        new = NewCard("uid", card(number))
        enrol(source.program, name=f"Member {number}", language="en", card=new)
    return [card(number) for number in range(THERE + HERE)]


async def in_thread(work: Callable[[], object]) -> None:
    await asyncio.to_thread(work)


async def test_no_visit_is_lost_and_none_told_twice(
    workers: Workers,
    bridge: Running,
    reader: ReaderStation,
    paper: PaperServer,
    people: list[str],
    source: CrmSource,
    orm: str,
    chance: random.Random,
) -> None:
    worker = workers.start()
    answers: list[dict[str, str]] = []

    async def tap_all() -> None:
        for _ in range(2):
            for uid in chance.sample(people, len(people)):
                reader.tap(uid)
                answers.append(await reader.hear(10))
                await asyncio.sleep(chance.uniform(0, 0.3))

    async def kill_worker() -> None:
        nonlocal worker
        await in_thread(worker.kill)
        worker = await asyncio.to_thread(workers.start)

    async def kill_crm() -> None:
        await in_thread(paper.kill)
        await asyncio.sleep(chance.uniform(0, 0.5))
        await in_thread(paper.start)

    async def die_after_writing() -> None:
        await in_thread(lambda: paper.fault(dies=True, on="visits"))
        await asyncio.sleep(1.5)
        if not paper.is_alive:
            await in_thread(paper.start)
        await in_thread(lambda: paper.fault())

    async def stop_crm() -> None:
        assert paper.running is not None
        os.kill(paper.running.pid, signal.SIGSTOP)
        await asyncio.sleep(chance.uniform(0.5, 2))
        os.kill(paper.running.pid, signal.SIGCONT)

    faults: list[Callable[[], Awaitable[None]]] = [
        kill_worker,
        kill_crm,
        die_after_writing,
        stop_crm,
    ]
    tapping = asyncio.create_task(tap_all())
    for number in range(ROUNDS):
        await asyncio.sleep(chance.uniform(0, 1))
        await faults[number % len(faults)]()
        await in_thread(lambda: well_again(source))
    await tapping
    assert {answer["r"] for answer in answers} == {"accepted"}
    await in_thread(lambda: wait_until(lambda: drained(orm, source), "nothing waits", QUIET_S))
    told = await asyncio.to_thread(reckon, orm, paper)
    assert told.is_clean, told
    assert told.taps == told.events == 2 * len(people)
    links = await asyncio.to_thread(CrmLink.objects.count)
    assert links == len(people)
    assert set(balances(paper).values()) == {2}
    await asyncio.to_thread(assert_ledger_adds_up, orm)


def well_again(source: CrmSource) -> None:
    """Do as the owner who presses the test button: the CRM need not be left alone any longer."""
    sources.stand(source.pk, Standing())


def drained(url: str, source: CrmSource) -> bool:
    well_again(source)
    return waiting(url) == 0
