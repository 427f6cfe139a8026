"""A tap on its whole way to a real Tryton and back: card, firmware, bridge, worker, till, notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from besnik.run.taps import READ
from support.bridge import BLANK, BridgeRunner
from support.broker import RunningBroker
from support.counter import Counter
from support.customer import Customer
from support.login import COOKIE, session_key
from support.processes import Processes, Running
from support.site import SiteRunner
from support.store import assert_ledger_adds_up
from support.till_screen import TillScreen
from support.tryton import TrytonServer
from support.tryton_shop import WorkerRunner, states, told, until

# The first of these on a machine installs Tryton and makes its database.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def cookie(database_url: str, state: Path) -> str:
    """What the cashier's browser has."""
    return f"{COOKIE}={session_key(database_url, state, 'cashier')}"


@pytest.fixture
def till(
    processes: Processes, bridges: BridgeRunner, broker: RunningBroker, cookie: str
) -> TillScreen:
    """The demo's till, with the site running."""
    site = SiteRunner(processes, bridges.settings_file, broker)
    site.start().wait_for("site: ready")
    return TillScreen(site, cookie)


async def test_a_customer_of_tryton_taps_and_tryton_hears_of_it(
    tryton: TrytonServer,
    workers: WorkerRunner,
    bridge: Running,
    till: TillScreen,
    counter: Counter,
    customer: Customer,
    database_url: str,
) -> None:
    """A card that Besnik has never seen, of somebody in Tryton."""
    zana = tryton.add("Zana Kola", BLANK, shown="Likes espresso")
    worker = workers.start()
    counter.start_reader()
    assert await customer.taps("blank") == [READ, "stored"]

    await until(lambda: states(database_url) == ["counted"], "Tryton says whose card it is")
    await until(lambda: "Zana Kola" in till.text(), "the till's page shows who is there")
    await until(lambda: "Interests Likes espresso" in till.text(), "and what Tryton has of her")
    assert await customer.taps("blank") == [READ, "accepted"]

    visits = told(database_url)[zana]
    assert len(visits) == 2
    # One that begins tells at once what it finds untold.
    worker.stop()
    workers.start()
    await until(lambda: len(tryton.events(zana)) == 2, "Tryton hears of both visits")
    assert tryton.events(zana) == visits
    assert all(note.startswith("Visit at The Corner, ") for note in tryton.notes(zana))
    assert_ledger_adds_up(database_url)
