# Cards in the field: states, anticollision, collisions, times, removal, noise. Runs on
# MicroPython and, from tests/unit/sim, on CPython.

from oldreader import BROKEN, COLLISION, NOTHING, OK, OldReader

from besnik.sim.model.board import Board
from besnik.sim.model.crc import crc_a, with_crc
from besnik.sim.model.noise import LOST, PARITY, PROTOCOL
from besnik.sim.model.picc import ACTIVE, HALT, IDLE, READY, Picc, RandomPicc

FOUR = "5B3C2A19"
SEVEN = "04A1B2C3D4E580"
TEN = "0411223344556677A8B9"


def field(*uids, noise=0, kinds=(PARITY, PROTOCOL, LOST)):
    board = Board()
    reader = OldReader(board)
    reader.init()
    for uid in uids:
        card = RandomPicc() if uid is None else Picc(bytes.fromhex(uid), 0x00)
        board.add(uid, card)
        board.present(uid)
    board.field.noise.set(noise, kinds)
    board.clock.advance_us(6000)
    return board, reader


def hexed(data):
    return "".join("%02X" % byte for byte in data)


def test_uids_of_every_length_are_read_by_an_independent_driver():
    for uid in (FOUR, SEVEN, TEN, "88776655", "FFFFFFFF", "00000000"):
        board, reader = field(uid)
        assert reader.request()[0] == OK
        found = reader.select()
        assert found and hexed(found[0]) == uid, uid
        assert board.cards[uid].state == ACTIVE


def test_atqa_tells_the_uid_size():
    for uid, atqa in ((FOUR, "0400"), (SEVEN, "4400"), (TEN, "8400")):
        _, reader = field(uid)
        status, data, bits = reader.request()
        assert (status, hexed(data), bits) == (OK, atqa, 16)


def test_anticollision_answers_uid_and_bcc_and_sak_carries_a_crc():
    _, reader = field(FOUR)
    reader.request()
    _, part, bits = reader.exchange(b"\x93\x20")
    assert hexed(part) == FOUR + "54" and bits == 40
    frame = with_crc(b"\x93\x70" + part)
    status, sak, bits = reader.exchange(frame)
    assert (status, bits) == (OK, 24) and sak == b"\x00" + crc_a(b"\x00")


def test_cascade_tag_and_sak_bit_come_until_the_last_level():
    _, reader = field(SEVEN)
    reader.request()
    _, part, _ = reader.exchange(b"\x93\x20")
    assert hexed(part[:4]) == "8804A1B2"
    _, sak, _ = reader.exchange(with_crc(b"\x93\x70" + part))
    assert sak[0] == 0x04
    _, part, _ = reader.exchange(b"\x95\x20")
    assert hexed(part[:4]) == "C3D4E580"
    _, sak, _ = reader.exchange(with_crc(b"\x95\x70" + part))
    assert sak[0] == 0x00


def test_wrong_crc_bcc_level_or_uid_is_answered_by_silence_and_idle():
    good = b"\x93\x70\x5b\x3c\x2a\x19\x54"
    wrong = (
        good + b"\x00\x00",
        with_crc(good[:-1] + b"\x55"),
        with_crc(b"\x95" + good[1:]),
        with_crc(b"\x93\x70\x5b\x3c\x2a\x18\x55"),
        b"\x93\x40\x5b\x3d",
    )
    for frame in wrong:
        board, reader = field(FOUR)
        reader.request()
        assert reader.exchange(frame)[0] == NOTHING
        assert board.cards[FOUR].state == IDLE, hexed(frame)


def test_frame_times_are_those_of_the_standard():
    board, _ = field(FOUR)
    chip, clock = board.chip, board.clock

    def exchange_us(data, last_bits=0):
        chip.write(0x01, 0)
        chip.write(0x04, 0x7F)
        chip.write(0x0A, 0x80)
        for byte in data:
            chip.write(0x09, byte)
        chip.write(0x0D, last_bits)
        chip.write(0x01, 0x0C)
        began = clock.ns
        chip.write(0x0D, 0x80 | last_bits)
        while not chip.regs[0x04] & 0x21:
            clock.ns += 100
            chip.catch_up(clock.ns)
        return (clock.ns - began + 500) // 1000

    assert abs(exchange_us(b"\x26", 7) - 365) <= 1
    assert abs(exchange_us(b"\x93\x20") - 724) <= 1
    assert abs(exchange_us(with_crc(b"\x93\x70\x5b\x3c\x2a\x19\x54")) - 1148) <= 1


def test_two_cards_collide_where_their_bits_first_differ():
    # 0x01 and 0x09 in the last byte differ in its bit 3: the 28th bit of the UID.
    _, reader = field("11223301", "11223309")
    reader.request()
    status, data, bits = reader.exchange(b"\x93\x20")
    assert status == COLLISION and reader.read(0x0E) & 0x3F == 28 and bits == 40
    assert data == b"\x11\x22\x33\x09\x00", "bits after the collision read 0"
    _board, reader = field("11223301", "11223309")
    reader.set_bits(0x0E, 0x80)
    reader.request()
    _, data, _ = reader.exchange(b"\x93\x20")
    assert data == b"\x11\x22\x33\x09\x09", "with ValuesAfterColl both halves add up"


def test_collision_in_the_32nd_bit_is_encoded_0_and_beyond_it_is_not_valid():
    _, reader = field("11223301", "11223381")
    reader.request()
    assert reader.exchange(b"\x93\x20")[0] == COLLISION
    assert reader.read(0x0E) & 0x3F == 0
    # Same UID bits known, BCC differs: a card whose BCC is broken.
    board, reader = field("11223301", "11223381")
    board.cards["11223381"]._levels = [b"\x11\x22\x33\x01\x82"]
    reader.request()
    assert reader.exchange(b"\x93\x20")[0] == COLLISION
    assert reader.read(0x0E) & 0x20


def test_collision_position_counts_the_bits_that_rx_align_leaves_free():
    # Known: 8 bits and 2 more. The cards differ in UID bit 13, bit 5 of the second byte.
    _board, reader = field("11010000", "11110000")
    reader.request()
    status, data, _ = reader.exchange(b"\x93\x32\x11\x01", last_bits=2, align=2)
    assert status == COLLISION and reader.read(0x0E) & 0x3F == 5
    assert data[0] == 0x10, "the two known bits are left 0 in the FIFO"


def test_clean_answer_makes_the_collision_position_invalid_again():
    board, reader = field("11223301", "11223309")
    reader.request()
    reader.exchange(b"\x93\x20")
    assert not reader.read(0x0E) & 0x20
    board.remove("11223301")
    reader.request()
    reader.request()
    assert reader.exchange(b"\x93\x20")[0] == OK and reader.read(0x0E) & 0x20


def test_receiver_that_is_switched_off_hears_nothing():
    _, reader = field(FOUR)
    assert reader.exchange(b"\x26", last_bits=7, command=0x2C)[0] == NOTHING
    assert reader.request()[0] == NOTHING, "the card was READY all the same"
    assert reader.request()[0] == OK


def test_request_of_cards_with_different_uid_sizes_collides_too():
    _, reader = field(FOUR, SEVEN)
    status, _, bits = reader.request()
    assert status == COLLISION and bits == 16
    assert reader.read(0x0E) & 0x3F == 7


def test_several_cards_are_told_apart_one_after_the_other():
    uids = ("11223344", "11223345", "11223B45", SEVEN, TEN, "04A1B2C3D4E581")
    _, reader = field(*uids)
    found = []
    for _ in uids:
        assert reader.request()[0] in (OK, COLLISION)
        card = reader.select()
        assert card, found
        found.append(hexed(card[0]))
        reader.halt()
    assert sorted(found) == sorted(uids)
    assert reader.request()[0] == NOTHING


def test_card_not_chosen_falls_back_to_idle():
    board, reader = field("11223344", "11223345")
    reader.request()
    assert reader.select()
    assert board.cards["11223345"].state == ACTIVE
    assert board.cards["11223344"].state == IDLE


def test_active_card_ignores_a_request_and_answers_the_next():
    board, reader = field(FOUR)
    reader.request()
    reader.select()
    assert reader.request()[0] == NOTHING and board.cards[FOUR].state == IDLE
    assert reader.request()[0] == OK and board.cards[FOUR].state == READY


def test_halted_card_hears_wake_up_only_and_falls_back_to_halt():
    board, reader = field(FOUR)
    card = board.cards[FOUR]
    reader.request()
    reader.select()
    assert reader.halt()[0] == NOTHING and card.state == HALT
    assert reader.request(0x26)[0] == NOTHING and card.state == HALT
    assert reader.request(0x52)[0] == OK and card.state == READY
    assert reader.request(0x52)[0] == NOTHING and card.state == HALT
    reader.request(0x52)
    assert reader.select() and card.state == ACTIVE
    assert reader.request(0x26)[0] == NOTHING and card.state == HALT


def test_halt_needs_its_crc_and_an_active_card():
    board, reader = field(FOUR)
    reader.request()
    reader.exchange(with_crc(b"\x50\x00"))
    assert board.cards[FOUR].state == IDLE
    reader.request()
    reader.select()
    reader.exchange(b"\x50\x00\x00\x00")
    assert board.cards[FOUR].state == IDLE


def test_field_off_and_on_makes_every_card_idle_and_it_needs_5_ms():
    board, reader = field(FOUR)
    reader.request()
    reader.select()
    reader.halt()
    reader.clear_bits(0x14, 0x03)
    reader.set_bits(0x14, 0x03)
    board.clock.advance_us(4000)
    assert reader.request()[0] == NOTHING
    board.clock.advance_us(1000)
    assert reader.request()[0] == OK


def test_phone_has_a_new_random_uid_in_every_field():
    board, reader = field(None)
    seen = set()
    for _ in range(5):
        reader.request()
        uid = reader.select()[0]
        assert uid[0] == 0x08 and len(uid) == 4
        seen.add(uid)
        board.remove(None)
        board.present(None)
        board.clock.advance_us(6000)
    assert len(seen) == 5


def test_nobody_hears_without_a_field_and_sending_waits_for_it():
    board, reader = field(FOUR)
    reader.clear_bits(0x14, 0x03)
    assert reader.request()[0] == NOTHING and not reader.seen & 0x41
    reader.set_bits(0x14, 0x03)
    board.clock.advance_us(300)
    assert reader.read(0x04) & 0x40


def test_empty_field_answers_with_the_timer_only():
    _, reader = field()
    assert reader.request()[0] == NOTHING
    assert reader.seen & 0x71 == 0x41


def test_answer_after_a_short_timeout_still_arrives():
    board, reader = field(FOUR)
    reader.write(0x2A, 0x80)
    reader.write(0x2B, 0)
    reader.write(0x2D, 100)
    reader.request()
    assert reader.seen & 0x21 == 0x01
    board.clock.advance_us(1000)
    assert reader.read(0x04) & 0x20 and reader.read(0x0A) == 2


def test_timer_stops_when_the_answer_begins():
    board, reader = field(FOUR)
    reader.request()
    board.clock.advance_us(100000)
    assert not reader.read(0x04) & 0x01


def test_card_taken_away_during_an_answer_leaves_a_part_of_it():
    board, reader = field(FOUR)
    lengths = []
    for microseconds in range(0, 1500, 20):
        board.present(FOUR)
        board.clock.advance_us(6000)
        reader.request()
        board.clock.after_us(microseconds, board.remove, FOUR)
        status, data, bits = reader.exchange(b"\x93\x20")
        assert status in (OK, NOTHING) and len(data) == (bits + 7) // 8
        assert hexed(data[: bits // 8]) == (FOUR + "54")[: bits // 8 * 2]
        lengths.append(bits)
        board.clock.advance_us(2000)
    assert lengths == sorted(lengths), "the later it goes, the more was heard"
    assert lengths[0] == 0 and lengths[-1] == 40
    assert [bits for bits in lengths if 0 < bits <= 16] and [bits for bits in lengths if bits % 8]


def test_card_taken_away_before_it_answers_is_not_heard():
    board, reader = field(FOUR)
    board.clock.after_us(1, board.remove, FOUR)
    assert reader.request()[0] == NOTHING


def test_noise_is_the_same_with_the_same_seed_and_about_as_often_as_asked():
    def outcomes(seed):
        board, reader = field(FOUR)
        board.field.noise.set(200, (PARITY, PROTOCOL, LOST), seed)
        answers = []
        for _ in range(200):
            board.cards[FOUR].state = IDLE
            status, _, error = reader.request()
            answers.append((status, error))
        return answers

    first, second = outcomes(7), outcomes(7)
    assert first == second and first != outcomes(8)
    spoilt = len([1 for status, _ in first if status != OK])
    assert 20 <= spoilt <= 60, spoilt


def test_parity_and_protocol_errors_are_told_apart():
    for kind, bit in ((PARITY, 0x02), (PROTOCOL, 0x01)):
        _board, reader = field(FOUR, noise=1000, kinds=(kind,))
        status, _, error = reader.request()
        assert (status, error) == (BROKEN, bit) and reader.seen & 0x02


def test_gain_too_low_hears_nothing_and_too_high_hears_errors():
    board, reader = field(FOUR)
    board.cards[FOUR].min_gain_db = 33
    board.cards[FOUR].max_gain_db = 38
    reader.write(0x26, 0x38)
    assert reader.request()[0] == NOTHING
    reader.write(0x26, 0x78)
    reader.request()
    assert reader.request()[0] == BROKEN
    reader.write(0x26, 0x58)
    reader.request()
    assert reader.request()[0] == OK


def test_chip_appends_and_checks_the_crc_when_told():
    _, reader = field(FOUR)
    reader.request()
    _, part, _ = reader.exchange(b"\x93\x20")
    reader.write(0x12, 0x80)
    reader.write(0x13, 0x80)
    status, sak, bits = reader.exchange(b"\x93\x70" + part)
    assert (status, sak, bits) == (OK, b"\x00", 8)


def test_chip_reports_a_wrong_crc():
    _, reader = field(FOUR)
    reader.write(0x13, 0x80)
    status, _, error = reader.request()
    assert (status, error) == (BROKEN, 0x04)


# A card family as later ones will be: it understands one command and answers with 80 bytes.
class Talker(Picc):
    def receive(self, data, bits):
        return (b"\xa5" * 80, 640) if data[:1] == b"\x30" else None


def test_family_answers_when_active_and_a_long_answer_overflows_the_fifo():
    board, reader = field()
    board.add("talker", Talker(bytes.fromhex(FOUR)))
    board.present("talker")
    board.clock.advance_us(6000)
    reader.request()
    assert reader.select()
    status, _, error = reader.exchange(b"\x30\x00")
    assert (status, error) == (BROKEN, 0x10) and reader.read(0x0A) == 64
    assert board.cards["talker"].state == ACTIVE
    assert reader.exchange(b"\x31\x00")[0] == NOTHING
    assert board.cards["talker"].state == IDLE


def test_frame_longer_than_the_fifo_is_sent_when_the_host_keeps_up():
    board, reader = field()
    heard = []

    class Listener(Picc):
        def receive(self, data, bits):
            heard.append(data)
            return b"\x0a", 4

    board.add("listener", Listener(bytes.fromhex(FOUR)))
    board.present("listener")
    board.clock.advance_us(6000)
    reader.request()
    reader.select()
    frame = bytes(range(100))
    reader.write(0x01, 0x00)
    reader.write(0x0A, 0x80)
    for byte in frame[:60]:
        reader.write(0x09, byte)
    reader.write(0x0D, 0x00)
    reader.write(0x01, 0x0C)
    reader.write(0x0D, 0x80)
    for byte in frame[60:]:
        while reader.read(0x0A) > 60:
            pass
        reader.write(0x09, byte)
    board.clock.advance_us(10000)
    assert reader.read(0x0A) == 1 and reader.read(0x0C) & 0x07 == 4
    assert heard == [frame]
