# firmware/outbox.py: taps on flash until they are answered, over restarts.

import json
import os

from firmware.outbox import Outbox

MESSAGE = b'{"v":1,"id":"%s","k":"uid","d":"5B3C2A19","t":1795300000,"tq":2,"q":0}'


def _empty(name):
    try:
        for file in os.listdir(name):
            os.remove(name + "/" + file)
    except OSError:
        pass
    return name


def _put(outbox):
    tap_id = outbox.next_id()
    assert outbox.put(tap_id, MESSAGE % tap_id.encode())
    return tap_id


def test_ids_are_boot_and_sequence():
    outbox = Outbox(_empty("o1"), 42)
    assert [outbox.next_id(), outbox.next_id()] == ["00042-000001", "00042-000002"]


def test_what_was_stored_is_there_after_a_restart_oldest_first():
    outbox = Outbox(_empty("o2"), 7)
    first, second = _put(outbox), _put(outbox)
    again = Outbox("o2", 8)
    third = _put(again)
    assert len(again) == 3
    taken = []
    while again.oldest():
        taken.append(again.oldest())
        assert again.remove(taken[-1])
    assert taken == [first, second, third]
    assert len(Outbox("o2", 9)) == 0


def test_a_resent_message_says_that_it_waited():
    outbox = Outbox(_empty("o3"), 1)
    tap_id = _put(outbox)
    message = outbox.message(tap_id)
    assert json.loads(message)["q"] == 1 and json.loads(message)["id"] == tap_id
    assert len(message) <= 120 and b" " not in message


def test_full_outbox_keeps_the_oldest_and_counts_the_rest():
    outbox = Outbox(_empty("o4"), 1, cap=2)
    first = _put(outbox)
    _put(outbox)
    assert not outbox.put(outbox.next_id(), MESSAGE)
    assert outbox.dropped == 1 and outbox.oldest() == first


def test_damaged_file_is_counted_and_does_not_block_the_rest():
    outbox = Outbox(_empty("o5"), 1)
    first, second = _put(outbox), _put(outbox)
    with open("o5/%s.tap" % first, "w") as file:
        file.write('{"v":1,')
    assert outbox.message(first) is None
    assert outbox.dropped == 1 and outbox.oldest() == second


def test_the_tap_in_hand_is_passed_over():
    outbox = Outbox(_empty("o6"), 1)
    first, second = _put(outbox), _put(outbox)
    assert outbox.oldest((first,)) == second and outbox.oldest((first, second)) is None
    assert not outbox.remove("00009-000009")
