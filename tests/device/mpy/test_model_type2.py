# The model's NTAG21x and Ultralight EV1: versions, memory, roll-over, protection, counters.

from facing import Facing, hexed

from besnik.sim.model.faults import NOT_HEARD
from besnik.sim.model.ndef import uri_message
from besnik.sim.model.picc import ACTIVE, HALT, IDLE
from besnik.sim.model.type2_memory import PRODUCTS
from besnik.sim.model.type2_picc import Type2Picc

UID = bytes.fromhex("04E10CDA993C80")
# A genuine tag's signature over this UID, as published by proxmark3 (originality.c).
SIGNATURE = "8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3"


def facing(product="ntag213", **settings):
    return Facing(Type2Picc(UID, product, **settings))


def refused(card, text, code):
    answer = card.send(text)
    assert answer == code and isinstance(answer, int), (text, answer)
    assert card.card.state == IDLE
    card.select()


def test_each_product_tells_its_version_and_has_its_size():
    for name, version, pages in (
        ("ntag213", "0004040201000F03", 45),
        ("ntag215", "0004040201001103", 135),
        ("ntag216", "0004040201001303", 231),
        ("ul11", "0004030101000B03", 20),
        ("ul21", "0004030101000E03", 41),
    ):
        card = facing(name)
        assert card.uid == UID and card.sak == 0x00
        assert card.send("60") == version
        assert card.send("30%02X" % (pages - 1))
        refused(card, "30%02X" % pages, 0)


def test_user_memory_has_the_published_size():
    sizes = {"ntag213": 144, "ntag215": 504, "ntag216": 888, "ul11": 48, "ul21": 128}
    assert {name: PRODUCTS[name].user_size for name in PRODUCTS} == sizes


def test_first_pages_hold_uid_check_bytes_locks_and_container():
    card = facing()
    assert card.send("3000") == "04E10C61DA993C80FF480000E1101200"
    assert card.send("3003") == "E11012000103A00C340300FE00000000"


def test_read_rolls_over_behind_the_last_page():
    card = facing()
    assert card.send("302B") == "0000000000000000" + "04E10C61DA993C80", "PWD and PACK read 0"
    card.card.protect(b"\x01\x02\x03\x04", b"\xaa\xbb", 6, to_read=True)
    assert card.send("3005") == "340300FE" + "04E10C61DA993C80FF480000"
    refused(card, "3006", 4)


def test_fast_read_gives_all_pages_asked_for_or_none():
    card = facing("ntag215")
    data = card.send("3A0086")
    assert len(data) == 2 * 4 * 135 and data[:8] == "04E10C61"
    refused(card, "3A0504", 0)
    refused(card, "3A0087", 0)
    refused(card, "3A00", 0)
    card.card.protect(b"\x01\x02\x03\x04", b"\xaa\xbb", 6, to_read=True)
    refused(card, "3A0006", 4)
    assert len(card.send("3A0005")) == 48


def test_write_is_acknowledged_and_takes_its_time():
    card = facing()
    assert card.send("A20411223344") == 0x0A and card.after_ns == 91150 + 4100000
    assert card.send("3004")[:8] == "11223344" and card.card.state == ACTIVE
    refused(card, "A20111223344", 0)
    refused(card, "A22D11223344", 0)
    refused(card, "A204112233", 0)


def test_old_way_to_write_has_two_parts():
    card = facing()
    assert card.send("A004") == 0x0A
    assert card.send("11223344" + "00" * 12) == 0x0A
    assert card.send("3004")[:8] == "11223344"
    assert card.send("A004") == 0x0A
    refused(card, "3004", 0)


def test_container_and_lock_bits_can_be_set_only():
    card = facing()
    card.send("A203000000FF")
    assert card.send("3003")[:8] == "E11012FF"
    card.send("A202FFFF1000")
    assert card.send("3002")[:8] == "FF481000", "page 4 is locked"
    refused(card, "A20400000000", 5)
    assert card.send("A20500000000") == 0x0A
    card.send("A20200000208")
    card.send("A2020000F002")
    assert card.send("3002")[:8] == "FF481208", "block-locking holds pages 4 to 9"
    refused(card, "A20B00000000", 5)


def test_dynamic_lock_bits_lock_the_pages_behind():
    card = facing("ntag215")
    card.send("A28202000000")
    assert card.send("3082")[:8] == "020000BD"
    refused(card, "A22000000000", 5)
    assert card.send("A21F00000000") == 0x0A and card.send("A23000000000") == 0x0A
    card = facing("ul21")
    card.send("A22402000000")
    refused(card, "A21200000000", 5)
    assert card.send("A21400000000") == 0x0A


def test_locked_configuration_stays_as_it_is():
    card = facing()
    assert card.send("A22A40000000") == 0x0A
    refused(card, "A22900000000", 5)
    assert card.send("A22B00000000") == 0x0A


def test_password_opens_what_auth0_protects():
    card = facing()
    card.card.protect(b"\xde\xad\xbe\xef", b"\xca\xfe", 8)
    assert card.send("A20711223344") == 0x0A
    refused(card, "A20811223344", 4)
    assert card.send("3008"), "without PROT it may be read"
    refused(card, "1BDEADBEEE", 4)
    assert card.send("1BDEADBEEF") == "CAFE"
    assert card.send("A20811223344") == 0x0A
    card.send("5000")
    card.select()
    assert card.send("A20811223344") == 4, "the next selection knows nothing of it"


def test_authlim_locks_after_so_many_wrong_passwords_in_a_row():
    card = facing()
    card.card.protect(b"\xde\xad\xbe\xef", b"\xca\xfe", 0, True, 2)
    for _ in range(2):
        refused(card, "1B00000000", 4)
        assert card.send("1BDEADBEEF") == "CAFE"
    refused(card, "1B00000000", 4)
    refused(card, "1B00000000", 4)
    refused(card, "1BDEADBEEF", 4)
    card.card.power_down()
    card.card.power_up(card.now_ns)
    card.now_ns += 5000000
    card.select()
    refused(card, "1BDEADBEEF", 4)


def test_refused_card_that_was_halted_is_halted_again():
    card = facing()
    card.send("5000")
    card.select()
    assert card.send("30FF") == 0 and card.card.state == HALT
    assert card.raw(b"\x26", 7) is None and card.raw(b"\x52", 7)


def test_signature_is_the_one_it_was_given():
    card = facing(signature=bytes.fromhex(SIGNATURE))
    assert card.send("3C00") == SIGNATURE
    refused(card, "3C01", 0)


def test_ntag_counts_the_first_read_in_each_field_when_told_to():
    card = facing()
    refused(card, "3902", 0)
    card.card.count_reads()
    assert card.send("3902") == "000000"
    card.send("3000")
    card.send("3A0003")
    assert card.send("3902") == "010000"
    card.card.power_up(card.now_ns)
    card.now_ns += 5000000
    card.select()
    card.send("3000")
    assert card.send("3902") == "020000"
    refused(card, "3900", 0)
    card.card.count_reads(protected=True)
    refused(card, "3902", 4)
    card.send("1BFFFFFFFF")
    assert card.send("3902") == "020000"


def test_ultralight_has_three_counters_that_the_reader_raises():
    card = facing("ul11")
    assert card.send("A50156341200") == 0x0A and card.send("3901") == "563412"
    assert card.send("A501FFFF0000") == 0x0A
    refused(card, "A501FFFFFF00", 4)
    assert card.send("3900") == "000000" and card.send("3902") == "000000"
    refused(card, "3903", 0)
    assert card.send("3E00") == "BD"
    assert facing("ntag213").send("3E00") is None


def test_old_chip_is_silent_at_new_commands_and_no_longer_selected():
    card = facing("ul11", is_basic=True)
    assert card.send("60") is None and card.card.state == IDLE
    card.select()
    assert card.send("3000") and card.send("E050") is None


def test_command_lost_in_noise_ends_the_selection():
    card = facing()
    card.card.faults.at(1, NOT_HEARD)
    assert card.send("3000") is None and card.card.state == IDLE


def test_damaged_command_is_refused():
    card = facing()
    assert card.raw(b"\x30\x00\x00\x00") == (b"\x01", 4) and card.card.state == IDLE


def test_message_is_held_as_a_tlv_or_refused_when_too_long():
    card = facing("ntag215")
    message = uri_message("https://besnik.example/c/7")
    card.card.hold(message)
    assert hexed(message[:5]) == "D101" + "%02X" % (len(message) - 4) + "5504"
    assert card.send("3004")[:14] == "03%02X" % len(message) + hexed(message[:5])
    long = uri_message("https://besnik.example/" + "a" * 300)
    card.card.hold(long)
    assert card.send("3004")[:16] == "03FF%04X" % len(long) + hexed(long[:4])
    try:
        facing("ul11").card.hold(long)
    except ValueError as error:
        assert "48" in str(error)
    else:
        raise AssertionError("it cannot hold that")
