"""A tap on its whole way to a real Directus and a real BottleCRM, which also die meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from besnik.run.taps import READ
from support import big_crms
from support.bottlecrm import BottleCrmServer
from support.bridge import BLANK, BridgeRunner
from support.broker import RunningBroker
from support.counter import Counter
from support.customer import Customer
from support.directus import DirectusServer
from support.login import COOKIE, session_key
from support.processes import Processes, Running
from support.site import SiteRunner
from support.store import assert_ledger_adds_up
from support.till_screen import TillScreen
from support.tryton_shop import WorkerRunner, connect_to, states, told, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

BigServer = DirectusServer | BottleCrmServer
_OPENED = {"directus": big_crms.directus, "bottlecrm": big_crms.bottlecrm}


@pytest.fixture(params=_OPENED)
def server(request: pytest.FixtureRequest, processes: Processes) -> Iterator[BigServer]:
    """The real CRM, running."""
    with (
        tempfile.TemporaryDirectory(prefix="besnik-slow-") as folder,
        _OPENED[request.param](processes, Path(folder)) as running,
    ):
        yield running


@pytest.fixture
def workers(
    server: BigServer,
    bridges: BridgeRunner,
    processes: Processes,
    database_url: str,
    state: Path,
) -> WorkerRunner:
    """Starts workers for the demo's program, whose CRM is the server and is on."""
    given = {"url": server.url, "key": server.key}
    connect_to(database_url, state, server.adapter, given, (server.field, "Notes", "cashier"))
    return WorkerRunner(processes, bridges.settings_file)


@pytest.fixture
def till(
    processes: Processes,
    bridges: BridgeRunner,
    broker: RunningBroker,
    database_url: str,
    state: Path,
) -> TillScreen:
    """The demo's till, with the site running."""
    cookie = f"{COOKIE}={session_key(database_url, state, 'cashier')}"
    site = SiteRunner(processes, bridges.settings_file, broker)
    site.start().wait_for("site: ready")
    return TillScreen(site, cookie)


async def test_a_customer_of_the_crm_taps_and_the_crm_hears_of_it(
    server: BigServer,
    workers: WorkerRunner,
    bridge: Running,
    till: TillScreen,
    counter: Counter,
    customer: Customer,
    database_url: str,
) -> None:
    """A card that Besnik has never seen, of somebody there who has points; the CRM is away."""
    zana = server.add("Zana Kola", BLANK, shown="Likes espresso", points=500)
    workers.start()
    counter.start_reader()
    assert await customer.taps("blank") == [READ, "stored"]
    await until(lambda: states(database_url) == ["counted"], "the CRM says whose card it is")
    assert "Zana Kola" in await asyncio.to_thread(till.text)
    await until(lambda: "Likes espresso" in till.text(), "the till shows what the CRM knows")

    await asyncio.to_thread(server.stop)
    assert await customer.taps("blank") == [READ, "accepted"]
    await asyncio.to_thread(server.start)
    assert await customer.taps("blank") == [READ, "accepted"]

    visits = told(database_url)[zana]
    assert len(visits) == 3
    # What was under way when the CRM went rests a while, so the last may come before it.
    await until(
        lambda: sorted(server.events(zana)) == sorted(visits), "the CRM hears of all visits", 180
    )
    await until(lambda: server.points(zana) == 503, "the CRM hears of the last balance")
    assert_ledger_adds_up(database_url)
