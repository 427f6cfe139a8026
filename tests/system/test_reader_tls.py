"""The firmware's TLS: it speaks to the shop's own broker and to nobody else."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik import demo
from besnik.fleet import ca, cert
from besnik.fleet import x509 as form
from besnik.sim.control import Control
from support.bridge import ANA, ELENI
from support.broker import RunningBroker
from support.counter import Counter
from support.ear import Ear, settled
from support.processes import Processes, Running, wait_until
from support.secure_broker import SecureBroker, pair_of
from support.store import rows

LONG_AGO = dt.datetime(2010, 1, 1, tzinfo=dt.UTC)
STATE = f"besnik/v1/{demo.SHOP}/{demo.READER}/state"


@pytest.fixture
def broker(mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes) -> RunningBroker:
    """A running broker with readers by certificate alone; the other fixtures work on it."""
    running = SecureBroker(mosquitto, state, processes)
    running.start()
    return running


@pytest.fixture
def secure(broker: RunningBroker) -> SecureBroker:
    """The same broker."""
    assert isinstance(broker, SecureBroker)
    return broker


async def on_line(broker: SecureBroker) -> str:
    """Return the reader's state as it is retained, empty if it never said any."""
    ear = Ear(broker, "monitor")
    await ear.connect()
    await ear.hear(STATE)
    await settled([ear])
    await ear.close()
    return ear.heard[-1][1] if ear.heard else ""


async def test_taps_travel_over_it_until_the_reader_is_revoked_and_wait_for_a_new_certificate(
    secure: SecureBroker, bridge: Running, counter: Counter, database_url: str
) -> None:
    running = counter.start_reader()
    wait_until(lambda: "as counter-1" in secure.log, "the reader comes in")
    await hold(counter, "eleni")
    wait_until(lambda: taps_of(database_url, ELENI) == 1, "a tap is counted")

    cert.revoke(secure.state, demo.READER)
    secure.restart()
    wait_until(lambda: "certificate verify failed" in secure.log, "the reader is refused")
    await hold(counter, "ana")
    assert taps_of(database_url, ANA) == 0

    running.kill()
    shutil.copytree(secure.certificates(demo.READER), counter.flash / "cert", dirs_exist_ok=True)
    counter.start_reader()
    wait_until(lambda: taps_of(database_url, ANA) == 1, "the stored tap is counted", 20)


async def hold(counter: Counter, card: str) -> None:
    """Hold a card to the reader for a second and take it away."""
    async with await Control.connect(counter.control_socket) as control:
        await control.present(card)
        await asyncio.sleep(1)
        await control.remove(card)


def taps_of(database_url: str, uid: str) -> int:
    return int(rows(database_url, f"SELECT count(*) FROM store_tap WHERE data = '{uid}'")[0][0])


def of_another_shop(broker: SecureBroker) -> form.Pair:
    return form.issue_for_broker(form.make_authority(ca.clock()), [broker.host], ca.clock())


def of_another_name(broker: SecureBroker) -> form.Pair:
    return form.issue_for_broker(broker.authority.pair, ["broker.example"], ca.clock())


def expired(broker: SecureBroker) -> form.Pair:
    return form.issue_for_broker(broker.authority.pair, [broker.host], LONG_AGO)


def of_a_stolen_reader(broker: SecureBroker) -> form.Pair:
    cert.obtain(broker.state, "counter-2")
    return pair_of(broker.state, "counter-2")


@pytest.mark.parametrize("shown", [of_another_shop, of_another_name, expired, of_a_stolen_reader])
async def test_a_broker_without_the_right_certificate_hears_nothing(
    secure: SecureBroker, counter: Counter, shown: Callable[[SecureBroker], form.Pair]
) -> None:
    secure.show(shown(secure))
    secure.restart()
    counter.start_reader()
    came = re.compile(rf"New connection from 127\.0\.0\.1:\d+ on port {secure.readers_port}\.")
    wait_until(lambda: len(came.findall(secure.log)) >= 2, "the reader has tried twice")
    assert await on_line(secure) == ""

    secure.show(None)
    secure.restart()
    wait_until(lambda: "as counter-1" in secure.log, "the reader comes in at its own broker", 20)
    assert '"online"' in await on_line(secure)
