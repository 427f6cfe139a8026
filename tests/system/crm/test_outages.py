"""Worker and CRM go down, one after the other, while cards are held to a reader."""

from __future__ import annotations

import random

from besnik.loyalty.rules import Cap
from besnik.store.models import CrmLink, CrmSource
from support.bridge import ReaderStation
from support.crm_chaos import KILLS, Chaos, people
from support.crm_reckoning import balances
from support.in_store import in_store
from support.paper_crm import PaperServer
from support.processes import Running
from support.published import STAMP, publish
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
    # The first visit earns a stamp, the second one nothing: the CRM is told of both.
    publish(orm, STAMP, Cap(id="once", unit="stamp", most=1, per="ever"))
    cards = await in_store(people, source, paper, there=8, here=3)
    chaos = await in_store(Chaos, workers, paper, source, chance)
    faults = [*KILLS, chance.choice([name for name in chaos.faults if name not in KILLS])]
    chance.shuffle(faults)
    verdicts = await chaos.go(faults, reader, cards, TIMES)
    assert {verdict["r"] for verdict in verdicts} == {"accepted"}
    told = await in_store(chaos.rest, orm)
    assert told.is_clean, told
    assert told.taps == told.events == TIMES * len(cards)
    assert await in_store(CrmLink.objects.count) == len(cards)
    assert set(balances(paper).values()) == {1}
    await in_store(assert_ledger_adds_up, orm, each_earns=False)
