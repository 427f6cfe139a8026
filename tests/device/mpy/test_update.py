# firmware/update.py, verify.py, trial.py and boot.py on littlefs: the power goes at every single
# erase and program operation, before it and in the middle of it, and at every number kept in NVS,
# from the order of a release until it is kept, or given up. What starts is always a whole slot.

import asyncio
import gc
import json
import os
import sys
from binascii import hexlify
from hashlib import sha256

import esp32
import machine
from chips import PLACE, Chip, Recorder, fresh, mount
from firmware import board, quiet, swap, trial, update, verify
from releases import MODULUS, PUBLIC, Line, Reader, manifest, pieces, signature

HEAP = "16M"
TIMEOUT_S = 100

_ROOT = board.__file__[: -len("firmware/board.py")]
_MODULES = {"update": update, "verify": verify, "swap": swap}
OLD = {"main.py": b"print('old')" * 20, "firmware/app.mpy": b"old " * 300, "lib/a.mpy": b"o" * 100}
NEW = {
    "main.py": b"print('new')" * 20,
    "firmware/app.mpy": b"new " * 400,
    "firmware/more.mpy": b"more" * 128,
    "lib/a.mpy": b"n" * 100,
}
_OFFERED = pieces(7, NEW)
ORDER = b'{"id":"r","n":7,"x":4000000000}'
_RESUMED = 10


# Writes down what it holds, between the operations of the chip.
class _RecordedNVS(esp32.NVS):
    chip = None

    def commit(self):
        super().commit()
        if _RecordedNVS.chip:
            _RecordedNVS.chip.log.append(("nvs", json.dumps(esp32._volatile)))


def _remember(**numbers):
    esp32._volatile.clear()
    esp32._volatile["besnik"] = {"i:" + name: number for name, number in numbers.items()}


def _kept(name):
    return esp32._volatile["besnik"].get("i:" + name, 0)


def _write(path, data):
    for end, character in enumerate(path):
        if character == "/" and end:
            try:
                os.mkdir(path[:end])
            except OSError:
                pass
    with open(path, "wb") as file:
        file.write(data)


# A chip whose slot a has release 6, which is in use, and b another one, number 5, of more files.
def _reader():
    chip = fresh(96)
    os.chdir(PLACE)
    for slot, number in (("a", 6), ("b", 5)):
        for path, data in OLD.items():
            _write(slot + "/" + path, data)
        _write(slot + "/manifest", manifest(number, OLD))
    for number in range(12):
        _write("b/lib/old%d.mpy" % number, b"old")
    _write("cert/release.pub", PUBLIC)
    _remember(slot=6 << 4)
    return chip.content()


# Runs boot.py; returns the slot it chooses.
def _boot():
    before = sys.path[:]
    try:
        with open(_ROOT + "boot.py") as file:
            exec(file.read(), {"__name__": "__main__"})
        return sys.path[0] if sys.path != before else None
    finally:
        sys.path[:] = before


# An order is carried out as reader.Reader does it. Returns what was said last, and whether the
# reader starts anew.
def _carry_out(order, offered=None, line=None):
    line = line or Line(offered or _OFFERED)
    reader = Reader(line, board.Clock(), board)

    async def run():
        todo = ("update", order)
        while todo and todo[0] in _MODULES:
            reader.errand = _MODULES[todo[0]].Errand(reader, todo[1])
            todo = await reader.errand.run()

    asyncio.new_event_loop()
    asyncio.run(run())
    return line.said[-1], reader.is_leaving


class _Part:
    is_up = True
    latency_ms = 20


# A release on trial, in a reader that lacks nothing.
def _try():
    reader = Reader(Line({}), board.Clock(), board)
    reader.presence = reader.taps = _Part()
    asyncio.new_event_loop()
    asyncio.run(trial.Errand(reader, None).run())


def _assert_whole(slot):
    with open(slot + "/manifest") as file:
        for line in file:
            if line.startswith("file "):
                _, path, size, digest = line.split()
                with open(slot + "/" + path, "rb") as data:
                    content = data.read()
                assert len(content) == int(size), path
                assert hexlify(sha256(content).digest()).decode() == digest, path


# Starts the reader on what chip and NVS hold, as often as it wants to start anew.
def _check(content, kept):
    esp32._volatile.clear()
    esp32._volatile.update(json.loads(kept))
    mount(Chip(content))
    os.chdir(PLACE)
    slots = []
    for _ in range(2):
        slots.append(_boot())
        assert slots[-1] in ("a", "b"), slots
    for slot in ("a", "b"):
        if "main.py" in os.listdir(slot):
            _assert_whole(slot)
    return slots


# Cuts the power everywhere in the log; returns how often, and the slots that ran then.
def _cut_everywhere(content, log, kept):
    content = bytearray(content)
    cuts, ran = 0, set()
    for place, data in log:
        if place == "nvs":
            kept = data
        else:
            ran.add(tuple(_check(content, kept)))
            half = len(data) // 2
            content[place : place + half] = data[:half]
            ran.add(tuple(_check(content, kept)))
            if cuts % _RESUMED == 0:
                _assert_goes_on(content, kept)
            content[place + half : place + len(data)] = data[half:]
            cuts += 2
        ran.add(tuple(_check(content, kept)))
    return cuts, ran


# Ordered again after a cut, the release is loaded.
def _assert_goes_on(content, kept):
    if _check(content, kept)[-1] == "b":
        return
    said, is_leaving = _carry_out(ORDER)
    assert said["s"] == "ready" and is_leaving, said
    assert _boot() == "b"
    _assert_whole("b")


def _recorded(content):
    chip = _RecordedNVS.chip = mount(Recorder(content))
    os.chdir(PLACE)
    esp32.NVS = _RecordedNVS
    return chip


def _stop_recording():
    _RecordedNVS.chip = None


def test_power_cut_everywhere_from_the_order_until_the_release_is_kept():
    content = _reader()
    before = json.dumps(esp32._volatile)
    chip = _recorded(content)
    said, is_leaving = _carry_out(ORDER)
    gc.collect()
    assert said == {"n": 7, "s": "ready", "why": "", "p": 100} and is_leaving, said
    loaded = len(chip.log)
    assert _boot() == "b"
    _try()
    assert _kept("slot") == 7 << 4 | 1
    _stop_recording()
    cuts, ran = _cut_everywhere(content, chip.log, before)
    assert loaded > 60 and cuts > 120, (loaded, cuts)
    assert ran == {("a", "a"), ("b", "b")}, ran


def test_power_cut_everywhere_while_a_release_is_given_up():
    chip = mount(Chip(_reader()))
    os.chdir(PLACE)
    _carry_out(ORDER)
    assert _boot() == "b"
    content, kept = chip.content(), json.dumps(esp32._volatile)
    chip = _recorded(content)
    machine._cause = machine.HARD_RESET
    assert _boot() == "a"
    machine._cause = machine.PWRON_RESET
    assert _kept("back") == 7 and not _kept("trial")
    _stop_recording()
    _, ran = _cut_everywhere(content, chip.log, kept)
    # Until it is given up, a power cut is nothing against it.
    assert ran == {("b", "b"), ("a", "a")}, ran


# A reader whose customers and taps are what the test says.
class _Counter:
    def __init__(self, cards, taps):
        self.uid = None
        self._cards, self._taps = cards, taps
        self.passed_ms = 0
        self.is_leaving = False
        self.presence = self.outbox = self

    def __len__(self):
        return self._taps.pop(0) if self._taps else 0

    # In place of asyncio's.
    async def sleep_ms(self, pause_ms):
        self.passed_ms += pause_ms
        self.uid = self._cards.pop(0) if self._cards else None


def _rests(counter, order=None):
    quiet.asyncio = counter
    errand = quiet.Errand(counter, None)
    if order:
        errand.on_message(*order)
    asyncio.new_event_loop()
    todo = asyncio.run(errand.run())
    quiet.asyncio = asyncio
    return todo


def test_a_reader_starts_anew_after_a_minute_without_cards_and_taps():
    for cards, taps, seconds in (([], [], 60), ([None, b"card"], [], 60.2), ([], [0, 2, 1], 60.3)):
        counter = _Counter(cards, taps)
        assert _rests(counter) is None
        assert counter.is_leaving and counter.passed_ms == seconds * 1000, counter.passed_ms


def test_what_the_host_orders_comes_before_the_new_start():
    for name in ("update", "doctor"):
        counter = _Counter([], [])
        order = b"besnik/v1/corner/counter-1/cmd/" + name.encode(), b"{}"
        assert _rests(counter, order) == (name, b"{}")
        assert not counter.is_leaving


# Why this is refused; what is offered is given as its manifest, signed, or as its pieces.
def _refusal(offered):
    if isinstance(offered, bytes):
        offered = {-2: signature(offered), -1: offered}
    said, is_leaving = _carry_out(ORDER, offered)
    assert said["s"] == "refused" and not is_leaving and not _kept("trial"), said
    return said["why"]


def test_what_is_signed_but_is_not_for_this_reader_is_refused():
    mount(Chip(_reader()))
    os.chdir(PLACE)
    form = b"besnik-release "
    for text, why in (
        (manifest(7, NEW, "board rp2\nmpy 6.3\n"), "board"),
        (manifest(7, NEW, "board esp32\nmpy 5.0\n"), "mpy"),
        (manifest(8, NEW), "number"),
        (manifest(7, NEW).replace(form + b"1", form + b"2"), "mpy"),
    ):
        assert _refusal(text) == why, why
        _assert_way_back()
    assert _refusal(manifest(7, {"lib/a.mpy": bytes(200000)})) == "space"
    _assert_way_back()


def test_what_did_not_arrive_as_it_was_signed_leaves_the_release_before():
    mount(Chip(_reader()))
    os.chdir(PLACE)
    for data, why in ((NEW["lib/a.mpy"][:-1], "truncated"), (bytes(100), "hash")):
        assert _refusal(_spoilt(data)) == why
        _assert_way_back()
    said, is_leaving = _carry_out(ORDER)
    assert said["s"] == "ready" and is_leaving
    assert _boot() == "b"
    _assert_whole("b")
    assert sorted(os.listdir("b")) == ["firmware", "lib", "main.py", "manifest"]
    assert sorted(os.listdir("b/lib")) == ["a.mpy"]


def test_a_file_that_does_not_differ_is_not_loaded_and_neither_is_an_old_draft_of_it_used():
    mount(Chip(_reader()))
    os.chdir(PLACE)
    files = dict(NEW)
    files["lib/a.mpy"] = OLD["lib/a.mpy"]
    _write("b/lib/a.mpy.new", b"of a release that was refused")
    line = Line(pieces(7, files))
    said, _ = _carry_out(ORDER, line=line)
    assert said["s"] == "ready", said
    assert sorted(files).index("lib/a.mpy") not in line.asked
    assert _boot() == "b"
    _assert_whole("b")
    with open("b/lib/a.mpy", "rb") as file:
        assert file.read() == OLD["lib/a.mpy"]


# The release that was in the other slot is there and whole.
def _assert_way_back():
    assert update._number_in("b") == 5
    assert "main.py" in os.listdir("b")
    _assert_whole("b")


# What is offered, with other data for lib/a.mpy.
def _spoilt(data):
    offered = dict(_OFFERED)
    offered[sorted(NEW).index("lib/a.mpy")] = data
    return offered


def test_nothing_but_a_signature_by_the_key_is_one():
    mount(Chip(_reader()))
    os.chdir(PLACE)
    text, signed = _OFFERED[-1], _OFFERED[-2]
    number = int.from_bytes(signed, "big")
    # The same number modulo the key's, which a sloppy reader would take for it.
    same = (number + MODULUS).to_bytes(384, "big")
    for wrong in (b"", signed[:-1], bytes(384), PUBLIC, same, signature(b"another")):
        assert _refusal({-2: wrong, -1: text}) == "signature"
    assert _refusal({-2: signed, -1: text + b"\n"}) == "signature"
    for key in (b"", PUBLIC[:-1], bytes(384)):
        _write("cert/release.pub", key)
        assert _refusal({-2: signed, -1: text}) == "signature"
    os.remove("cert/release.pub")
    assert _refusal({-2: signed, -1: text}) == "signature"
    assert "main.py" in os.listdir("b")
