# firmware/outbox.py on littlefs: the power goes at every single erase and program operation, before
# it and in the middle of it, while taps are stored and deleted.

from chips import OUTBOX, Chip, Recorder, fresh, mount
from firmware.outbox import Outbox
from flashchip import BLOCK

HEAP = "8M"
TIMEOUT_S = 60

MESSAGE = b'{"v":1,"id":"%s","k":"uid","d":"5B3C2A19","t":1795300000,"tq":2,"q":0}'


# The blocks that were erased.
def _erased(recorder):
    return {place for place, data in recorder.log if isinstance(place, int) and len(data) == BLOCK}


# Writes down, between the operations, what the outbox is asked and has promised.
class Till:
    def __init__(self, recorder, outbox):
        self._log = recorder.log
        self._outbox = outbox

    def put(self):
        tap_id = self._outbox.next_id()
        self._log.append(("put", tap_id))
        assert self._outbox.put(tap_id, MESSAGE % tap_id.encode())
        self._log.append(("is in", tap_id))

    def remove_oldest(self):
        tap_id = self._outbox.oldest()
        self._log.append(("remove", tap_id))
        assert self._outbox.remove(tap_id)
        self._log.append(("is out", tap_id))


# What the outbox has promised, and the tap it is at work on.
class Promises:
    def __init__(self, stored):
        self.stored = stored
        self.uncertain = set()

    def note(self, what, tap_id):
        if what == "remove":
            self.stored.remove(tap_id)
        self.uncertain = {tap_id} if what in ("put", "remove") else set()
        if what == "is in":
            self.stored.append(tap_id)

    # Starts a reader on what the flash then holds.
    def check(self, content):
        mount(Chip(content))
        outbox = Outbox(OUTBOX, 3)
        found = []
        while outbox.oldest(found):
            tap_id = outbox.oldest(found)
            message = outbox.message(tap_id)
            if message is None:
                assert tap_id in self.uncertain, "a stored tap is damaged"
                continue
            assert message == (MESSAGE % tap_id.encode()).replace(b'"q":0', b'"q":1')
            found.append(tap_id)
        assert [tap_id for tap_id in found if tap_id not in self.uncertain] == self.stored
        tap_id = outbox.next_id()
        assert outbox.put(tap_id, MESSAGE % tap_id.encode()) and outbox.message(tap_id)
        assert outbox.remove(tap_id)


# Cuts the power at every operation of the log; returns how many there were.
def _cut_everywhere(content, log, stored):
    promises = Promises(list(stored))
    content = bytearray(content)
    operations = 0
    for place, data in log:
        if isinstance(place, str):
            promises.note(place, data)
            continue
        operations += 1
        promises.check(content)
        half = len(data) // 2
        content[place : place + half] = data[:half]
        promises.check(content)
        content[place : place + len(data)] = data
    promises.check(content)
    return operations


def test_power_cut_at_every_operation_while_taps_come_and_go():
    content = fresh(24).content()
    recorder = mount(Recorder(content))
    till = Till(recorder, Outbox(OUTBOX, 2))
    # A log with taps in it is tidied up again and again; two more folders are made; all is drained.
    for _ in range(6):
        till.put()
    for _ in range(50):
        till.remove_oldest()
        till.put()
    for _ in range(14):
        till.put()
    for _ in range(20):
        till.remove_oldest()
    assert _cut_everywhere(content, recorder.log, []) > 200
    assert sum(len(data) == BLOCK for _, data in recorder.log) > 6


# littlefs moves a directory to other blocks after 100 erases.
def test_power_cut_at_every_operation_while_a_directory_moves():
    recorder = mount(Recorder(fresh(24).content()))
    outbox = Outbox(OUTBOX, 2)
    till = Till(recorder, outbox)
    till.put()
    for _ in range(200):
        till.put()
        till.remove_oldest()
    known = _erased(recorder)
    while _erased(recorder) <= known:
        recorder.log.clear()
        content, stored = recorder.content(), [outbox.oldest()]
        for _ in range(20):
            till.put()
            till.remove_oldest()
    assert _cut_everywhere(content, recorder.log, stored) > 60
