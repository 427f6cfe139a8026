# firmware/outbox.py: taps on flash until they are answered, over restarts.

import gc
import json
import os

from chips import OUTBOX, PLACE, files, fresh, mount
from firmware.outbox import Outbox

HEAP = "4M"

MESSAGE = b'{"v":1,"id":"%s","k":"uid","d":"5B3C2A19","t":1795300000,"tq":2,"q":0}'


def _put(outbox):
    tap_id = outbox.next_id()
    assert outbox.put(tap_id, MESSAGE % tap_id.encode())
    return tap_id


def _said(tap_id):
    return (MESSAGE % tap_id.encode()).replace(b'"q":0', b'"q":1')


# What an outbox gives when it is drained.
def _drained(outbox):
    taken = []
    while outbox.oldest():
        taken.append(outbox.oldest())
        if outbox.message(taken[-1]) is not None:
            assert outbox.remove(taken[-1])
    return taken


def test_ids_are_boot_and_sequence():
    fresh()
    outbox = Outbox(OUTBOX, 100042)
    boots, sequences = zip(*[outbox.next_id().split("-") for _ in range(3)])
    assert set(boots) == {"00042"} and [len(sequence) for sequence in sequences] == [6, 6, 6]
    first = int(sequences[0])
    assert [int(sequence) for sequence in sequences] == [first, first + 1, first + 2]


def test_a_boot_of_a_number_that_was_gives_other_ids():
    fresh()
    ids = [Outbox(OUTBOX, 7).next_id() for _ in range(5)]
    assert len(set(ids)) == 5 and all(tap_id[:6] == "00007-" for tap_id in ids)


def test_without_a_boot_counter_the_boot_is_drawn():
    fresh()
    assert len({Outbox(OUTBOX, 0).next_id()[:5] for _ in range(5)}) > 1


# Of boots that follow each other, and when the counter wraps around.
def test_what_was_stored_is_there_after_a_restart_oldest_first():
    for boots in ((7, 8, 9), (99998, 99999, 100000), (99999, 100000, 100001)):
        chip = fresh()
        stored = []
        for boot in boots:
            outbox = Outbox(OUTBOX, boot)
            assert len(outbox) == len(stored)
            stored += [_put(outbox) for _ in range(11)]
            mount(chip)
        assert _drained(Outbox(OUTBOX, boots[-1] + 1)) == stored
        assert files(OUTBOX) == [] and len(Outbox(OUTBOX, 1)) == 0


def test_a_resent_message_says_that_it_waited():
    fresh()
    outbox = Outbox(OUTBOX, 1)
    tap_id = _put(outbox)
    message = outbox.message(tap_id)
    assert json.loads(message)["q"] == 1 and json.loads(message)["id"] == tap_id
    assert message == _said(tap_id)


def test_full_outbox_keeps_the_oldest_and_counts_the_rest():
    fresh()
    outbox = Outbox(OUTBOX, 1, cap=2)
    first, second = _put(outbox), _put(outbox)
    assert not outbox.put(outbox.next_id(), MESSAGE) and not outbox.put(outbox.next_id(), MESSAGE)
    assert outbox.dropped == 2 and len(outbox) == 2
    outbox.remove(first)
    assert _drained(Outbox(OUTBOX, 2, cap=2)) == [second]
    assert outbox.put(outbox.next_id(), MESSAGE)


def test_a_file_damaged_anywhere_is_counted_and_never_a_tap():
    fresh()
    outbox = Outbox(OUTBOX, 1)
    damaged = _put(outbox)
    (path,) = files(OUTBOX)
    with open(path, "rb") as file:
        whole = file.read()
    broken = [whole[:length] for length in range(len(whole))] + [whole + b"\0", b"\xff" * 900]
    for at in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[at] ^= 1 << bit
            broken.append(flipped)
    for content in broken:
        with open(path, "wb") as file:
            file.write(content)
        again = Outbox(OUTBOX, 2)
        sound = _put(again)
        assert len(again) == 2 and again.oldest() == damaged
        assert again.message(damaged) is None and again.dropped == 1
        assert again.oldest() == sound and again.message(sound) == _said(sound)
        assert again.remove(sound) and files(OUTBOX) == []


def test_a_tap_under_another_ones_name_is_damaged():
    fresh()
    outbox = Outbox(OUTBOX, 1)
    first, second = _put(outbox), _put(outbox)
    one, other = files(OUTBOX)
    os.remove(one)
    os.rename(other, one)
    assert outbox.message(first) is None and outbox.dropped == 1
    assert outbox.message(second) is None and outbox.dropped == 2
    assert outbox.oldest() is None


def test_what_is_no_tap_is_left_alone():
    fresh()
    outbox = Outbox(OUTBOX, 1)
    tap_id = _put(outbox)
    foreign = ("x", "00001-000001.tap", "00001_000001", "0001-0000001", "00001- 00001", "00001-")
    folder = files(OUTBOX)[0].rsplit("/", 1)[0]
    for name in foreign:
        for place in (folder, OUTBOX):
            with open(place + "/" + name, "wb") as file:
                file.write(MESSAGE)
    again = Outbox(OUTBOX, 2)
    assert len(again) == 1 and _drained(again) == [tap_id] and again.dropped == 0
    assert len(files(OUTBOX)) == 2 * len(foreign)


def test_the_tap_in_hand_is_passed_over():
    fresh()
    outbox = Outbox(OUTBOX, 1)
    first, second = _put(outbox), _put(outbox)
    assert outbox.oldest((first,)) == second and outbox.oldest((first, second)) is None


def test_an_answer_to_nothing_is_no_harm():
    fresh()
    outbox = Outbox(OUTBOX, 1)
    _put(outbox)
    for odd in ("00009-000009", "", "x", None, 5, 1.5, [1], {"id": 1}, True, "9" * 400):
        assert not outbox.remove(odd)
    assert len(outbox) == 1


# littlefs takes what it could not read for read until it reads elsewhere, so that the tap after it
# may be unreadable too.
def test_a_tap_that_cannot_be_read_is_passed_over_and_comes_again_after_a_restart():
    chip = fresh()
    outbox = Outbox(OUTBOX, 1)
    stored = [_put(outbox) for _ in range(5)]
    chip.is_readable = False
    assert outbox.message(stored[0]) is None and outbox.dropped == 1
    chip.is_readable = True
    rest = _drained(outbox)
    assert rest == stored[1:] and outbox.dropped <= 2
    mount(chip)
    assert _drained(Outbox(OUTBOX, 2)) == stored[: outbox.dropped]


def test_a_flash_that_cannot_be_written_costs_no_tap_that_was_stored():
    chip = fresh()
    outbox = Outbox(OUTBOX, 1)
    stored = [_put(outbox) for _ in range(9)]
    chip.is_writable = False
    for _ in range(3):
        assert not outbox.put(outbox.next_id(), MESSAGE)
    assert outbox.dropped == 3 and len(outbox) == 9
    # Answered, but it stays on the flash: after a restart it is sent and answered once more.
    assert outbox.remove(stored[0]) and outbox.oldest() == stored[1]
    chip.is_writable = True
    mount(chip)
    assert _drained(Outbox(OUTBOX, 2)) == stored


# 6 blocks are left for taps: some folders with 8 each.
def test_on_a_full_flash_no_tap_is_promised_and_none_is_lost():
    chip = fresh(16)
    outbox = Outbox(OUTBOX, 1)
    stored = []
    while outbox.dropped < 5:
        tap_id = outbox.next_id()
        if outbox.put(tap_id, MESSAGE % tap_id.encode()):
            stored.append(tap_id)
    assert 8 < len(stored) == len(outbox)
    mount(chip)
    again = Outbox(OUTBOX, 2)
    assert len(again) == len(stored)
    assert again.remove(stored[0])
    assert all(again.message(tap_id) == _said(tap_id) for tap_id in stored[1:])
    assert again.dropped == 0
    _put(again)


def test_a_folder_that_cannot_be_made_costs_only_the_taps_of_that_time():
    fresh()
    with open(OUTBOX, "w") as file:
        file.write("in the way")
    outbox = Outbox(OUTBOX, 1)
    assert not outbox.put(outbox.next_id(), MESSAGE) and outbox.dropped == 1 and len(outbox) == 0
    os.remove(OUTBOX)
    tap_id = _put(outbox)
    assert outbox.message(tap_id) == _said(tap_id)


def test_more_than_256_taps_wait_in_the_last_folder():
    chip = fresh(96)
    outbox = Outbox(OUTBOX, 1, cap=300)
    stored = [_put(outbox) for _ in range(300)]
    mount(chip)
    assert _drained(Outbox(OUTBOX, 2, cap=300)) == stored


def test_a_full_outbox_is_small_in_memory_and_an_empty_one_takes_it_all_back():
    chip = fresh(96)
    outbox = Outbox(OUTBOX, 1)
    outbox.remove(_put(outbox))
    empty = _live()
    for _ in range(256):
        _put(outbox)
    # Eight bytes a tap.
    assert _live() - empty < 2400
    assert len(_drained(outbox)) == 256
    assert _live() - empty < 200
    assert chip.erases


def test_ten_thousand_taps_leave_the_heap_as_it_was():
    fresh()
    outbox = Outbox(OUTBOX, 1)
    outbox.remove(_put(outbox))
    before = _live()
    for _ in range(10000):
        outbox.remove(_put(outbox))
    assert _live() <= before and len(outbox) == 0 and outbox.dropped == 0
    assert files(PLACE) == []


def _live():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()
