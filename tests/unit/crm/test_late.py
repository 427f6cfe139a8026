"""A request that nobody waits for any more can still be carried out: until then it rests."""

from __future__ import annotations

import asyncio
import time

import pytest

from besnik.crm import web
from besnik.store.models import CrmLink, CrmSource
from besnik.store.people import NewCard, enrol
from support.crm_telling import telling_to
from support.hot_counter import CARD, HotCounter
from support.paper_crm import PaperServer

STALL_S = 1.5


@pytest.fixture
def visited(source: CrmSource, counter: HotCounter) -> CrmSource:
    """Customer 1 is a member, with a visit that waits to be told."""
    member = enrol(source.program, name="Zana", language="en", card=NewCard("uid", CARD))
    CrmLink.objects.create(program=source.program, member=member, external_id="1")
    counter.tap()
    return source


@pytest.mark.parametrize("late_s", [60, 300])
async def test_a_visit_that_is_written_late_is_written_once(
    visited: CrmSource, paper: PaperServer, monkeypatch: pytest.MonkeyPatch, late_s: int
) -> None:
    """The CRM stalls for as long as it may; what is a second and a half here is a minute there."""
    monkeypatch.setattr(web, "TOTAL_S", 0.5)
    able = f'{{"late_s": {late_s}}}'
    async with telling_to(visited, monkeypatch, able) as telling:
        paper.fault(on="visits", delay_s=STALL_S)
        await telling.rounds(late_s // 20, apart_s=20)
        assert "known" not in paper.fault(), "nobody looks for it while it may be on its way"
        then = telling.now
    until_s = time.monotonic() + 30
    while not paper.events("1"):
        assert time.monotonic() < until_s
        await asyncio.sleep(0.05)
    monkeypatch.setattr(web, "TOTAL_S", 10.0)
    async with telling_to(visited, monkeypatch, able) as telling:
        telling.now = then
        await telling.rounds(2)
        assert await telling.states() == {}
    assert len(paper.events("1")) == 1
