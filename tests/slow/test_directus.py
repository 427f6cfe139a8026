"""The adapter by mapping on a real Directus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from besnik.crm import picking
from besnik.crm.foreign import ForeignCrm
from besnik.crm.http.named import Directus
from besnik.crm.trial import try_out
from support import big_crms
from support.crm_contract import CrmContract, outcomes
from support.crm_visits import new_card, new_event, visit
from support.directus import KEY, DirectusServer
from support.processes import Processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def directus(servers: Processes, folder: Path) -> Iterator[DirectusServer]:
    with big_crms.directus(servers, folder) as server:
        yield server


class TestDirectus(CrmContract):
    cards_each = 1

    @pytest.fixture
    def server(self, directus: DirectusServer) -> DirectusServer:
        return directus

    async def test_the_balance_after_the_last_visit_is_set(
        self, crm: ForeignCrm, server: DirectusServer
    ) -> None:
        anna = server.add("Anna Arben", new_card())
        visits = [visit(anna, new_event(), balance=40), visit(anna, new_event(), balance=15)]
        await crm.record_visits(visits, again=False)
        assert server.points(anna) == 15

    async def test_a_visit_that_is_there_is_not_doubled_though_nobody_said_again(
        self, crm: ForeignCrm, server: DirectusServer
    ) -> None:
        anna = server.add("Anna Arben", new_card())
        old, new = visit(anna, new_event()), visit(anna, new_event())
        await crm.record_visits([old], again=False)
        assert outcomes([*await crm.record_visits([old], again=False)]) == ["already"]
        both = await crm.record_visits([old, new], again=False)
        assert outcomes([*both]) == ["already", "done"]
        assert sorted(server.events(anna)) == sorted([old.event_id, new.event_id])

    async def test_a_field_that_is_not_there_is_told_with_those_there_are(
        self, server: DirectusServer
    ) -> None:
        settings = {"url": server.url, "card_field": "card_of_yesterday"}
        found = await try_out(Directus.open_crm(settings, {"key": KEY}), new_card())
        assert found.trouble is not None
        (wrong,) = picking.misnamed(Directus.asks_for(), settings, found.fields)
        assert wrong.name == "card_field"
        assert "nfc_card_id" in [field.name for field in picking.choices(wrong, found.fields)]
