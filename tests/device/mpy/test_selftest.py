# lib/mfrc522_selftest.py on every version that is about, genuine or not.

from iso14443 import TypeA
from mfrc522 import MFRC522
from mfrc522_selftest import self_test

from bench import Bench
from besnik.sim.model import registers as r

GENUINE = (0x88, 0x90, 0x91, 0x92)
CLONES = (0x12, 0x15, 0x89, 0xB2)
LIMIT_US = 300000


def _chip(bench, **options):
    chip = MFRC522(bench.spi, bench.cs, bench.rst, bench.clock, **options)
    chip.reset()
    return chip


def _reads_a_card(bench, chip):
    chip.field(True)
    bench.present("ana")
    bench.clock.sleep_us(6000)
    cards = TypeA(chip)
    return cards.request() and cards.select().uid == b"\x5b\x3c\x2a\x19"


def test_versions_whose_answer_is_known_pass():
    for version in GENUINE:
        bench = Bench(version=version)
        assert self_test(_chip(bench)) == "passed", hex(version)


def test_other_versions_are_unknown():
    for version in CLONES:
        bench = Bench(version=version)
        assert self_test(_chip(bench)) == "unknown", hex(version)


def test_known_version_with_one_other_byte_differs():
    for version in GENUINE:
        bench = Bench(version=version)
        chip = _chip(bench)
        for at in (0, 31, 63):
            answer = bytearray(_answer(bench, chip))
            answer[at] ^= 0x10
            bench.chip.self_test = bytes(answer)
            assert self_test(chip) == "differs", (hex(version), at)
            bench.chip.self_test = None


def _answer(bench, chip):
    from besnik.sim.model.selftest import answer

    return answer(chip.version)


def test_chip_that_never_says_it_is_done_passes_by_its_bytes():
    bench = Bench()
    chip = _chip(bench)
    bench.chip.self_test = _answer(bench, chip)
    assert self_test(chip) == "passed"


def test_chip_that_never_fills_its_fifo_differs_in_bounded_time():
    for left in (b"", b"\x00", bytes(63)):
        bench = Bench(ana="5B3C2A19")
        chip = _chip(bench)
        bench.chip.self_test = left
        began_us = bench.clock.ticks_us()
        assert self_test(chip) == "differs"
        assert bench.clock.ticks_us() - began_us < LIMIT_US
        assert _reads_a_card(bench, chip)


def test_every_version_reads_cards_afterwards_with_its_settings():
    for version in GENUINE + CLONES:
        bench = Bench(version=version, ana="5B3C2A19")
        chip = _chip(bench, gain_db=38)
        began_us = bench.clock.ticks_us()
        self_test(chip)
        assert bench.clock.ticks_us() - began_us < LIMIT_US
        assert chip.is_alive() and chip.gain_db == 38
        assert bench.chip.regs[r.AUTO_TEST] == 0x40, "the test mode is left"
        assert _reads_a_card(bench, chip), hex(version)


def test_what_the_buffer_held_before_does_not_matter():
    bench = Bench()
    chip = _chip(bench)
    chip.write(r.COMMAND << 1, r.RANDOM_ID)
    assert self_test(chip) == "passed"


def test_field_is_off_afterwards():
    for version in (0x92, 0xB2):
        bench = Bench(version=version)
        chip = _chip(bench)
        chip.field(True)
        assert bench.board.field.on
        self_test(chip)
        assert not bench.board.field.on
