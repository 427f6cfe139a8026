# Loads a release beside the one in the slot that is not in use. Loaded when the host orders one
# (contract, "cmd/update"), and forgotten after it: first for the manifest, which verify.py checks,
# then for the files, which swap.py puts in their places.
#
# Nothing of either slot is touched: each file that differs waits under another name. So the reader
# has its way back until all of the release is there, and the power may go at any moment: what is
# there already is not loaded again when the host repeats its order.

import asyncio
import json
import os
import struct
from binascii import hexlify
from hashlib import sha256

from micropython import const

_PART_BYTES = const(256)  # contract; more in one piece the heap may not have
_SIGNATURE = const(-2)
_MANIFEST = const(-1)
_KEY_BYTES = const(384)
_MANIFEST_MOST = const(16384)
_ASK_MS = const(2000)
_ASKS = const(300)  # for ten minutes
_LOOK_MS = const(5)
_ENOSPC = const(28)


# The host is told why (contract).
class RefusedError(Exception):
    pass


# reader: reader.Reader. payload: the order, JSON; or the number of a release and what verify.py
# says against it, empty when it may be loaded.
class Errand:
    def __init__(self, reader, payload):
        self._reader = reader
        self._topic = reader.topic + "update/"
        self._payload = payload
        self._number = 0
        self._head = b""
        self._part = None
        self._reply = None
        self._slot = 1 - (reader.board.stored("slot") & 1)

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
        try:
            if type(self._payload) is tuple:
                self._number, why = self._payload
                if why:
                    raise RefusedError(why)
                await self._load()
                return ("swap", self._number)
            if await self._is_wanted(json.loads(self._payload)):
                await self._take_manifest()
                return ("verify", self._number)
        except RefusedError as error:
            await self._say("refused", error.args[0])
        except OSError as error:
            await self._say("refused", "space" if error.errno == _ENOSPC else "hash")
        return ("quiet", None)

    async def _say(self, step, why="", number=0, percent=0):
        text = '{"n":%d,"s":"%s","why":"%s","p":%d}'
        text %= (number or self._number, step, why, percent)
        await self._reader.link.publish(self._topic + "state", text)

    async def _is_wanted(self, order):
        board, clock = self._reader.board, self._reader.clock
        self._number = order["n"]
        if _number_in("ba"[self._slot]) == self._number:
            await self._say("kept")
            return False
        if clock.quality and clock.unix_s() > order["x"]:
            raise RefusedError("expired")
        if board.stored("trial"):
            raise RefusedError("busy")
        if self._number < board.stored("slot") >> 4:
            raise RefusedError("number")
        return not order.get("ok")

    # Puts the manifest and its signature on flash, as they come.
    async def _take_manifest(self):
        await self._say("loading")
        folder = "ab"[self._slot]
        _make(folder + "/")
        await self._fetch(_SIGNATURE, folder + "/signature.new", _KEY_BYTES)
        await self._fetch(_MANIFEST, folder + "/manifest.new", _MANIFEST_MOST)

    async def _load(self):
        folder = "ab"[self._slot]
        total = sum([file[1] for file in _files(folder)])
        loaded = said = 0
        for index, (path, size, digest) in enumerate(_files(folder)):
            await self._take(index, folder + "/" + path, size, digest)
            loaded += size
            if loaded * 10 // total > said:
                said = loaded * 10 // total
                await self._say("loading", "", 0, said * 10)

    # One file, unless it is there.
    async def _take(self, index, path, size, digest):
        await asyncio.sleep_ms(_LOOK_MS)
        draft = path + ".new"
        if _digest(path) == digest:
            _remove(draft)
            return
        if _digest(draft) == digest:
            return
        _make(path)
        if await self._fetch(index, draft, size) != size:
            raise RefusedError("truncated")
        if _digest(draft) != digest:
            raise RefusedError("hash")

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


# Of each file of the release for a slot its path, its size and its SHA-256 in hex.
def _files(folder):
    with open(folder + "/manifest.new") as file:
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


# Of a file, in hex; empty when there is none.
def _digest(path):
    sum = sha256()
    try:
        with open(path, "rb") as file:
            while True:
                block = file.read(_PART_BYTES)
                if not block:
                    return hexlify(sum.digest())
                sum.update(block)
    except OSError:
        return b""


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # there is none


# Makes the folders a path goes through.
def _make(path):
    for end, character in enumerate(path):
        if character == "/":
            try:
                os.mkdir(path[:end])
            except OSError:
                pass  # it is there; if not, the file in it cannot be written
