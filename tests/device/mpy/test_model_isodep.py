# The model's ISO/IEC 14443-4 cards, block by block: numbering, rules 9 to 13, more time, faults.

from facing import FDT_NS, Facing, hexed

from besnik.sim.model.ats import ats
from besnik.sim.model.crc import crc_ok
from besnik.sim.model.faults import (
    BAD_CRC,
    BAD_PARITY,
    GONE,
    LONGER,
    LOST,
    NOT_HEARD,
    OVERSIZE,
    TRUNCATED,
    WRONG_BLOCK,
)
from besnik.sim.model.isodep_picc import ENDLESS, Application, IsoDepPicc
from besnik.sim.model.picc import ACTIVE, HALT, OFF

UID = bytes.fromhex("04A1B2C3D4E580")


# Answers with the command backwards and 9000; of `size` bytes when that is set.
class Echo(Application):
    def __init__(self, size=None, us=500):
        self.size = size
        self.us = us
        self.heard = []
        self.resets = 0

    def apdu(self, command):
        self.heard.append(command)
        if self.size is None:
            return bytes(reversed(command)) + b"\x90\x00"
        return bytes([i & 0xFF for i in range(self.size)])

    def work_us(self, command):
        return self.us

    def reset(self):
        self.resets += 1


def card(app=None, **settings):
    return IsoDepPicc(UID, app or Echo(), ats(**settings))


def active(app=None, rats="E050", **settings):
    facing = Facing(card(app, **settings))
    assert facing.send(rats)
    return facing


def test_ats_carries_only_what_is_asked_for():
    assert hexed(ats()) == "0578808000"
    assert hexed(ats(5, 8, 1, 0x77, True, b"\x80")) == "067577810280"
    assert hexed(ats(2, None, 0, None, None)) == "0202"
    assert hexed(ats(0, 14, 0, None, None, b"abc")) == "0620E0616263"


def test_rats_is_answered_once_and_everything_else_before_it_ignored():
    facing = Facing(card())
    for text in ("0200A404", "3000", "C2", "B2", "E05F"):
        assert facing.send(text) is None and facing.card.state == ACTIVE, text
    assert facing.raw(b"\xe0\x50\x00\x00") is None
    assert facing.send("E050") == "0578808000" and facing.card.in_protocol
    assert facing.send("E050") is None, "RATS is disabled after the ATS"
    assert facing.send("0201") == "02019000"


def test_card_in_the_protocol_hears_neither_request_nor_halt():
    facing = active()
    assert facing.raw(b"\x26", 7) is None and facing.raw(b"\x52", 7) is None
    assert facing.send("5000") is None
    assert facing.send("0201") == "02019000" and facing.card.state == ACTIVE


def test_deselect_puts_it_to_sleep_and_forgets_the_protocol():
    app = Echo()
    facing = active(app)
    before = app.resets
    assert facing.send("C2") == "C2" and facing.card.state == HALT and app.resets > before
    assert facing.raw(b"\x26", 7) is None
    facing.select()
    assert facing.send("E050")
    assert facing.send("0201") == "02019000", "the block number starts again"


def test_block_numbers_alternate_and_commands_run_once():
    app = Echo()
    facing = active(app)
    assert facing.send("02AA") == "02AA9000"
    assert facing.send("03BB") == "03BB9000"
    assert facing.send("02CC") == "02CC9000"
    assert [hexed(command) for command in app.heard] == ["AA", "BB", "CC"]
    assert facing.send("03") == "03" and len(app.heard) == 3, "an empty block is only answered"


def test_rule_11_the_last_block_again_when_its_number_is_named():
    facing = active()
    facing.send("02AA")
    assert facing.send("B2") == "02AA9000"
    assert facing.send("A2") == "02AA9000" and facing.card.applied == 1


def test_rule_12_nak_of_a_block_never_received_gets_an_ack():
    facing = active()
    assert facing.send("B2") == "A3"
    assert facing.send("02AA") == "02AA9000"
    assert facing.send("B3") == "A2" and facing.send("03BB") == "03BB9000"


def test_chains_to_the_card_are_acknowledged_and_put_together():
    app = Echo()
    facing = active(app)
    assert facing.send("120102") == "A2"
    assert facing.send("1303") == "A3"
    assert facing.send("0204") == "02040302019000" and app.heard == [b"\x01\x02\x03\x04"]


def test_chains_from_the_card_go_on_with_each_ack_and_keep_to_the_readers_size():
    for rats, frame in (("E000", 16), ("E020", 32), ("E050", 64), ("E080", 256)):
        facing = active(Echo(300), rats)
        block = facing.frame(b"\x02\xaa")
        answer, number = b"", 0
        while True:
            assert block[0] & 0xEF == 0x02 | number and len(block) + 2 <= frame
            answer += block[1:]
            if not block[0] & 0x10:
                break
            assert len(block) + 2 == frame
            number ^= 1
            block = facing.frame(bytes((0xA2 | number,)))
        assert answer == bytes([i & 0xFF for i in range(300)])


def test_lost_part_of_a_chain_is_sent_again():
    facing = active(Echo(100))
    first = facing.send("02AA")
    assert facing.send("B2") == first
    second = facing.send("A3")
    assert second[:2] == "03" and facing.send("B3") == second and facing.send("A3") == second
    assert facing.send("A2") is None, "nothing is left to go on with"


def test_lost_part_of_a_chain_to_the_card_is_asked_for_with_an_ack():
    app = Echo()
    facing = active(app)
    assert facing.send("1201") == "A2"
    assert facing.send("B3") == "A2", "block 1 never came"
    assert facing.send("1302") == "A3"
    assert facing.send("B3") == "A3", "block 1 came, its ACK was lost"
    facing.send("0203")
    assert app.heard == [b"\x01\x02\x03"]


def test_small_blocks_make_long_chains():
    app = Echo(5)
    facing = active(app)
    facing.card.inf_max = 1
    assert facing.send("02AA") == "1200"
    assert [facing.send(text) for text in ("A3", "A2", "A3", "A2")] == [
        "1301", "1202", "1303", "0204",
    ]  # fmt: skip


def test_frame_beyond_the_cards_own_size_is_ignored():
    facing = active(fsci=0)
    assert facing.frame(b"\x02" + bytes(14)) is None
    assert facing.frame(b"\x02" + bytes(13)) is not None


def test_damaged_and_unknown_blocks_are_ignored():
    facing = active()
    assert facing.raw(b"\x02\xaa\x00\x00") is None
    for text in ("42AA", "A2AA", "E2", "0AAA", "06AA", "F201", "D011"):
        assert facing.send(text) is None, text
    assert facing.send("02AA") == "02AA9000"


def test_cid_is_kept_to_when_the_card_knows_it():
    facing = active(rats="E053", cid=True)
    assert facing.send("02AA") is None, "it has CID 3"
    assert facing.send("0A04AA") is None
    assert facing.send("0A03AA") == "0A03AA9000"
    assert facing.send("BB03") == "AA03"
    assert facing.send("CA03") == "CA03" and facing.card.state == HALT
    facing = active(cid=True)
    assert facing.send("02AA") == "02AA9000" and facing.send("0B00AA") == "0B00AA9000"


def test_pps_to_106_kbit_is_accepted_right_after_the_ats():
    facing = active()
    assert facing.send("D01105") is None
    facing = active()
    assert facing.send("D01100") == "D0"
    assert facing.send("D01100") is None and facing.send("02AA") == "02AA9000"


def test_the_command_takes_its_time():
    facing = active(Echo(us=7000))
    facing.send("02AA")
    assert facing.after_ns == FDT_NS + 7000000


def test_long_work_asks_for_time_and_keeps_within_what_it_was_given():
    # FWI 4: 4.83 ms. 30 ms of work.
    facing = active(Echo(us=30000), fwi=4)
    unit_ns = 302065 << 4
    began = facing.now_ns
    answer = facing.send("02AA")
    granted = unit_ns
    while answer[:2] == "F2":
        assert facing.after_ns <= granted
        granted = unit_ns * int(answer[2:], 16)
        answer = facing.send(answer)
    assert answer == "02AA9000" and facing.card.applied == 1
    assert facing.now_ns - began >= 30000000


def test_time_asked_for_so_many_times_is_answered_only_as_granted():
    facing = active(fwi=0)
    facing.card.ask_for_time(3, 5)
    assert facing.send("02AA") == "F205"
    assert facing.send("F204") is None and facing.send("F2") is None
    assert facing.send("02AA") is None, "it waits for S(WTX)"
    assert facing.send("B2") == "F205", "rule 11 holds for S(WTX) too"
    assert facing.send("F205") == "F205" and facing.after_ns == 302065 * 5 * 3 // 4
    assert facing.send("F205") == "F205"
    assert facing.send("F205") == "02AA9000"


def test_endless_waiting_and_endless_chaining_never_end():
    facing = active()
    facing.card.ask_for_time(ENDLESS, 59)
    assert facing.send("02AA") == "F23B"
    assert all(facing.send("F23B") == "F23B" for _ in range(200))
    facing = active(Echo(100))
    facing.card.chains_for_ever = True
    block = facing.frame(b"\x02\xaa")
    for step in range(200):
        assert block[0] == 0x12 | step & 1
        block = facing.frame(bytes((0xA2 | step & 1 ^ 1,)))


def test_sfgt_keeps_the_card_deaf_after_the_ats():
    facing = active(sfgi=3)
    assert facing.send("02AA") is None
    facing.now_ns += 302065 << 3
    assert facing.send("02AA") == "02AA9000"


def test_application_that_says_nothing_leaves_the_card_silent():
    class Mute(Application):
        def apdu(self, command):
            return None if command == b"\xbb" else b"\x90\x00"

    facing = active(Mute())
    assert facing.send("02AA") == "029000"
    assert facing.send("03BB") is None and facing.send("B3") is None, "not the old block again"


def test_faults_strike_at_their_step():
    facing = active()
    faults = facing.card.faults
    faults.restart()
    for step, kind in enumerate((NOT_HEARD, LOST, BAD_CRC, WRONG_BLOCK, TRUNCATED, LONGER)):
        faults.at(step + 1, kind)
    assert facing.send("02AA") is None and facing.card.applied == 0
    assert facing.send("02AA") is None and facing.card.applied == 1
    said = facing.raw(b"\xb2\x67\xc7")
    assert said and not crc_ok(said[0])
    assert facing.send("B2") == "03AA9000"
    assert facing.send("B2") == "02AA"
    assert facing.send("B2") == "02AA900000"
    assert facing.send("B2") == "02AA9000"


def test_faults_that_go_on_and_that_end_everything():
    facing = active()
    faults = facing.card.faults
    faults.restart()
    called = []
    faults.at(1, lambda: called.append(1))
    faults.always(OVERSIZE, 2)
    assert facing.send("02AA") == "02AA9000" and called == [1]
    assert len(facing.frame(b"\xb2")) == 72
    faults.always(BAD_PARITY)
    assert facing.send("B2") and facing.card.signal_fault == 1
    faults.always(GONE)
    assert facing.send("B2") is None and facing.card.state == OFF
    assert facing.raw(b"\x52", 7) is None
    facing.card.power_up(facing.now_ns)
    facing.now_ns += facing.card.start_ns
    faults.always(0)
    facing.select()
