"""``besnik fleet doctor PORT``: every fault it knows, made on a virtual board and found there."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from besnik.fleet.doctor import antenna, lights, wiring
from besnik.fleet.doctor.bench import Bench
from besnik.fleet.doctor.finding import Finding
from besnik.fleet.doctor.parts import of_parts
from besnik.fleet.usb import BoardError, opened
from support.hands import Hands
from support.processes import Processes
from support.usb_board import Board

# Everything as it was.
MENDED: dict[str, Any] = {
    "bus": None,
    "loose_per_mille": 0,
    "unplugged": [],
    "swapped": False,
    "sags": False,
    "loss_db": 0,
    "noise_per_mille": 0,
    "network": "ok",
    "time_server": True,
}


class Table:
    """A virtual board on a technician's table, with a card that lies on it."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.board = Board(folder / "board", processes)
        self.board.plug_in()
        self.hands = Hands(self.board.parts.folder / "control.sock")
        self.drawing = folder / "antenna.svg"

    def doctor(self, **faults: Any) -> dict[str, Finding]:
        """Return what is found of a board with these faults, by part."""
        self.hands.told.clear()
        with self.bench(**faults) as bench:
            found = list(of_parts(bench, self.hands, self.drawing, card_s=1))
        return {finding.part: finding for finding in found}

    @contextlib.contextmanager
    def bench(self, **faults: Any) -> Iterator[Bench]:
        """Yield the board with these faults, to be measured."""
        self.hands.ask("fault", **(MENDED | faults))
        with opened(str(self.board.parts.port)) as board:
            yield Bench(board)


@pytest.fixture(scope="module")
def table(environment: dict[str, str]) -> Iterator[Table]:
    """A board that is plugged in once for all these tests."""
    folder = Path(tempfile.mkdtemp(prefix="besnik-"))
    processes = Processes(folder, environment)
    made = Table(folder, processes)
    made.hands.ask("present", card="card")
    yield made
    processes.end()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_board_without_settings_whose_parts_are_well(table: Table) -> None:
    found = table.doctor()
    assert found["settings"].says == "config.json: not there; provision the reader"
    for part in ("wiring", "antenna", "lights"):
        assert found[part].state == "ok", found[part]
    assert "0x92" in found["wiring"].says and "self-test passed" in found["wiring"].says
    assert "of 20 times at 33 dB; well at" in found["antenna"].says
    drawn = "\n".join(table.hands.told)
    assert " 33 dB  ███████" in drawn and "of 20 ← set" in drawn
    assert "33 dB" in table.drawing.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("faults", "says", "to_do"),
    [
        ({"bus": "00"}, "every answer is 00", "3.3V on 3V3 (never 5 V)"),
        ({"bus": "FF"}, "every answer is FF", "SDA on GPIO 5"),
        (
            {"loose_per_mille": 40, "loose_above_hz": 2_000_000},
            "at 4 MHz, none at 1 MHz",
            "rc522.spi_hz=1000000",
        ),
        ({"loose_per_mille": 40}, "the wires lose bits", "a wire is loose"),
        ({"sags": True}, "its supply gives way", "10 µF"),
        ({"unplugged": ["rst"]}, "RST does not reach", "connect RST to GPIO 22"),
    ],
)
def test_wires(table: Table, faults: dict[str, Any], says: str, to_do: str) -> None:
    found = table.doctor(**faults)
    assert found["wiring"].state == "wrong"
    assert says in found["wiring"].says
    assert to_do in found["wiring"].do
    assert found["antenna"].state == "skipped"


@pytest.mark.parametrize(
    ("faults", "says", "to_do"),
    [
        ({"loss_db": 40}, "from 43 dB on only", "away from metal"),
        (
            {"loss_db": 35},
            "33 dB, a card is read 0 of 10 times; at 43 dB",
            "gain_db=43",
        ),
        ({"noise_per_mille": 400}, "answers arrive damaged", "try another supply"),
        ({"lost_per_mille": 600}, "the card is hardly heard", "still and flat"),
    ],
)
def test_antenna(table: Table, faults: dict[str, Any], says: str, to_do: str) -> None:
    with table.bench(**faults) as bench:
        assert wiring.judge(bench.wiring(), bench.settings).state == "ok"
        found = antenna.judge(bench.antenna(10), bench.settings)
    assert found.state == "wrong"
    assert says in found.says
    assert to_do in found.do


def test_an_antenna_that_hears_no_card(table: Table) -> None:
    found = table.doctor(loss_db=99)["antenna"]
    assert found.says == "no card was read at any gain within 1 s"
    assert "look at its coil" in found.do


@pytest.mark.parametrize(
    ("faults", "says", "to_do"),
    [
        ({"swapped": True}, "red and green are exchanged", "pins.led_red=26"),
        ({"unplugged": ["led_red", "led_green"]}, "stays dark", "common leg"),
        ({"unplugged": ["led_red"]}, "where red was to be seen there was nothing", "GPIO 25"),
        ({"unplugged": ["led_green"]}, "where green was to be seen there was nothing", "GPIO 26"),
        ({"unplugged": ["buzzer"]}, "the buzzer is silent", "GPIO 27"),
    ],
)
def test_light_and_buzzer(table: Table, faults: dict[str, Any], says: str, to_do: str) -> None:
    with table.bench(**faults) as bench:
        found = lights.look(bench, table.hands, bench.settings)
    assert found.state == "wrong"
    assert says in found.says
    assert to_do in found.do


def test_an_irq_wire_that_is_in_the_settings_and_nowhere_else(table: Table) -> None:
    settings = {"shop": "corner", "reader": "counter-1", "wifi": {"ssid": "demo"}}
    settings |= {"broker": {"host": "127.0.0.1"}, "pins": {"irq": 4}}
    with opened(str(table.board.parts.port)) as board:
        board.put("config.json", json.dumps(settings).encode())
        found = wiring.judge(Bench(board).wiring(), settings | {"pins.irq": 4})
        board.remove("config.json")
    assert found.state == "wrong"
    assert "IRQ does not arrive" in found.says and "connect IRQ to GPIO 4" in found.do


def test_a_pin_that_the_board_has_not(table: Table) -> None:
    settings = {"shop": "corner", "reader": "counter-1", "wifi": {"ssid": "demo"}}
    settings |= {"broker": {"host": "127.0.0.1"}, "pins": {"rst": 24}}
    with opened(str(table.board.parts.port)) as board:
        board.put("config.json", json.dumps(settings).encode())
        with pytest.raises(BoardError, match=r"a pin of the reader's settings.*docs/hardware.md"):
            Bench(board)
        board.remove("config.json")


def test_a_start_that_a_technician_asks_for_is_no_bad_one_and_ends_no_trial(table: Table) -> None:
    nvs = "import esp32\nnvs = esp32.NVS('besnik')\n"
    with opened(str(table.board.parts.port)) as board:
        # Release 7 in slot b, two bad starts; release 8 in slot a on trial.
        board.run(nvs + "nvs.set_i32('slot', 117)\nnvs.set_i32('trial', -16)\nnvs.commit()")
        board.reset()
    with opened(str(table.board.parts.port)) as board:
        kept = board.run(nvs + "print(nvs.get_i32('slot'), nvs.get_i32('trial'))")
        board.run(nvs + "nvs.erase_key('slot')\nnvs.erase_key('trial')\nnvs.commit()")
    assert kept.split() == ["113", "16"]
