# MIFARE Classic through the chip: Crypto1 against a recorded trace, MFAuthent, encrypted reading
# and writing, access bits, wrong keys, other cards.

from facing import hexed
from oldreader import NOTHING, OK, OldReader

from besnik.sim.model.board import Board
from besnik.sim.model.classic_access import Access
from besnik.sim.model.classic_picc import FACTORY_KEY, ClassicPicc
from besnik.sim.model.crc import crc_ok, with_crc
from besnik.sim.model.crypto1 import Crypto1, octets_of, successor, word_of
from besnik.sim.model.faults import LOST, NOT_HEARD
from besnik.sim.model.picc import ACTIVE, HALT, IDLE, Picc
from besnik.sim.model.type2_picc import Type2Picc

FOUR = bytes.fromhex("5B3C2A19")
SEVEN = bytes.fromhex("04A1B2C3D4E580")
KEY_A = bytes.fromhex("A0A1A2A3A4A5")
KEY_B = bytes.fromhex("B0B1B2B3B4B5")
TEXT = bytes(range(16))


# A card selected by the old reader, and what can be done to it.
class Sector:
    def __init__(self, card):
        self.board = Board()
        self.reader = OldReader(self.board)
        self.reader.init()
        self.card = card
        self.board.add("card", card)
        self.board.present("card")
        self.board.clock.advance_us(6000)
        self.select()

    def select(self, command=0x26):
        self.reader.request(command)
        found = self.reader.select()
        assert found, "not selected"
        self.uid = found[0]

    def authenticate(self, block, key=FACTORY_KEY, command=0x60):
        request = bytes((command, block)) + key + self.uid[-4:]
        return self.reader.exchange(request, command=0x0E)[0]

    def is_encrypted(self):
        return bool(self.reader.read(0x08) & 0x08)

    def plain_again(self):
        self.reader.write(0x08, 0)

    # Sixteen bytes, a code of four bits, or None.
    def read(self, block):
        status, data, bits = self.reader.exchange(with_crc(bytes((0x30, block))))
        if status == NOTHING:
            return None
        if bits == 4:
            return data[0]
        assert status == OK and bits == 144 and crc_ok(data), (status, data, bits)
        return data[:-2]

    def write(self, block, data):
        status, answer, bits = self.reader.exchange(with_crc(bytes((0xA0, block))))
        if status == NOTHING:
            return None
        assert bits == 4, (status, answer, bits)
        if answer[0] != 0x0A:
            return answer[0]
        status, answer, bits = self.reader.exchange(with_crc(data))
        return answer[0] if bits == 4 else None


def sector(uid=FOUR, **more):
    return Sector(ClassicPicc(uid, **more))


def test_cipher_gives_the_words_of_a_recorded_authentication():
    # The example that comes with mfkey64 (proxmark3): key FFFFFFFFFFFF.
    uid, nonce = word_of(bytes.fromhex("9C599B32")), word_of(bytes.fromhex("82A4166C"))
    for encrypted in (True, False):
        cipher = Crypto1(FACTORY_KEY)
        cipher.word(uid ^ nonce)
        theirs = word_of(bytes.fromhex("A1E458CE" if encrypted else "EFEA1CDA"))
        shown = cipher.word(theirs, encrypted) ^ theirs
        assert hexed(octets_of(shown)) == ("EFEA1CDA" if encrypted else "A1E458CE")
        assert hexed(octets_of(successor(nonce, 64) ^ cipher.word())) == "6EEA41E0"
        assert hexed(octets_of(successor(nonce, 96) ^ cipher.word())) == "5CADF439"


def test_encrypted_nonce_is_read_back_by_whoever_knows_the_key():
    uid, nonce = word_of(FOUR), 0x1234ABCD
    card, reader = Crypto1(KEY_A), Crypto1(KEY_A)
    shown = card.nonce(uid, nonce, False)
    assert shown != nonce and reader.nonce(uid, shown, True) == nonce
    assert card.word() == reader.word()


def test_right_key_ends_the_command_and_turns_the_cipher_on():
    card = sector()
    assert card.authenticate(4) == OK
    assert card.reader.seen & 0x10 and not card.reader.seen & 0x01 and card.is_encrypted()
    assert card.reader.read(0x01) & 0x0F == 0 and card.reader.read(0x0A) == 0
    assert card.read(4) == bytes(16) and card.card.state == ACTIVE


def test_wrong_key_is_answered_by_the_timer_only():
    card = sector()
    assert card.authenticate(4, KEY_A) == NOTHING
    assert card.reader.seen & 0x11 == 0x01 and not card.is_encrypted()
    assert card.card.state == IDLE
    card.select()
    assert card.authenticate(4) == OK


def test_authentication_takes_four_frames_on_the_air():
    card = sector()
    clock, before = card.board.clock, card.board.field.frames
    began = clock.ns
    request = bytes((0x60, 4)) + FACTORY_KEY + FOUR
    for register, value in ((0x01, 0), (0x04, 0x7F), (0x0A, 0x80)):
        card.reader.write(register, value)
    for byte in request:
        card.reader.write(0x09, byte)
    card.reader.write(0x01, 0x0E)
    chip = card.board.chip
    began = clock.ns
    while not chip.regs[0x04] & 0x10:
        clock.ns += 1000
        chip.catch_up(clock.ns)
        assert clock.ns - began < 5000000
    # 359 + 91 + 359, 86, 699 + 91 + 359 microseconds.
    assert card.board.field.frames - before == 2 and 2000000 < clock.ns - began < 2100000


def test_frames_on_the_air_are_not_what_the_host_wrote():
    card = sector()
    heard = []
    hear = card.card.hear

    def listen(data, bits, now_ns):
        heard.append(data)
        return hear(data, bits, now_ns)

    card.card.hear = listen
    card.authenticate(4)
    card.read(4)
    assert heard[0] == with_crc(b"\x60\x04") and heard[2] != with_crc(b"\x30\x04")


def test_block_is_written_in_two_parts_and_read_back():
    card = sector()
    card.authenticate(4)
    assert card.write(5, TEXT) == 0x0A and card.read(5) == TEXT
    assert card.card.blocks[5] == TEXT


def test_memory_is_closed_outside_the_sector_and_without_a_key():
    card = sector()
    assert card.read(4) == 0x04 and card.card.state == IDLE
    card.select()
    card.authenticate(4)
    assert card.read(8) == 0x04 and card.card.state == IDLE
    card.plain_again()
    card.select()
    card.authenticate(0)
    assert card.read(0)[:5] == FOUR + b"\x54" and card.write(0, TEXT) == 0x04


def test_next_sector_is_opened_from_within_the_session():
    card = sector()
    card.card.set_keys(2, KEY_A, KEY_B)
    card.card.blocks[8] = TEXT
    assert card.authenticate(4) == OK
    assert card.authenticate(8, KEY_A) == OK and card.read(8) == TEXT
    assert card.authenticate(12) == OK and card.read(12) == bytes(16)
    assert card.authenticate(8, FACTORY_KEY) == NOTHING and card.card.state == IDLE


def test_with_the_cipher_on_no_other_card_is_understood():
    card = sector()
    card.authenticate(4)
    card.board.add("other", Picc(bytes.fromhex("11223344")))
    card.board.remove("card")
    card.board.present("other")
    card.board.clock.advance_us(6000)
    answers = []
    for _ in range(20):
        card.reader.request()
        answers.append(card.reader.select())
    assert answers == [None] * 20
    card.plain_again()
    if card.reader.request()[0] != OK:
        card.reader.request()
    assert card.reader.select()[0] == bytes.fromhex("11223344")


def test_halt_is_encrypted_too():
    card = sector()
    card.authenticate(4)
    card.reader.halt()
    assert card.card.state == HALT
    card.plain_again()
    card.select(0x52)
    assert card.read(4) == 0x04 and card.card.state == HALT


def test_frame_lost_under_the_cipher_ends_the_session():
    for kind in (NOT_HEARD, LOST):
        card = sector()
        card.authenticate(4)
        card.card.faults.at(card.card.faults.step + 1, kind)
        assert card.read(4) is None
        again = card.read(4)
        assert not isinstance(again, bytes), "the key streams have parted"


def test_seven_byte_uid_takes_part_with_its_last_four():
    card = sector(SEVEN)
    assert card.uid == SEVEN and card.authenticate(4) == OK and card.read(4) == bytes(16)


def test_trailer_hides_its_keys():
    card = sector()
    card.card.set_keys(1, KEY_A, KEY_B)
    card.authenticate(4, KEY_A)
    assert hexed(card.read(7)) == "000000000000" + "FF078069" + hexed(KEY_B)
    assert card.write(7, KEY_B + b"\xff\x07\x80\x69" + KEY_A) == 0x0A
    card.reader.halt()
    card.plain_again()
    card.select(0x52)
    assert card.authenticate(4, KEY_B) == OK


def test_access_bits_decide_what_each_key_may_do():
    # Data: read A or B, write B (100). Trailer: keys written by B (011). The usual for a shop.
    bits = bytes.fromhex("78778869")
    card = sector()
    card.card.set_keys(1, KEY_A, KEY_B, bits)
    card.authenticate(4, KEY_A)
    assert card.read(4) == bytes(16) and card.write(4, TEXT) == 0x04
    card.plain_again()
    card.select()
    card.authenticate(4, KEY_B, 0x61)
    assert card.write(4, TEXT) == 0x0A and card.read(4) == TEXT
    assert hexed(card.read(7)) == "000000000000" + "78778869" + "000000000000"
    assert card.write(7, FACTORY_KEY + bits + FACTORY_KEY) == 0x0A


def test_readable_key_b_opens_nothing():
    card = sector()
    assert card.authenticate(4, FACTORY_KEY, 0x61) == OK
    assert card.read(4) == 0x04


def test_access_bits_whose_copies_differ_close_the_sector():
    assert Access(b"\xff\x07\x80").is_valid and Access(b"\x78\x77\x88").is_valid
    assert not Access(b"\xff\x07\x81").is_valid and not Access(b"\xff\x07\x81").opens("A")


def test_no_such_block_is_refused():
    card = sector()
    assert card.authenticate(64) != OK and not card.is_encrypted()
    assert card.reader.read(0x06) & 0x01, "four bits are not four bytes"


def test_other_families_refuse_or_ignore_the_request():
    for other in (Picc(FOUR, 0x08), Type2Picc(SEVEN)):
        card = Sector(other)
        assert card.authenticate(4) != OK and not card.is_encrypted()
    card = sector()
    card.board.remove("card")
    assert card.authenticate(4) == NOTHING and card.reader.seen & 0x01


def test_framing_registers_do_not_touch_the_command():
    card = sector()
    card.reader.write(0x12, 0x80)
    card.reader.write(0x13, 0x80)
    request = bytes((0x60, 4)) + FACTORY_KEY + FOUR
    assert card.reader.exchange(request, last_bits=7, align=4, command=0x0E)[0] == OK
    status, data, bits = card.reader.exchange(b"\x30\x04")
    assert (status, data, bits) == (OK, bytes(16), 128), "the chip's own CRC is encrypted as well"
