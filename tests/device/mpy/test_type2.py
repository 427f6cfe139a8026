# lib/type2.py against NTAG21x and Ultralight EV1.

from fields import Lying
from iso14443 import CardError
from type2 import Type2

from besnik.sim.model.type2_picc import Type2Picc

UID = bytes.fromhex("04E10CDA993C80")
SIGNATURE = bytes.fromhex("8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3")


class Session(Lying):
    def __init__(self, product="ntag213"):
        Lying.__init__(self, Type2Picc(UID, product, SIGNATURE))
        self.tag = Type2(self.chip)
        self.select()


def test_version_signature_and_pages():
    for product, size in (("ntag213", 0x0F), ("ntag215", 0x11), ("ntag216", 0x13)):
        session = Session(product)
        assert session.tag.version()[6] == size
        assert session.tag.signature() == SIGNATURE
        first = session.tag.read(0)
        assert first[:3] == UID[:3] and first[4:8] == UID[3:]
        assert session.tag.fast_read(0, 14)[:16] == first


def test_what_is_written_is_read():
    session = Session()
    session.tag.write(10, b"abcd")
    assert session.tag.read(10)[:4] == b"abcd"


def test_ndef_messages_of_every_length_that_fits():
    for product, lengths in (("ntag213", (0, 1, 12, 100, 138)), ("ntag216", (254, 255, 300, 800))):
        session = Session(product)
        for length in lengths:
            message = bytes(i & 0xFF for i in range(length))
            session.tag.write_ndef(message)
            assert session.tag.read_ndef() == message, (product, length)


def test_message_that_does_not_fit_is_refused_and_the_old_one_stays():
    session = Session()
    session.tag.write_ndef(b"old")
    try:
        session.tag.write_ndef(bytes(200))
        raise AssertionError("200 bytes on an NTAG213")
    except ValueError as error:
        assert "200 bytes do not fit" in str(error)
    assert session.tag.read_ndef() == b"old"


def test_card_taken_away_while_it_is_written_holds_no_half_message():
    for after_us in range(1000, 60000, 1777):
        session = Session()
        session.tag.write_ndef(b"old")
        session.bench.remove("card", after_us=after_us)
        try:
            session.tag.write_ndef(b"a new one that takes several pages")
        except CardError as error:
            assert error.reason in ("timeout", "crc", "length", "parity", "protocol")
        session.bench.remove("card")
        session.bench.present("card")
        session.bench.clock.sleep_us(6000)
        session.select()
        assert session.tag.read_ndef() in (b"old", b"", b"a new one that takes several pages")


def test_password_unlocks_and_a_wrong_one_is_refused():
    session = Session()
    pack = session.tag.authenticate(b"\xff\xff\xff\xff")
    assert len(pack) == 2
    session.cards.halt()
    session.select()
    session.refused(lambda: session.tag.authenticate(b"\x00\x00\x00\x00"))


def test_pages_beyond_the_end_are_refused():
    session = Session()
    session.refused(lambda: session.tag.read(200))


def test_counter_of_an_ultralight():
    session = Session("ul11")
    assert session.tag.counter(0) == 0


def test_counter_of_an_ntag_rises_with_each_field_when_it_is_on():
    session = Session()
    session.refused(lambda: session.tag.counter())
    session.card.count_reads()
    for count in range(3):
        session.lay(session.card)
        session.select()
        assert session.tag.counter() == count
        session.tag.read(4)
        session.tag.read(8)


def test_hostile_memory_gives_a_reason():
    for data in (
        b"\x03\xff\xff\xff",
        b"\x03\xff\x03",
        b"\x01\xff\xff\xff" + bytes(8),
        b"\x03\xfe" + bytes(4),
        b"\x00" * 16,
        b"\x01\x40" + bytes(60),
    ):
        session = Session()
        for at in range(0, len(data), 4):
            session.tag.write(4 + at // 4, (data[at : at + 4] + bytes(4))[:4])
        try:
            assert len(session.tag.read_ndef()) <= 254
        except CardError as error:
            assert error.reason in ("length", "refused"), error.reason


# A card that imitates a larger one: behind its last page its memory begins anew.
class Endless(Type2Picc):
    def _read(self, data):
        memory = self.memory.octets
        return self._say(bytes(memory[(4 * data[1] + i) % len(memory)] for i in range(16)))


def test_memory_full_of_blocks_takes_no_longer_than_reading_it_once():
    for block in (b"\x01\x02ab", b"\x00", b"\x02\x00", b"\x01\xff\x05\xdc"):
        session = Session()
        card = Endless(UID, "ntag216")
        card.memory.octets[12:] = (
            b"\xe1\x10\xff\x00" + (block * 1000)[: len(card.memory.octets) - 16]
        )
        session.lay(card)
        session.select()
        began_ms = session.bench.clock.ticks_ms()
        assert session.tag.read_ndef() == b""
        assert session.bench.clock.ticks_ms() - began_ms < 500, block


def test_message_behind_many_empty_blocks_is_found():
    session = Session("ntag215")
    octets = session.card.memory.octets
    data = bytes(40) + b"\x01\x03abc" + b"\x03\x05hello\xfe"
    octets[16 : 16 + len(data)] = data
    assert session.tag.read_ndef() == b"hello"


def test_wrong_arguments_are_named():
    session = Session()
    for call, word in (
        (lambda: session.tag.write(4, b"abc"), "4 bytes"),
        (lambda: session.tag.fast_read(0, 20), "15 pages"),
        (lambda: session.tag.authenticate(b"abc"), "4 bytes"),
    ):
        try:
            call()
            raise AssertionError("taken")
        except ValueError as error:
            assert word in str(error)
