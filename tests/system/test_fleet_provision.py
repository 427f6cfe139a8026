"""``besnik fleet provision``: a reader that was flashed without settings gets them on its cable."""

from __future__ import annotations

from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.sim.control import Control
from support.bridge import BridgeRunner
from support.processes import Processes
from support.secure_broker import SecureBroker
from support.technician import ONCE, Technician
from support.usb_board import Board

READER = "counter-1"


@pytest.fixture
def broker(mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes) -> SecureBroker:
    made = SecureBroker(mosquitto, state, processes)
    made.start()
    return made


@pytest.fixture
def technician(broker: SecureBroker, processes: Processes, state: Path) -> Technician:
    board = Board(state / "board", processes)
    board.plug_in()
    return Technician(broker, processes, board)


async def test_a_reader_without_settings_gets_them_on_its_cable_and_works(
    technician: Technician, bridges: BridgeRunner, state: Path
) -> None:
    bridges.start()
    status, said = technician.runs("flash", "--blank")
    assert status == 0, said
    assert "waits 1" in said and "besnik fleet provision" in said

    status, said = technician.runs("provision", "pin-1", *ONCE, "--set", "pins.rst=24")
    assert status == 1
    assert "pins.rst = 24: there is no such pin on this board's ESP32" in said
    running = technician.starts("provision", READER, *ONCE)
    running.wait_for("hold any card", 60)
    async with await Control.connect(technician.board.parts.folder / "control.sock") as control:
        await control.present("card")
        running.wait_for("The reader works", 20)
        await control.remove("card")
    assert running.wait() == 0
    assert "accepted, ok" in running.log
    assert "open sesame" not in running.log
    assert (state / f"readers/{READER}/label.svg").exists()

    # It is provisioned: from now on it listens to nobody, until it is told to forget.
    status, said = technician.runs("provision", READER, "--no-tap")
    assert status == 1
    assert "--again" in said
    again = ("provision", "--no-tap", "--again", "--set")
    status, said = technician.runs(*again, "pins.led_red=6", READER)
    assert status == 1
    assert "pins.led_red = 6: is wired to the flash" in said
    there = technician.board.mpremote("eval", "open('config.json').read()")
    assert READER in there and "led_red" not in there
    status, said = technician.runs(*again, "pins.led_red=32", "--all")
    assert status == 0, said
    assert f"{READER}: is on line" in said
    assert '"led_red": 32' in technician.board.mpremote("eval", "open('config.json').read()")
