# Taps on flash until the host has answered them. One small file for each tap: littlefs keeps a file
# of 128 bytes inside its directory, which costs a tenth of the erases of a log. Such a file is
# empty or whole after a power cut, so nothing is renamed and no temporary file is ever left.
#
# A file is the message (at most 120 bytes) and its CRC-32 (4), in which the id has its part: a file
# that was cut off, altered or put under another id is noticed and never becomes a tap. In the
# file's name the checksum would have to be kept in memory, or be looked up.
#
# Taps wait in sub-folders of 8; the first with room takes the next. littlefs tidies a directory up
# when its block is full, in time that grows with the square of its files: 500 reads of the flash
# for none, 18,000, half a second, for some dozens (tests/bench/flash.py).
#
# An id is boot counter and sequence. The host takes a tap whose id it knows for a copy: an id that
# comes again is a tap lost. So the sequence begins anywhere: when the boot counter begins anew
# (chip erased, board replaced) or stands still, two boots of the same number hardly ever share an
# id. Without a boot counter, 0, the boot is drawn as well.

import os
import random
from array import array
from binascii import crc32

from micropython import const

_FOLDERS = const(32)  # the last one takes what the others have no room for
_FOLDER_BITS = const(5)
_FOLDER_CAP = const(8)
_BOOTS = const(100000)
_SEQUENCES = const(1000000)
_IDS = const(100000000000)
# Ids go round, as the boot counter does: the oldest is so far ahead of this boot's first.
_AHEAD = const(1000000000)
# The longest tap (contract: 160 characters of evidence, some 80 around them) and its CRC. What is
# read is asked of the heap in one piece, and after hours off line there may be none of 1,024.
_LONGEST = const(256)


# The outbox in one folder. boot: this run's boot counter. cap: how many taps it holds; the oldest
# are kept. dropped counts the taps it had no room for and those that were damaged or unreadable.
class Outbox:
    def __init__(self, folder, boot, cap=256):
        self._folder = folder
        self._cap = cap
        self.dropped = 0
        boot = (boot or random.getrandbits(16)) % _BOOTS
        # A key is an id as a number, counted from here: older taps have smaller keys.
        self._origin = boot * _SEQUENCES + random.randrange(_SEQUENCES) + _AHEAD
        self._next = _IDS - _AHEAD
        found = []
        for number in range(_FOLDERS):
            try:
                names = os.listdir("%s/%d" % (folder, number))
            except OSError:
                continue  # not made yet
            keys = map(self._key, names)
            found += [key << _FOLDER_BITS | number for key in keys if key is not None]
        # Of each tap that waits, its key and its folder in one number; oldest first.
        self._held = array("Q", sorted(found))

    def __len__(self):
        return len(self._held)

    # An id for the next tap, which no waiting tap has.
    def next_id(self):
        while True:
            tap_id = self._id(self._next)
            self._next += 1
            if not self._find(tap_id):
                return tap_id

    # Stores a tap's message, JSON that ends with "q":0. False when there is no room for it, on the
    # flash or in memory: the tap is counted as dropped.
    def put(self, tap_id, message):
        if len(self) < self._cap:
            try:
                self._write(tap_id, message)
                return True
            except (OSError, MemoryError):
                self.remove(tap_id)
        self.dropped += 1
        return False

    # Forgets a tap the host has answered. False when it is not here.
    def remove(self, tap_id):
        path = self._find(tap_id, True)
        try:
            if path:
                os.remove(path)
        except OSError:
            pass  # answered anyway; at worst it is sent and answered once more
        return bool(path)

    # The id of the oldest tap not in the given ids, or None.
    def oldest(self, besides=()):
        for held in self._held:
            tap_id = self._id(held >> _FOLDER_BITS)
            if tap_id not in besides:
                return tap_id
        return None

    # The stored message with q set to 1. None when it is damaged, which removes it, or cannot be
    # read, which leaves it to another try after a restart.
    def message(self, tap_id):
        try:
            with open(self._find(tap_id), "rb") as file:
                data = file.read(_LONGEST)
            if data == _sealed(tap_id, data[:-4]):
                return data[:-4].replace(b'"q":0}', b'"q":1}')
            self.remove(tap_id)
        except OSError:
            self._find(tap_id, True)
        self.dropped += 1
        return None

    def _write(self, tap_id, message):
        filled = bytearray(_FOLDERS)
        for held in self._held:
            number = held & (_FOLDERS - 1)
            filled[number] = min(filled[number] + 1, _FOLDER_CAP)
        number = 0
        while number < _FOLDERS - 1 and filled[number] == _FOLDER_CAP:
            number += 1
        self._held.append(self._key(tap_id) << _FOLDER_BITS | number)
        path = self._find(tap_id)
        data = _sealed(tap_id, message)
        try:
            self._store(path, data)
        except OSError:
            # The first tap of its folder, or of all.
            for folder in (self._folder, path[: path.rindex("/")]):
                try:
                    os.mkdir(folder)
                except OSError:
                    pass  # it is there, or there is no room: then the tap cannot be stored either
            self._store(path, data)

    def _store(self, path, data):
        with open(path, "wb") as file:
            file.write(data)

    # The file of a tap; None when the tap is not here. Takes it out of memory if told to, not off
    # the flash.
    def _find(self, tap_id, is_forgotten=False):
        key = self._key(tap_id)
        for at, held in enumerate(self._held):
            if held >> _FOLDER_BITS == key:
                if is_forgotten:
                    self._held[at : at + 1] = array("Q")
                    if not self._held:
                        self._held = array("Q")  # an array never becomes smaller
                return "%s/%d/%s" % (self._folder, held & (_FOLDERS - 1), tap_id)
        return None

    # None for what is no id: a file that somebody else left here, an answer to nothing.
    def _key(self, tap_id):
        try:
            number = int(tap_id[:5]) * _SEQUENCES + int(tap_id[6:])
        except (TypeError, ValueError, KeyError):
            return None
        key = (number - self._origin) % _IDS
        return key if self._id(key) == tap_id else None

    def _id(self, key):
        number = (key + self._origin) % _IDS
        return "%05d-%06d" % (number // _SEQUENCES, number % _SEQUENCES)


# A message as it is stored.
def _sealed(tap_id, message):
    return message + crc32(message, crc32(tap_id.encode())).to_bytes(4, "big")
