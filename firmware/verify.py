# Is a manifest that was loaded signed, is it for this reader, and is there room for its files
# beside those in the slot? Loaded for that alone, after update.py and before it comes again.

import asyncio
import os
import sys
from hashlib import sha256

from micropython import const

_FORM = const("besnik-release 1")
_BOARD = const("esp32")
_PUBLIC = const("cert/release.pub")
_KEY_BYTES = const(384)
_DIGIT_BYTES = const(96)
_DIGIT_BITS = const(768)
_DIGITS = const(4)
_DIGIT_MOST = (1 << _DIGIT_BITS) - 1
# Of PKCS#1 v1.5, what stands before a SHA-256 (RFC 8017, 9.2).
_DIGEST_INFO = const(
    b"\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
)
_PAUSE_MS = const(5)
_BLOCK_BYTES = const(4096)
# Of the flash, for taps that wait.
_SPARE_BLOCKS = const(24)


# reader: reader.Reader. number: of the release that was ordered.
class Errand:
    def __init__(self, reader, number):
        self._number = number
        self._folder = "ba"[reader.board.stored("slot") & 1]

    def on_message(self, topic, payload):
        pass

    async def run(self):
        return ("update", (self._number, await self._objection()))

    # Why the release is refused (contract); empty when it may be loaded.
    async def _objection(self):
        draft = self._folder + "/manifest.new"
        if not await _is_signed(_digest(draft), self._folder + "/signature.new"):
            return "signature"
        why = _mismatch(draft, self._number)
        return why or ("" if _has_room(draft, self._folder) else "space")


# Whether a signature is that of a SHA-256. Numbers are lists of digits, the lowest first: after
# hours the heap may not have the 400 bytes of a whole one in one piece; of these it takes 200.
async def _is_signed(digest, path):
    power, modulus = _number(path), _number(_PUBLIC)
    if not modulus[-1] >> _DIGIT_BITS - 1 or power[::-1] >= modulus[::-1]:
        return False
    for _ in range(16):
        power = await _times(power, power, modulus)
    power = await _times(power, _number(path), modulus)
    known = _DIGEST_INFO + digest
    lowest = int.from_bytes(b"\xff" * (_DIGIT_BYTES - len(known)) + known, "big")
    return power == [lowest] + [_DIGIT_MOST] * (_DIGITS - 2) + [_DIGIT_MOST >> 15]


# a * b % modulus, whose highest bit is set: so the quotient of the highest digits is that of the
# numbers or a little more (Knuth, The Art of Computer Programming, 4.3.1).
async def _times(a, b, modulus):
    found = [0] * _DIGITS
    for digit in reversed(b):
        await asyncio.sleep_ms(_PAUSE_MS)
        found.insert(0, 0)
        _add(found, a, digit)
        _add(found, modulus, -(((found[-1] << _DIGIT_BITS) + found[-2]) // modulus[-1]))
        while found[-1] < 0:
            _add(found, modulus, 1)
        found.pop()
    return found


# total += number * factor. Of the total, which has one digit more, the highest has the sign.
def _add(total, number, factor):
    carry = 0
    for at, digit in enumerate(number):
        carry += total[at] + digit * factor
        total[at] = carry & _DIGIT_MOST
        carry >>= _DIGIT_BITS
    total[-1] += carry


# A file of a key's size as a number; 0 when it is none.
def _number(path):
    try:
        if os.stat(path)[6] == _KEY_BYTES:
            with open(path, "rb") as file:
                found = [int.from_bytes(file.read(_DIGIT_BYTES), "big") for _ in range(_DIGITS)]
                return found[::-1]
    except OSError:
        pass  # there is none
    return [0] * _DIGITS


# Why a signed manifest is not for this reader; empty when it is.
def _mismatch(path, number):
    mpy = sys.implementation._mpy
    with open(path) as file:
        for name, value in (
            ("besnik-release", "1"),
            ("number", str(number)),
            ("version", None),
            ("board", _BOARD),
            ("mpy", "%d.%d" % (mpy & 0xFF, mpy >> 8 & 3)),
        ):
            found = file.readline().strip().split(" ")
            if found[0] != name or (value and found[1:] != [value]):
                # A form that is not known was made for another application than this.
                return "mpy" if name in ("besnik-release", "version") else name
    return ""


# For all files of a release, less what was loaded of it before. Littlefs gives a file whole blocks.
def _has_room(manifest, folder):
    found = os.statvfs(".")
    room = found[0] * found[3] // _BLOCK_BYTES - _SPARE_BLOCKS
    with open(manifest) as file:
        for line in file:
            if line.startswith("file "):
                _, path, size, _ = line.split(" ")
                room -= int(size) // _BLOCK_BYTES + 1
                try:
                    size = os.stat(folder + "/" + path + ".new")[6]
                    room += size // _BLOCK_BYTES + 1
                except OSError:
                    pass  # it was not begun
    return room >= 0


# Of a file; empty when there is none.
def _digest(path):
    sum = sha256()
    try:
        with open(path, "rb") as file:
            while True:
                block = file.read(_DIGIT_BYTES)
                if not block:
                    return sum.digest()
                sum.update(block)
    except OSError:
        return b""
