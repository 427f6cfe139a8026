# lib/mfrc522.py against the register-level chip: settings, frames, time-outs, dead buses.

import asyncio
import gc

import machine
from iso14443 import CardError, TypeA
from mfrc522 import DEAF, GAINS_DB, MFRC522, OVERFLOW, TIMEOUT, ChipError

from bench import Bench
from besnik.sim.model.picc import OFF, Picc

REQA = b"\x12\x26"


def _chip(bench, **options):
    chip = MFRC522(bench.spi, bench.cs, bench.rst, bench.clock, **options)
    chip.reset()
    return chip


def test_reset_reads_the_version_and_leaves_the_field_off():
    bench = Bench(ana="5B3C2A19")
    chip = _chip(bench)
    assert chip.version == 0x92 and chip.is_alive()
    bench.present("ana")
    assert bench.card("ana").state == OFF
    chip.field(True)
    assert bench.card("ana").state != OFF


def test_clones_are_taken_as_they_are():
    for version in (0x88, 0x89, 0x12, 0x15, 0x90, 0x91, 0xB2):
        bench = Bench(version=version, ana="5B3C2A19")
        chip = _chip(bench)
        chip.field(True)
        bench.present("ana")
        bench.clock.sleep_us(6000)
        assert TypeA(chip).request(), hex(version)


def test_dead_bus_is_named():
    for stuck in (0x00, 0xFF):
        bench = Bench()
        bench.board.spi.stuck = stuck
        try:
            _chip(bench)
            raise AssertionError("a dead bus was taken for a chip")
        except ChipError as error:
            assert "RC522" in str(error)


def test_empty_poll_costs_ten_frames_and_two_milliseconds_at_most():
    bench = Bench()
    chip = _chip(bench)
    chip.field(True)
    chip.poll(REQA)
    bench.frames()
    began_us = bench.clock.ticks_us()
    assert chip.poll(REQA) == TIMEOUT
    assert bench.frames() <= 10
    assert bench.clock.ticks_us() - began_us <= 2000


def test_empty_poll_allocates_nothing():
    class Bus:
        def __init__(self):
            self.reads = 0

        def write(self, data):
            pass

        def write_readinto(self, out, into):
            into[1] = 0x01  # TimerIRq

    class Still:
        def ticks_us(self):
            return 0

        def ticks_diff(self, later, earlier):
            return 0

        def sleep_us(self, us):
            pass

    def pin(level):
        pass

    cards = TypeA(MFRC522(Bus(), pin, pin, Still()))
    cards.request()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(100):
        cards.request()
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, after - before


def test_bus_that_dies_in_the_middle_is_deaf_and_bounded():
    for stuck in (0x00, 0xFF):
        bench = Bench()
        chip = _chip(bench)
        chip.field(True)
        bench.board.spi.stuck = stuck
        began_us = bench.clock.ticks_us()
        assert chip.poll(REQA) == DEAF, hex(stuck)
        assert bench.clock.ticks_us() - began_us < 20000
        assert not chip.is_alive()


def test_a_processor_held_up_after_a_look_does_not_call_the_chip_deaf():
    class Bus:
        def __init__(self, spi, clock):
            self.write = spi.write
            self._spi = spi
            self._clock = clock

        # The chip answers; then another interrupt has the processor for a long time.
        def write_readinto(self, out, into):
            self._spi.write_readinto(out, into)
            self._clock.sleep_us(400000)

    bench = Bench(ana="5B3C2A19")
    chip = MFRC522(Bus(bench.spi, bench.clock), bench.cs, bench.rst, bench.clock)
    chip.reset()
    chip.field(True)
    bench.clock.sleep_us(6000)
    assert asyncio.run(chip.transceive_slowly(REQA[1:], 1, 20000)) == TIMEOUT
    assert chip.transceive(REQA[1:], 1, 7) == TIMEOUT
    bench.present("ana")
    bench.clock.sleep_us(6000)
    assert chip.transceive(REQA[1:], 1, 7) == 16


def test_chip_that_lost_power_for_a_moment_is_not_alive():
    bench = Bench()
    chip = _chip(bench)
    bench.board.power_cycle()
    assert not chip.is_alive()


def test_gain_is_set_and_checked():
    bench = Bench()
    for gain_db in GAINS_DB:
        assert _chip(bench, gain_db=gain_db).gain_db == gain_db
    try:
        _chip(bench, gain_db=30)
        raise AssertionError("30 dB does not exist")
    except ValueError as error:
        assert "18, 23, 33" in str(error)


def test_damaged_answers_in_a_row_lower_the_gain_until_reset():
    bench = Bench(ana="5B3C2A19")
    chip = _chip(bench, gain_db=48)
    chip.field(True)
    bench.card("ana").max_gain_db = 38  # nearer than this the receiver is overdriven
    bench.present("ana")
    bench.clock.sleep_us(6000)
    cards = TypeA(chip)
    for _ in range(40):
        try:
            if cards.wake() and cards.select().uid == b"\x5b\x3c\x2a\x19":
                break
        except CardError:
            pass
    assert chip.gain_db == 38, chip.gain_db
    chip.reset()
    assert chip.gain_db == 48


def test_irq_pin_spares_the_bus():
    pins = {"cs": 5, "rst": 22, "irq": 21}
    bench = Bench(pins=pins, ana="5B3C2A19")
    irq = machine.Pin(21, machine.Pin.IN)
    chip = _chip(bench, irq=irq)
    chip.field(True)
    bench.frames()
    assert chip.poll(REQA) == TIMEOUT
    # The chip asks for itself; two of these set the time-out, which the next poll spares.
    assert bench.frames() <= 9
    bench.present("ana")
    bench.clock.sleep_us(6000)
    assert TypeA(chip).request() and TypeA(chip).select().uid == b"\x5b\x3c\x2a\x19"


class Talkative:
    def __init__(self, card):
        self._card = card

    def __getattr__(self, name):
        return getattr(self._card, name)

    def hear(self, data, bits, now_ns):
        if self._card.hear(data, bits, now_ns) is None:
            return None
        return bytes(300), 8 * 300


async def test_card_that_talks_on_and_on_is_an_overflow_and_no_deaf_chip():
    for pins in (None, {"cs": 5, "rst": 22, "irq": 21}):
        bench = Bench(pins=pins)
        bench.board.add("card", Talkative(Picc(b"\x5b\x3c\x2a\x19")))
        chip = _chip(bench, irq=machine.Pin(21, machine.Pin.IN) if pins else None)
        chip.field(True)
        bench.present("card")
        bench.clock.sleep_us(6000)
        assert chip.poll(REQA) == OVERFLOW
        assert chip.transceive(b"\x93\x20", 2, rx_bytes=5) == OVERFLOW
        bench.clock.sleep_us(30000)
        assert await chip.transceive_slowly(b"\x93\x20", 2, 5000) == OVERFLOW
        bench.clock.sleep_us(30000)
        assert chip.is_alive()


def test_power_down_ends_the_field_and_wake_up_brings_it_back():
    bench = Bench(ana="5B3C2A19")
    chip = _chip(bench)
    chip.field(True)
    bench.present("ana")
    bench.clock.sleep_us(6000)
    assert chip.poll(REQA) > 0
    chip.power_down()
    assert bench.card("ana").state == OFF
    chip.wake_up()
    chip.field(True)
    bench.clock.sleep_us(6000)
    assert chip.poll(REQA) > 0
