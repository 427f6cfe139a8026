# A card comes, rests, leaves; the chip goes deaf and is revived. One card, one call, however long
# it rests.

from iso14443 import CardError
from mfrc522 import ChipError
from micropython import const

_POLL_MS = const(25)
_REST_MS = const(60)
# So many checks in a row without any answer are a removal; a damaged answer is not (ESPuino PR 413
# and 448: single misses of a resting card are common).
_MISSES = const(3)
_REVIVE_MS = const(500)
_CANARY_POLLS = const(20)
_FIELD_GUARD_MS = const(5)  # ISO/IEC 14443-3, 5


# Watches the field of one PCD (mfrc522.MFRC522) through its type A cards (iso14443.TypeA).
# on_card(card) is called once for each presentation; on_fault(is_faulty) when the chip dies or is
# back. recoveries counts the revivals.
class Presence:
    def __init__(self, pcd, cards, clock, on_card, on_fault):
        self._pcd = pcd
        self._cards = cards
        self._clock = clock
        self._on_card = on_card
        self._on_fault = on_fault
        self._is_up = False
        self._polls = 0
        self.recoveries = 0
        self.uid = None
        self._misses = 0

    # The task. Never ends.
    async def run(self):
        while True:
            await self._clock.sleep_ms(await self.step())

    # One look at the field; returns the milliseconds until the next.
    async def step(self):
        try:
            if not self._is_up:
                await self._start()
            if self.uid is None:
                return self._look()
            wait_ms = self._check()
            if self.uid is None:
                await self._cycle_field()
            return wait_ms
        except ChipError:
            return self._fail()
        except CardError as error:
            # Anything but a deaf chip is a card moving in or out: look again at once.
            return self._fail() if error.reason == "deaf" else _POLL_MS

    async def _start(self):
        self._pcd.reset()
        self._pcd.field(True)
        self._is_up = True
        self._on_fault(False)
        await self._clock.sleep_ms(_FIELD_GUARD_MS)

    def _fail(self):
        if self._is_up:
            self.recoveries += 1
        self._is_up = False
        self._on_fault(True)
        return _REVIVE_MS

    def _look(self):
        if not self._cards.request():
            self._watch_chip()
            return _POLL_MS
        card = self._cards.select()
        self.uid = card.uid
        self._misses = 0
        self._on_card(card)
        self._cards.halt()
        return _REST_MS

    # An empty field and a chip that lost its settings sound alike: ask it now and then.
    def _watch_chip(self):
        self._polls += 1
        if self._polls >= _CANARY_POLLS:
            self._polls = 0
            if not self._pcd.is_alive():
                raise ChipError("RC522 lost its settings")

    # The card rests, halted: wake it, ask whether it is the same one, halt it again.
    def _check(self):
        try:
            if not self._cards.wake() or not self._cards.is_present(self.uid):
                return self._miss()
            self._misses = 0
        except CardError as error:
            if error.reason == "deaf":
                raise
        self._cards.halt()
        return _REST_MS

    def _miss(self):
        self._misses += 1
        if self._misses < _MISSES:
            return _POLL_MS
        self.uid = None
        return 0

    # A card that we halted ignores REQA for as long as it has power: take it away for a moment.
    async def _cycle_field(self):
        self._pcd.field(False)
        await self._clock.sleep_ms(_FIELD_GUARD_MS)
        self._pcd.field(True)
        await self._clock.sleep_ms(_FIELD_GUARD_MS)
