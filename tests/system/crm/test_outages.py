"""Worker and CRM go down, one after the other, while cards are held to a reader."""

from __future__ import annotations

import asyncio
import random

from besnik.store.models import CrmLink, CrmSource
from support.bridge import ReaderStation
from support.crm_chaos import KILLS, Chaos, people
from support.crm_reckoning import balances
from support.paper_crm import PaperServer
from support.processes import Running
from support.store import assert_ledger_adds_up
from support.worker import Workers

TIMES = 2


async def test_no_visit_is_lost_and_none_is_told_twice(
    workers: Workers,
    bridge: Running,
    reader: ReaderStation,
    paper: PaperServer,
    source: CrmSource,
    orm: str,
    chance: random.Random,
) -> None:
    cards = await asyncio.to_thread(people, source, paper, there=8, here=3)
    chaos = await asyncio.to_thread(Chaos, workers, paper, source, chance)
    faults = [*KILLS, chance.choice([name for name in chaos.faults if name not in KILLS])]
    chance.shuffle(faults)
    verdicts = await chaos.go(faults, reader, cards, TIMES)
    assert {verdict["r"] for verdict in verdicts} == {"accepted"}
    told = await asyncio.to_thread(chaos.rest, orm)
    assert told.is_clean, told
    assert told.taps == told.events == TIMES * len(cards)
    assert await asyncio.to_thread(CrmLink.objects.count) == len(cards)
    assert set(balances(paper).values()) == {TIMES}
    await asyncio.to_thread(assert_ledger_adds_up, orm)
