"""``besnik fleet doctor READER``: a reader at work, examined over the line it has to the broker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from gmqtt.mqtt.constants import MQTTv50

from besnik import broker as besnik_broker
from besnik import config, demo
from besnik.contract import ROOT
from besnik.fleet import settings
from besnik.fleet.doctor import visit
from besnik.fleet.doctor.at_reader import examine
from besnik.fleet.doctor.finding import Finding
from besnik.fleet.doctor.services import Records
from support.bridge import Station
from support.counter import Counter
from support.hands import Hands
from support.processes import Processes, wait_until
from support.secure_broker import SecureBroker


@pytest.fixture
def broker(mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes) -> SecureBroker:
    made = SecureBroker(mosquitto, state, processes)
    made.start()
    return made


class Ward:
    """A shop whose reader is examined."""

    def __init__(self, state: Path, broker: SecureBroker, counter: Counter) -> None:
        self.hands = Hands(counter.control_socket, "ana")
        self._counter = counter
        self._broker = broker
        self._shop = config.Config(
            broker=config.Broker(port=broker.port, site_password=broker.passwords["site"]),
            state=str(state),
        )
        self._kept = json.loads((counter.flash / "config.json").read_text())

    async def reader_starts(self) -> None:
        """Switch the reader on, as after its own reset; return when it is on line."""
        topic = f"{ROOT}/{demo.SHOP}/{demo.READER}/state"
        self.reader = self._counter.start_reader()
        async with Station(self._broker, "monitor", topic, MQTTv50) as watcher:
            while (await watcher.hear(20))["s"] != "online":
                pass

    async def doctor(self, **faults: Any) -> dict[str, Finding]:
        """Return what is found of the reader with these faults, by part."""
        self.hands.ask("fault", **faults)
        known = settings.check(self._kept)
        found = await asyncio.to_thread(
            lambda: list(examine(self._shop, known, self.hands, None, lambda _: Records(demo.SHOP)))
        )
        return {finding.part: finding for finding in found}


@pytest.fixture
def ward(state: Path, broker: SecureBroker, counter: Counter) -> Ward:
    return Ward(state, broker, counter)


async def test_a_reader_at_work_is_examined_and_works_on(ward: Ward, broker: SecureBroker) -> None:
    await ward.reader_starts()
    taps = f"{ROOT}/{demo.SHOP}/{demo.READER}/tap"
    async with Station(broker, "monitor", taps, MQTTv50) as monitor:
        ward.hands.listens = False
        found = await ward.doctor()
        await asyncio.sleep(2)
        assert ward.reader.alive, "as long as the card lies there"
        ward.hands.ask("remove", card="ana")
        assert await asyncio.to_thread(ward.reader.wait, 20) == -9, "it starts anew by itself"
        for part in ("wiring", "antenna", "lights", "Wi-Fi", "clock", "certificate", "broker"):
            assert found[part].state == "ok", found[part]
        assert "at 33 dB" in found["antenna"].says
        assert found["bridge"].says == "no bridge was ever there"
        await ward.reader_starts()
        assert monitor.heard.empty(), "the doctor's card was nobody's visit"
        ward.hands.ask("present", card="ana")
        assert (await monitor.hear(10))["k"] in ("sun", "uid")


async def test_faults_are_found_from_afar(ward: Ward) -> None:
    await ward.reader_starts()
    found = await ward.doctor(bus="00", swapped=True, network="weak")
    assert "every answer is 00" in found["wiring"].says
    assert found["antenna"].state == "skipped"
    assert "red and green are exchanged" in found["lights"].says
    assert "-84 dBm, which is weak" in found["Wi-Fi"].says

    assert await asyncio.to_thread(ward.reader.wait, 40) == -9
    ward.hands.ask("fault", bus=None, time_server=False, loss_db=40, network="ok", swapped=False)
    await ward.reader_starts()
    found = await ward.doctor()
    assert found["wiring"].state == "ok", found["wiring"]
    assert "from 43 dB on only" in found["antenna"].says
    assert "no time server answers" in found["clock"].says


async def test_a_reader_that_is_not_there(
    ward: Ward, broker: SecureBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await ward.doctor()
    assert found["broker"].says == f"{demo.READER} was never on line"
    assert "besnik fleet doctor PORT" in found["broker"].do
    assert found["wiring"].state == found["clock"].state == "skipped"

    await ward.reader_starts()
    monkeypatch.setattr(visit, "_ANSWER_S", 1)
    os.kill(ward.reader.pid, signal.SIGSTOP)
    found = await ward.doctor()
    assert "came in, but does not answer the order 'wiring'" in found["broker"].says

    ward.reader.kill()
    await asyncio.sleep(0.5)
    found = await ward.doctor()
    assert found["broker"].says == f"{demo.READER} is lost"

    broker.stop()
    found = await ward.doctor()
    assert "nobody answers" in found["broker"].says
    broker.start()


async def test_a_reader_that_goes_off_line_while_it_is_examined(ward: Ward) -> None:
    await ward.reader_starts()
    examining = asyncio.create_task(ward.doctor())
    await asyncio.to_thread(
        wait_until, lambda: "Lay a card" in "".join(ward.hands.told), "the doctor has begun"
    )
    ward.reader.kill()
    found = await examining
    assert found["broker"].says.endswith("went off line: it lost its power, or its line")
    assert found["bridge"].says == "no bridge was ever there", "the rest is looked at all the same"
