# lib/iso14443.py: UIDs of every length, collisions, damaged answers, sleep and waking.

from iso14443 import Card, CardError, TypeA, crc_a
from mfrc522 import MFRC522

from bench import Bench

CARDS = {
    "four": "5B3C2A19",
    "four88": "88776655",
    "seven": "04A1B2C3D4E580",
    "ten": "0411223344556677A8B9",
}
FRAMES = {"four": 26, "four88": 26, "seven": 42, "ten": 58}


def _ready(bench):
    chip = MFRC522(bench.spi, bench.cs, bench.rst, bench.clock)
    chip.reset()
    chip.field(True)
    return TypeA(chip)


def _settle(bench):
    bench.clock.sleep_us(6000)


def test_crc_a_of_the_standard():
    # ISO/IEC 14443-3, Annex B.
    assert crc_a(b"\x00\x00", 2) == 0x1EA0
    assert crc_a(b"\x12\x34", 2) == 0xCF26


def test_every_uid_length_within_its_frames():
    for name, uid in CARDS.items():
        bench = Bench(card=uid)
        cards = _ready(bench)
        bench.present("card")
        _settle(bench)
        cards.request()
        cards.select()
        cards.halt()
        bench.remove("card")
        bench.clock.sleep_us(1000)
        bench.present("card")
        _settle(bench)
        bench.frames()
        assert cards.request()
        card = cards.select()
        frames = bench.frames()
        assert card.uid == bytes.fromhex(uid), (name, card.uid)
        assert frames <= FRAMES[name], (name, frames)


def test_sak_of_the_last_level_is_reported():
    bench = Bench(card="04A1B2C3D4E580/20")
    cards = _ready(bench)
    bench.present("card")
    _settle(bench)
    cards.request()
    assert cards.select().sak == 0x20


def test_random_uid_is_recognised():
    assert Card(b"\x08\x11\x22\x33", 0x20).has_random_uid
    assert not Card(b"\x04\x11\x22\x33", 0x20).has_random_uid
    assert not Card(b"\x08\x11\x22\x33\x44\x55\x66", 0x00).has_random_uid


def test_all_cards_of_a_stack_are_read_one_after_another():
    bench = Bench(**CARDS)
    cards = _ready(bench)
    for name in CARDS:
        bench.present(name)
    _settle(bench)
    found = []
    while cards.request():
        found.append(cards.select().uid)
        cards.halt()
    assert sorted(found) == sorted(bytes.fromhex(uid) for uid in CARDS.values())


def test_cards_that_differ_in_the_last_bit_are_told_apart():
    bench = Bench(one="11223344", other="11223345")
    cards = _ready(bench)
    bench.present("one")
    bench.present("other")
    _settle(bench)
    found = []
    while cards.request():
        found.append(cards.select().uid)
        cards.halt()
    assert sorted(found) == [b"\x11\x22\x33\x44", b"\x11\x22\x33\x45"]


def test_halted_card_ignores_request_and_hears_wake():
    bench = Bench(ana="5B3C2A19")
    cards = _ready(bench)
    bench.present("ana")
    _settle(bench)
    cards.request()
    uid = cards.select().uid
    cards.halt()
    assert not cards.request()
    assert cards.wake() and cards.is_present(uid)


def test_other_card_is_not_taken_for_the_one_that_left():
    for uid, other in (("5B3C2A19", "5B3C2A1A"), ("04A1B2C3D4E580", "04A1B3C3D4E580")):
        bench = Bench(ana=uid, boris=other)
        cards = _ready(bench)
        bench.present("boris")
        _settle(bench)
        cards.wake()
        assert not cards.is_present(bytes.fromhex(uid))


def test_removal_at_every_moment_ends_in_time_with_a_reason():
    for after_us in range(0, 6000, 97):
        bench = Bench(ana="04A1B2C3D4E580")
        cards = _ready(bench)
        bench.present("ana")
        _settle(bench)
        bench.remove("ana", after_us=after_us)
        began_us = bench.clock.ticks_us()
        try:
            if cards.request():
                assert cards.select().uid == bytes.fromhex("04A1B2C3D4E580")
        except CardError as error:
            assert error.reason != "deaf", after_us
        assert bench.clock.ticks_us() - began_us < 20000


def test_noise_gives_the_right_uid_or_an_error():
    bench = Bench(ana="04A1B2C3D4E580")
    cards = _ready(bench)
    bench.present("ana")
    bench.noise(100)
    _settle(bench)
    read, failed = 0, 0
    for _ in range(200):
        try:
            if cards.wake():
                assert cards.select().uid == bytes.fromhex("04A1B2C3D4E580")
                read += 1
            cards.halt()
        except CardError:
            failed += 1
    assert read > 50 and failed > 10, (read, failed)


def test_a_known_card_is_selected_again_among_others():
    for name, uid in CARDS.items():
        bench = Bench(**CARDS)
        cards = _ready(bench)
        for other in CARDS:
            bench.present(other)
        _settle(bench)
        assert cards.wake()
        assert cards.reselect(bytes.fromhex(uid)).uid == bytes.fromhex(uid), name
        cards.halt()
        bench.remove(name)
        try:
            cards.wake()
            cards.reselect(bytes.fromhex(uid))
            raise AssertionError("a card that is gone was selected: " + name)
        except CardError as error:
            assert error.reason == "timeout"


def test_collisions_one_behind_the_other_in_a_uid():
    uids = ("11223344", "1122B344", "1122B3C4", "1122B3CC", "91223344")
    bench = Bench(**{"card%d" % number: uid for number, uid in enumerate(uids)})
    cards = _ready(bench)
    for number in range(len(uids)):
        bench.present("card%d" % number)
    _settle(bench)
    found = []
    while cards.request():
        found.append(cards.select().uid)
        cards.halt()
    assert sorted(found) == sorted(bytes.fromhex(uid) for uid in uids), found
