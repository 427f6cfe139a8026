"""The adapter by mapping on a real BottleCRM with PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from besnik.crm.foreign import ForeignCrm
from support import big_crms
from support.bottlecrm import BottleCrmServer
from support.crm_contract import CrmContract
from support.crm_visits import new_card, new_event, visit
from support.processes import Processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def bottlecrm(servers: Processes, folder: Path) -> Iterator[BottleCrmServer]:
    with big_crms.bottlecrm(servers, folder) as server:
        yield server


class TestBottleCrm(CrmContract):
    cards_each = 1

    @pytest.fixture
    def server(self, bottlecrm: BottleCrmServer) -> BottleCrmServer:
        return bottlecrm

    async def test_the_balance_after_the_last_visit_is_set(
        self, crm: ForeignCrm, server: BottleCrmServer
    ) -> None:
        anna = server.add("Anna Arben", new_card(), shown="likes tea")
        visits = [visit(anna, new_event(), balance=40), visit(anna, new_event(), balance=15)]
        await crm.record_visits(visits, again=False)
        assert server.points(anna) == 15
        refreshed = (await crm.refresh([anna], [server.field]))[anna]
        assert refreshed.points == 15
        assert refreshed.fields == {server.field: "likes tea"}
