# A doctor's visit over the air (besnik fleet doctor READER): measures what the host asks for and
# answers (contract, "cmd/doctor" and "cmd/result"). Loaded for the first order. No card is read for
# customers meanwhile, and the reader starts anew at the end: nothing of the visit stays in memory.

import asyncio
import json

from firmware import checkup
from micropython import const

# Nobody ordered anything for so long: the doctor has gone.
_PATIENCE_MS = const(60000)
_CARD_MS = const(20000)
_LEAVE_MS = const(30000)
_LOOK_MS = const(20)
_LOOKS = const(20)
# Each for 20 s, or until the next.
_SHOWN = {
    "red": b"\x01\x00\xfa" * 8,
    "green": b"\x02\x00\xfa" * 8,
    "tone": b"\x00\x18\xfa" * 8,
    "dark": b"\x00\x00\x01",
}


# reader: reader.Reader. payload: the first order.
class Errand:
    def __init__(self, reader, payload):
        self._reader = reader
        self._orders = [payload]
        self._rests = 0

    # Another order.
    def on_message(self, topic, payload):
        if topic.endswith(b"/cmd/doctor"):
            self._orders.append(payload)

    async def run(self):
        reader = self._reader
        try:
            # Takes the place of the method: the card chip is ours as soon as its task waits there.
            reader.presence.step = self._rest
            while not self._rests:
                await asyncio.sleep_ms(_LOOK_MS)
            # Nobody is to wait for a card that was there before.
            reader.presence.uid = None
            await self._attend()
            await self._see_field_empty()
        finally:
            reader.is_leaving = True

    async def _rest(self):
        self._rests += 1
        return 100

    async def _attend(self):
        idle_ms = 0
        while idle_ms < _PATIENCE_MS:
            if not self._orders:
                idle_ms += _LOOK_MS
                await asyncio.sleep_ms(_LOOK_MS)
                continue
            idle_ms = 0
            order = json.loads(self._orders.pop(0))
            answer = await self._carry_out(order["do"])
            text = '{"id":%s,"r":%s}' % (json.dumps(order["id"]), answer)
            await self._reader.link.publish(self._reader.topic + "cmd/result", text)
            if order["do"] == "end":
                return

    async def _carry_out(self, what):
        reader = self._reader
        presence = reader.presence
        if what == "wiring":
            return checkup.wiring(presence.pcd)
        if what == "card":
            is_there = await checkup.awaits_card(presence.pcd, presence.cards, _CARD_MS)
            return json.dumps(is_there)
        if what == "antenna":
            return await checkup.antenna(presence.pcd, presence.cards, _LOOKS)
        if what == "health":
            return reader.health()
        if what == "clock":
            return "[%d,%d]" % (reader.clock.quality, reader.clock.unix_s())
        if what in _SHOWN:
            reader.lights.show(_SHOWN[what])
        return "null"

    # A card that still lies there when the reader starts anew would be a visit.
    async def _see_field_empty(self):
        presence, clock = self._reader.presence, self._reader.clock
        began_ms = clock.ticks_ms()
        while clock.ticks_diff(clock.ticks_ms(), began_ms) < _LEAVE_MS:
            if not await checkup.awaits_card(presence.pcd, presence.cards, 500):
                return
