# firmware/checkup.py: what it says of a chip that is well, and of each way to be ill.

import asyncio
import json

from firmware import checkup
from iso14443 import TypeA
from mfrc522 import MFRC522

from bench import Bench

SPI_HZ = 4000000


class Table:
    def __init__(self, irq=None, **cards):
        pins = {"cs": 5, "rst": 22}
        if irq is not None:
            pins["irq"] = irq
        self.bench = Bench(pins, baudrate=SPI_HZ, **cards)
        pin = None
        if irq is not None:
            import machine

            pin = machine.Pin(irq, machine.Pin.IN)
        bench = self.bench
        self.chip = MFRC522(bench.spi, bench.cs, bench.rst, bench.clock, irq=pin)

    def wiring(self):
        return json.loads(checkup.wiring(self.chip))

    def antenna(self, times=20):
        self.chip.reset()
        return json.loads(asyncio.run(checkup.antenna(self.chip, TypeA(self.chip), times)))


def test_a_chip_that_is_well_wired():
    assert Table(irq=4).wiring() == {
        "versions": "92" * 16,
        "wrong": 0,
        "wrong_slow": -1,
        "rst": 1,
        "irq": 1,
        "kept": 8,
        "self_test": "passed",
    }
    assert Table().wiring()["irq"] == -1


def test_a_chip_in_the_middle_of_its_work_is_no_worse():
    for is_there in (False, True):
        table = Table(ana="5B3C2A19")
        if is_there:
            table.bench.present("ana")
        table.chip.reset()
        table.chip.field(True)
        table.bench.clock.sleep_us(6000)
        assert TypeA(table.chip).request() == is_there
        assert table.wiring()["wrong"] == 0


def test_a_dead_bus_says_what_it_reads():
    for stuck, read in ((0x00, "00"), (0xFF, "FF")):
        table = Table()
        table.bench.board.spi.stuck = stuck
        assert table.wiring() == {"versions": read * 16}


def test_wires_that_are_too_long_for_the_speed_are_good_at_a_slower_one():
    table = Table()
    table.bench.board.spi.loose_per_mille = 50
    table.bench.board.spi.loose_above_hz = 2000000
    said = table.wiring()
    assert said["wrong"] > 5 and said["wrong_slow"] == 0


def test_a_loose_wire_is_bad_at_any_speed():
    table = Table()
    table.bench.board.spi.loose_per_mille = 50
    said = table.wiring()
    assert "error" in said or said["wrong_slow"] > 5


def test_wires_that_are_off_are_named():
    for wire in ("rst", "irq"):
        table = Table(irq=4)
        table.bench.board.unplugged = {wire}
        said = table.wiring()
        assert said[wire] == 0, wire
        assert said["self_test"] == "passed"


def test_a_supply_that_gives_way_when_the_field_comes_on():
    table = Table()
    table.bench.chip.sags = True
    assert table.wiring()["kept"] == 0


def test_a_card_is_counted_at_each_gain():
    table = Table(ana="5B3C2A19")
    table.bench.card("ana").min_gain_db = 23
    table.bench.card("ana").max_gain_db = 38
    table.bench.present("ana")
    rows = table.antenna()
    assert [row[0] for row in rows] == [18, 23, 33, 38, 43, 48]
    assert [row[1] for row in rows] == [0, 20, 20, 20, 0, 0]
    assert rows[0][2] == 20 and rows[5][3] == 20, "silent below, damaged above"


def test_metal_behind_the_antenna_costs_gain():
    table = Table(ana="5B3C2A19")
    table.bench.card("ana").min_gain_db = 23
    table.bench.present("ana")
    table.bench.board.field.loss_db = 15
    assert [row[1] for row in table.antenna(4)] == [0, 0, 0, 4, 4, 4]


def test_a_card_is_awaited():
    table = Table(ana="5B3C2A19")
    table.chip.reset()
    cards = TypeA(table.chip)
    assert not asyncio.run(checkup.awaits_card(table.chip, cards, 500))
    table.bench.card("ana").min_gain_db = 43
    table.bench.present("ana", after_us=300000)
    assert asyncio.run(checkup.awaits_card(table.chip, cards, 2000))
