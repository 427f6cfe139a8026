# Taps on flash until the host has answered them. One small file for each tap: littlefs keeps a file
# of 120 bytes inside its directory entry, which costs a tenth of the erases of a log.

import json
import os

from micropython import const

_MAX_SEQUENCE = const(999999)
_SUFFIX = ".tap"


# The outbox in one folder. boot: this run's boot counter, the first half of every id.
# cap: how many taps it holds; the oldest are kept. dropped counts taps it had no room for.
class Outbox:
    def __init__(self, folder, boot, cap=256):
        self._folder = folder
        self._boot = boot % 100000
        self._sequence = 0
        self._cap = cap
        self.dropped = 0
        try:
            os.mkdir(folder)
        except OSError:
            pass  # it is there
        self._ids = sorted(n[: -len(_SUFFIX)] for n in os.listdir(folder) if n.endswith(_SUFFIX))

    def __len__(self):
        return len(self._ids)

    # An id for the next tap: unique without a clock, as the boot counter never repeats.
    def next_id(self):
        self._sequence += 1
        if self._sequence > _MAX_SEQUENCE:
            raise OverflowError("sequence is used up: restart the reader")
        return "%05d-%06d" % (self._boot, self._sequence)

    # Stores a tap's message. False when there is no room: the tap is counted as dropped.
    def put(self, tap_id, message):
        if len(self._ids) >= self._cap:
            self.dropped += 1
            return False
        try:
            with open(self._path(tap_id), "wb") as file:
                file.write(message)
        except OSError:
            self.dropped += 1
            return False
        self._ids.append(tap_id)
        return True

    # Forgets a tap the host has answered. False when it is not here.
    def remove(self, tap_id):
        if tap_id not in self._ids:
            return False
        self._ids.remove(tap_id)
        try:
            os.remove(self._path(tap_id))
        except OSError:
            pass  # answered anyway; at worst it is sent and answered once more
        return True

    # The id of the oldest tap not in the given ids, or None.
    def oldest(self, besides=()):
        for tap_id in self._ids:
            if tap_id not in besides:
                return tap_id
        return None

    # The stored message with q set to 1; None when the file is damaged, which removes it.
    def message(self, tap_id):
        try:
            with open(self._path(tap_id), "rb") as file:
                tap = json.load(file)
            tap["q"] = 1
            return json.dumps(tap, separators=(",", ":")).encode()
        except (OSError, ValueError, TypeError):
            self.remove(tap_id)
            self.dropped += 1
            return None

    def _path(self, tap_id):
        return "%s/%s%s" % (self._folder, tap_id, _SUFFIX)
