# Cards come, rest, leave; the chip goes deaf and is revived. One presentation, one call, however
# long a card rests.

from firmware.identify import choose
from iso14443 import CardError
from mfrc522 import ChipError
from micropython import const

_POLL_MS = const(25)
_REST_MS = const(60)
# So many checks in a row without any answer are a removal; a damaged answer is not (ESPuino PR 413
# and 448: single misses of a resting card are common).
_MISSES = const(3)
# Nobody looked for so long: a card of the same batch, whose UID begins alike, could lie there now.
_UNWATCHED_MS = const(150)
_REVIVE_MS = const(500)
_SOFT_HELPED_MS = const(5000)
_CANARY_POLLS = const(20)
_FIELD_GUARD_MS = const(5)  # ISO/IEC 14443-3, 5


# Watches the field of one PCD (mfrc522.MFRC522) through its type A cards (iso14443.TypeA) and an
# identify.Identifier. on_offer(card) is called once for each presentation with the card and what it
# offers, or with None when cards of several customers lie there; on_fault(is_faulty) when the chip
# dies or is back. May be set: relay (relay.Relay), which has the field while the host talks to
# the resting card; ecp, a frame to send after each empty poll (ecp.FRAMES); is_pulsed: the field is
# on for less than a millisecond in each empty poll and the chip asleep between, which a card that
# takes its 5 ms to start (ISO/IEC 14443-3, 5) never answers. recoveries counts the revivals, beats
# the looks at the field.
class Presence:
    def __init__(self, pcd, cards, identifier, clock, on_offer, on_fault):
        self.pcd = pcd
        self.cards = cards
        self._identifier = identifier
        self._clock = clock
        self._on_offer = on_offer
        self._on_fault = on_fault
        self.relay = None
        self.ecp = None
        self.is_pulsed = False
        self.is_up = False
        self._is_hard = True
        self._reset_ms = 0
        self._polls = 0
        self._misses = 0
        self._seen_ms = 0
        self._is_occupied = False
        self.recoveries = 0
        self.beats = 0
        # What was told last, until the field is seen empty: a card that ignores our checks comes
        # back with the field, and that is no new presentation.
        self._told = None
        # The UID of the card that rests on the reader; None for none and for several.
        self.uid = None

    # The task. Never ends.
    async def run(self):
        while True:
            self.beats += 1
            await self._clock.sleep_ms(await self.step())

    # One look at the field; returns the milliseconds until the next.
    async def step(self):
        try:
            if not self.is_up:
                await self._start()
            if not self._is_occupied:
                return await self._look()
            if self.relay and self.uid and await self.relay.is_asked(_REST_MS):
                await self.relay.serve(self.uid)
            wait_ms = self._check()
            if not self._is_occupied:
                await self._cycle_field()
            return wait_ms
        except ChipError:
            return self._fail()
        except CardError as error:
            if error.reason == "deaf":
                return self._fail()
            # A card moves in or out. In the block protocol it hears no request: start it anew.
            await self._cycle_field()
            return 0

    async def _start(self):
        self._reset_ms = self._clock.ticks_ms()
        self.pcd.reset(self._is_hard)
        self.pcd.field(True)
        self.is_up = True
        self._on_fault(False)
        await self._clock.sleep_ms(_FIELD_GUARD_MS)

    def _fail(self):
        if self.is_up:
            self.recoveries += 1
        # A soft reset comes first; when that did not help, or not for long, the pin.
        passed_ms = self._clock.ticks_diff(self._clock.ticks_ms(), self._reset_ms)
        self._is_hard = not self.is_up or passed_ms < _SOFT_HELPED_MS
        self.is_up = False
        self._on_fault(True)
        return _REVIVE_MS

    async def _look(self):
        if self.is_pulsed:
            self.pcd.wake_up()
            self.pcd.field(True)
        if not self.cards.request():
            if self.is_pulsed:
                self.pcd.power_down()
            self._identifier.failures = 0
            self._told = None
            if self.ecp and not self.is_pulsed:
                self.pcd.transceive(self.ecp, len(self.ecp), rx_bytes=0)
            self._watch_chip()
            if self.relay:
                await self.relay.answer_refusals()
            return _POLL_MS
        offer = choose(await self._identifier.offers())
        self._is_occupied = True
        self._misses = 0
        self._seen_ms = self._clock.ticks_ms()
        self.uid = offer.uid if offer else None
        if self._told == (self.uid or b""):
            return _REST_MS
        self._told = self.uid or b""
        if self.relay:
            self.relay.forget()
        self._on_offer(offer)
        return 0 if self.relay and offer else _REST_MS

    # An empty field and a chip that lost its settings sound alike: ask it now and then.
    def _watch_chip(self):
        self._polls += 1
        if self._polls >= _CANARY_POLLS:
            self._polls = 0
            if not self.pcd.is_alive():
                raise ChipError("RC522 lost its settings")

    # The cards rest, halted: wake them, ask whether the one is among them, halt it again.
    def _check(self):
        try:
            now_ms = self._clock.ticks_ms()
            is_whole = self._clock.ticks_diff(now_ms, self._seen_ms) > _UNWATCHED_MS
            if not self.cards.wake() or (
                self.uid and not self.cards.is_present(self.uid, is_whole)
            ):
                return self._miss()
            self._misses = 0
            self._seen_ms = now_ms
        except CardError as error:
            if error.reason == "deaf":
                raise
        self.cards.halt()
        return 0 if self.relay and self.uid else _REST_MS

    def _miss(self):
        self._misses += 1
        if self._misses < _MISSES:
            return _POLL_MS
        self.uid = None
        self._is_occupied = False
        if self.relay:
            self.relay.forget()
        return 0

    # A card that we halted ignores REQA for as long as it has power: take it away for a moment.
    async def _cycle_field(self):
        self.pcd.field(False)
        await self._clock.sleep_ms(_FIELD_GUARD_MS)
        self.pcd.field(True)
        await self._clock.sleep_ms(_FIELD_GUARD_MS)
