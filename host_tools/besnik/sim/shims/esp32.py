# The ESP32 port's `esp32`: non-volatile storage in a file, heap figures of a typical board.

import json
import os

HEAP_DATA = 4
HEAP_EXEC = 1

_FILE = os.getenv("BESNIK_SIM_NVS")
_NOT_FOUND = -0x1102
_KEY_TOO_LONG = -0x1109
_LONGEST_KEY = 15

# Without a file the storage lasts as long as the process.
_volatile = {}


def _load():
    if not _FILE:
        return json.loads(json.dumps(_volatile))
    try:
        with open(_FILE) as file:
            return json.load(file)
    except OSError:
        return {}


# One namespace. What is set can be read at once and is lost without commit(), as on the chip.
class NVS:
    def __init__(self, namespace):
        if len(namespace) > _LONGEST_KEY:
            raise OSError(_KEY_TOO_LONG, "ESP_ERR_NVS_KEY_TOO_LONG")
        self._namespace = namespace
        self._pending = {}

    def _get(self, key):
        entry = self._pending.get(key)
        if entry is None and key not in self._pending:
            entry = _load().get(self._namespace, {}).get(key)
        if entry is None:
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        return entry

    def _set(self, key, value):
        if len(key) - 2 > _LONGEST_KEY:
            raise OSError(_KEY_TOO_LONG, "ESP_ERR_NVS_KEY_TOO_LONG")
        self._pending[key] = value

    def get_i32(self, key):
        return self._get("i:" + key)

    def set_i32(self, key, value):
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("overflow converting long int to machine word")
        self._set("i:" + key, value)

    def get_blob(self, key, buffer):
        data = bytes.fromhex(self._get("b:" + key))
        buffer[: len(data)] = data
        return len(data)

    def set_blob(self, key, value):
        self._set("b:" + key, (value.encode() if isinstance(value, str) else bytes(value)).hex())

    def erase_key(self, key):
        for kind in ("i:", "b:"):
            try:
                self._get(kind + key)
            except OSError:
                continue
            self._pending[kind + key] = None
            return
        raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")

    def commit(self):
        stored = _load()
        space = stored.setdefault(self._namespace, {})
        for key, value in self._pending.items():
            if value is None:
                space.pop(key, None)
            else:
                space[key] = value
        self._pending = {}
        if _FILE:
            with open(_FILE + ".new", "w") as file:
                json.dump(stored, file)
            os.rename(_FILE + ".new", _FILE)
        else:
            _volatile.clear()
            _volatile.update(stored)


# (total, free, largest free block, least ever free) per region: an ESP32 without PSRAM,
# connected to Wi-Fi (94.6 KB free, 94 KB in one block).
def idf_heap_info(capabilities):
    return [(240, 0, 0, 0), (16648, 4, 4, 4), (113840, 94600, 94000, 90000)]


def raw_temperature():
    return 113
