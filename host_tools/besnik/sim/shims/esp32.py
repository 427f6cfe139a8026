# The ESP32 port's `esp32`: non-volatile storage in a file. What a reader rarely uses is in
# esp32_more.py and loaded when asked for: this file sits in the heap that is measured.

import json
from os import getenv, rename

from micropython import const

_FILE = getenv("BESNIK_SIM_NVS")
_NOT_FOUND = const(-0x1102)
_KEY_TOO_LONG = const(-0x1109)
_LONGEST_KEY = const(15)


def __getattr__(name):
    import esp32_more

    return getattr(esp32_more, name)


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
        self.pending = {}

    def get(self, key):
        entry = self.pending.get(key)
        if entry is None and key not in self.pending:
            entry = _load().get(self._namespace, {}).get(key)
        if entry is None:
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        return entry

    def set(self, key, value):
        if len(key) - 2 > _LONGEST_KEY:
            raise OSError(_KEY_TOO_LONG, "ESP_ERR_NVS_KEY_TOO_LONG")
        self.pending[key] = value

    def get_i32(self, key):
        return self.get("i:" + key)

    def set_i32(self, key, value):
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("overflow converting long int to machine word")
        self.set("i:" + key, value)

    # Methods that are not here: esp32_more has them as functions of the namespace.
    def __getattr__(self, name):
        import esp32_more

        method = getattr(esp32_more, "nvs_" + name)
        return lambda *args: method(self, *args)

    def commit(self):
        stored = _load()
        space = stored.setdefault(self._namespace, {})
        for key, value in self.pending.items():
            if value is None:
                space.pop(key, None)
            else:
                space[key] = value
        self.pending = {}
        if _FILE:
            with open(_FILE + ".new", "w") as file:
                json.dump(stored, file)
            rename(_FILE + ".new", _FILE)
        else:
            _volatile.clear()
            _volatile.update(stored)
