# Loads a release into the slot that is not in use, checks it, and leaves it to boot.py to be tried.
# Loaded when the host orders one (contract, "cmd/update"), and forgotten after it.
#
# Nothing of the slot in use is touched. The manifest is signed and names every file with its
# SHA-256; until the signature is checked, nothing of the other slot is touched either. Each file
# waits under another name until it is whole, and main.py, without which a slot is none, is the
# last. So the power may go at any moment: what is there already is not loaded again when the host
# repeats its order.

import asyncio
import json
import os
import struct
import sys
from binascii import hexlify
from hashlib import sha256

from micropython import const

_FORM = const("besnik-release 1")
_BOARD = const("esp32")
_PUBLIC = const("cert/release.pub")
_PART_BYTES = const(512)
_SIGNATURE = const(-2)
_MANIFEST = const(-1)
_KEY_BYTES = const(384)
# Of PKCS#1 v1.5, what stands before a SHA-256 (RFC 8017, 9.2).
_DIGEST_INFO = const(
    b"\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
)
_MANIFEST_MOST = const(16384)
_ENOSPC = const(28)
_BLOCK_BYTES = const(4096)
_ASK_MS = const(2000)
_ASKS = const(300)  # for ten minutes
_LOOK_MS = const(5)
# Of the flash, for taps that wait.
_SPARE_BLOCKS = const(24)


# The host is told why (contract).
class RefusedError(Exception):
    pass


# One order. reader: reader.Reader. payload: the order, JSON.
class Errand:
    def __init__(self, reader, payload):
        self._reader = reader
        self._topic = reader.topic + "update/"
        self._payload = payload
        self._number = 0
        self._head = b""
        self._part = None
        self._reply = None

    # A part that was asked for, or another order.
    def on_message(self, topic, payload):
        if topic.endswith(b"/update/part"):
            if payload[:10] == self._head:
                self._part = payload
        elif topic.endswith(b"/cmd/update"):
            self._reply = asyncio.create_task(self._answer(payload))

    # The same order may come again; for another there is no room now.
    async def _answer(self, payload):
        number = json.loads(payload)["n"]
        if number == self._number:
            await self._say("loading")
        else:
            await self._say("refused", "busy", number)

    async def run(self):
        order = json.loads(self._payload)
        self._number = order["n"]
        try:
            if _number_in("ab"[self._slot() & 1]) == self._number:
                await self._say("kept")
            elif not order.get("ok"):
                self._check(order)
                await self._load()
        except RefusedError as error:
            await self._say("refused", error.args[0])
        except OSError as error:
            await self._say("refused", "space" if error.errno == _ENOSPC else "hash")

    async def _say(self, step, why="", number=0, percent=0):
        text = '{"n":%d,"s":"%s","why":"%s","p":%d}'
        text %= (number or self._number, step, why, percent)
        await self._reader.link.publish(self._topic + "state", text)

    # What boot.py keeps about the slots.
    def _slot(self):
        return self._reader.board.stored("slot")

    def _check(self, order):
        clock = self._reader.clock
        if clock.quality and clock.unix_s() > order["x"]:
            raise RefusedError("expired")
        if self._reader.board.stored("trial"):
            raise RefusedError("busy")
        if self._number < self._slot() >> 4:
            raise RefusedError("number")

    async def _load(self):
        slot = 1 - (self._slot() & 1)
        folder = "ab"[slot]
        await self._say("loading")
        await self._take_manifest(folder)
        total = sum(file[1] for file in _files(folder))
        loaded = said = 0
        for index, (path, size, digest) in enumerate(_files(folder)):
            await self._take(index, folder, path, size, digest)
            loaded += size
            if loaded * 10 // total > said:
                said = loaded * 10 // total
                await self._say("loading", percent=said * 10)
        await self._say("ready", percent=100)
        self._reader.board.store("trial", self._number << 1 | slot)
        self._reader.is_leaving = True

    # The manifest, checked, is in the folder, and nothing else but what belongs to it.
    async def _take_manifest(self, folder):
        signature = bytes(await self._ask(_SIGNATURE, 0))
        _make(folder + "/")
        draft = folder + "/manifest.new"
        await self._fetch(_MANIFEST, draft, _MANIFEST_MOST)
        digest = _digest(draft)
        if not await _is_signed(digest, signature):
            raise RefusedError("signature")
        _check_head(draft, self._number)
        if _digest(folder + "/manifest") != digest:
            _remove(folder + "/main.py")
            _wipe(folder)
            _check_room(_files(folder, "/manifest.new"))
            os.rename(draft, folder + "/manifest")

    # One file, unless it is there.
    async def _take(self, index, folder, path, size, digest):
        target = folder + "/" + path
        if hexlify(_digest(target)) == digest:
            return
        _make(target)
        draft = target + ".new"
        if await self._fetch(index, draft, size) != size:
            raise RefusedError("truncated")
        if hexlify(_digest(draft)) != digest:
            raise RefusedError("hash")
        os.rename(draft, target)

    # Writes a file of at most so many bytes; returns how many there were.
    async def _fetch(self, index, path, most):
        offset = 0
        with open(path, "wb") as file:
            while offset <= most:
                part = await self._ask(index, offset)
                file.write(part)
                offset += len(part)
                if len(part) < _PART_BYTES:
                    break
        return offset

    # The part of that file from that offset, as often as it has to be asked for.
    async def _ask(self, index, offset):
        self._part = None
        self._head = struct.pack(">IhI", self._number, index, offset)
        text = '{"n":%d,"f":%d,"o":%d}' % (self._number, index, offset)
        for _ in range(_ASKS):
            await self._reader.link.publish(self._topic + "get", text, qos=0)
            for _ in range(_ASK_MS // _LOOK_MS):
                await asyncio.sleep_ms(_LOOK_MS)
                if self._part:
                    return memoryview(self._part)[10:]
        raise RefusedError("truncated")


# Of each file of a release its path, its size and its SHA-256 in hex.
def _files(folder, name="/manifest"):
    with open(folder + name) as file:
        for line in file:
            if line.startswith("file "):
                _, path, size, digest = line.split()
                yield path, int(size), digest.encode()


# The number of the release in a slot; 0 for one that was flashed.
def _number_in(folder):
    try:
        with open(folder + "/manifest") as file:
            file.readline()
            return int(file.readline().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


# Whether a signed manifest is for this reader.
def _check_head(path, number):
    mpy = sys.implementation._mpy
    with open(path) as file:
        if file.readline().strip() != _FORM:
            raise RefusedError("mpy")
        for line in file:
            name, _, value = line.strip().partition(" ")
            if name == "number" and int(value) != number:
                raise RefusedError("number")
            if name == "board" and value != _BOARD:
                raise RefusedError("board")
            if name == "mpy" and value != "%d.%d" % (mpy & 0xFF, mpy >> 8 & 3):
                raise RefusedError("mpy")


# Whether a signature is that of a SHA-256. s ** 65537 % n takes a second on an ESP32: in steps.
async def _is_signed(digest, signature):
    try:
        with open(_PUBLIC, "rb") as file:
            public = file.read()
    except OSError:
        return False
    modulus = int.from_bytes(public, "big")
    base = power = int.from_bytes(signature, "big")
    if len(signature) != _KEY_BYTES or len(public) != _KEY_BYTES or base >= modulus:
        return False
    for _ in range(16):
        power = power * power % modulus
        await asyncio.sleep_ms(_LOOK_MS)
    power = power * base % modulus
    padding = b"\xff" * (_KEY_BYTES - 2 - len(_DIGEST_INFO) - len(digest))
    return power.to_bytes(_KEY_BYTES, "big") == b"\x00\x01" + padding + _DIGEST_INFO + digest


# Littlefs gives a file whole blocks.
def _check_room(files):
    found = os.statvfs(".")
    room = found[0] * found[3] // _BLOCK_BYTES - _SPARE_BLOCKS
    if sum(size // _BLOCK_BYTES + 1 for _, size, _ in files) > room:
        raise RefusedError("space")


# Of a file, empty when there is none.
def _digest(path):
    sum = sha256()
    try:
        with open(path, "rb") as file:
            while True:
                block = file.read(_PART_BYTES)
                if not block:
                    return sum.digest()
                sum.update(block)
    except OSError:
        return b""


# Makes the folders a path goes through.
def _make(path):
    for end, character in enumerate(path):
        if character == "/":
            try:
                os.mkdir(path[:end])
            except OSError:
                pass  # it is there; if not, the file in it cannot be written


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it is not there


# Empties a folder of all but the draft. One at a time: what is listed must not change meanwhile.
def _wipe(folder):
    while True:
        for entry in os.ilistdir(folder):
            if entry[0] != "manifest.new":
                break
        else:
            return
        path = folder + "/" + entry[0]
        if entry[1] == 0x4000:
            _wipe(path)
            os.rmdir(path)
        else:
            os.remove(path)
