# Has the reader start anew when nobody will notice: what was loaded and forgotten leaves its names
# in MicroPython's memory, which keeps each it ever met (py/qstr.c). Loaded after updates alone.

import asyncio

from micropython import const

_CALM_MS = const(60000)
_LOOK_MS = const(100)


# reader: reader.Reader.
class Errand:
    def __init__(self, reader, _):
        self._reader = reader
        self._next = None

    # What the host wants to be done comes first.
    def on_message(self, topic, payload):
        for name in ("update", "doctor"):
            if topic.endswith(b"/cmd/" + name.encode()):
                self._next = name, payload

    # Until no card has come for a minute, and no tap waits to be sent.
    async def run(self):
        reader = self._reader
        calm_ms = 0
        while calm_ms < _CALM_MS:
            await asyncio.sleep_ms(_LOOK_MS)
            calm_ms += _LOOK_MS
            if reader.presence.uid or len(reader.outbox):
                calm_ms = 0
            if self._next:
                return self._next
        reader.is_leaving = True
        return None
