# The first minutes after an update: is the release that boot.py tries healthy? Then it is kept. If
# not, within five minutes, the reader starts anew, and boot.py goes back. It also goes back if, in
# the five minutes after it was kept, customers come and no tap is answered. Loaded when boot.py
# tries a release or has given one up, and forgotten after it.

import asyncio
import json

from micropython import const

_LIMIT_MS = const(300000)
_SAY_MS = const(15000)
_SENT_MS = const(1000)
_WELL_MS = const(1000)  # a dead chip is revived twice in that time, and looks alive for a moment
_LOOK_MS = const(100)
_ANSWER_MS = const(60000)  # a bridge that is there answers in seconds
# Why a release was given up, by the number kept in NVS; 0: it started anew before it was kept.
_WHY = const(("restarted", "broker", "rc522", "verdict"))


# reader: reader.Reader, which runs the release on trial, or the one before it.
class Errand:
    def __init__(self, reader, _):
        self._reader = reader
        self._is_confirmed = self._is_answered = False
        self._held = 0
        self._number = 0
        self._next = ("quiet", None)

    # The host's word that it has heard the release (contract, "cmd/update"); or what else it wants,
    # which a release that was kept does.
    def on_message(self, topic, payload):
        name = "doctor" if topic.endswith(b"/cmd/doctor") else ""
        if topic.endswith(b"/cmd/update"):
            order = json.loads(payload)
            if order.get("ok"):
                self._is_confirmed |= order["n"] == self._number
            else:
                name = "update"
        if name and not self._reader.board.stored("trial"):
            self._next = name, payload

    async def run(self):
        board = self._reader.board
        self._number = board.stored("back")
        if self._number:
            why = _WHY[board.stored("why")]
            while not await self._say("rolled_back", why):
                await asyncio.sleep_ms(_LOOK_MS)
            # boot.py gives none: a release that was kept and is given up later has another.
            board.store("why", 0)
            board.store("back", 0)
        trial = -board.stored("trial")
        if trial > 0:
            self._number = trial >> 1
            if await self._try(trial & 1):
                await self._watch(trial & 1)
        return self._next

    # True when it is kept.
    async def _try(self, slot):
        board = self._reader.board
        board.store("why", 0)
        silent_ms = _SAY_MS
        well_ms = 0
        for _ in range(_LIMIT_MS // _LOOK_MS):
            silent_ms += _LOOK_MS
            if silent_ms > _SAY_MS and await self._say("trying"):
                silent_ms = 0
            why = self._lacks()
            well_ms = 0 if why else well_ms + _LOOK_MS
            if well_ms > _WELL_MS:
                board.store("slot", self._number << 4 | slot)
                board.store("trial", 0)
                await self._say("kept")
                return True
            await asyncio.sleep_ms(_LOOK_MS)
        board.store("why", why)
        self._reader.is_leaving = True
        return False

    # Until the first tap is answered, and not while the host wants something else.
    async def _watch(self, slot):
        board, reader = self._reader.board, self._reader
        unanswered_ms = 0
        for _ in range(_LIMIT_MS // _LOOK_MS):
            if self._has_answer() or self._next[0] != "quiet":
                return
            await asyncio.sleep_ms(_LOOK_MS)
            unanswered_ms = unanswered_ms + _LOOK_MS if self._waits() else 0
            if unanswered_ms > _ANSWER_MS:
                board.store("why", 3)
                board.store("back", self._number)
                board.store("slot", self._number << 4 | 1 - slot)
                reader.is_leaving = True
                return

    # Whether there are taps, and a bridge that could answer them.
    def _waits(self):
        reader = self._reader
        return reader.link.is_up and reader.taps.is_answered and len(reader.outbox)

    # What is still to be seen of a healthy reader, by _WHY; 0: nothing.
    def _lacks(self):
        reader = self._reader
        if not reader.link.is_up:
            return 1
        if not reader.presence.is_up:
            return 2
        if self._has_answer():
            return 0
        return 0 if self._is_confirmed and not self._waits() else 3

    # Whether a tap was answered: at once, or one that had waited.
    def _has_answer(self):
        held = len(self._reader.outbox)
        self._is_answered |= held < self._held or self._reader.taps.latency_ms is not None
        self._held = held
        return self._is_answered

    # True when the broker very likely has it.
    async def _say(self, step, why=""):
        link = self._reader.link
        text = '{"n":%d,"s":"%s","why":"%s","p":100}' % (self._number, step, why)
        session = link.reconnects
        if not await link.publish(self._reader.topic + "update/state", text):
            return False
        if step == "rolled_back":
            await asyncio.sleep_ms(_SENT_MS)
        return link.is_up and link.reconnects == session
