# What the customer sees and hears: LED and buzzer patterns, never told apart by colour alone.

import asyncio

from micropython import const

_RED = const(1)
_GREEN = const(2)
_AMBER = const(3)
_DARK = const(0)

# A pattern is steps of (colour, tone in Hz or 0 for silence, duration in ms).
READ = ((_AMBER, 2400, 30), (_AMBER, 0, 30))
ACCEPTED = ((_GREEN, 2800, 180), (_GREEN, 0, 720))
REJECTED = ((_RED, 400, 600), (_RED, 0, 600))
UNKNOWN = (
    (_RED, 1600, 100),
    (_RED, 0, 50),
    (_GREEN, 0, 50),
    (_GREEN, 1600, 100),
    (_RED, 0, 150),
    (_GREEN, 0, 150),
    (_RED, 0, 150),
    (_GREEN, 0, 150),
)
STORED = ((_AMBER, 0, 150), (_DARK, 0, 150), (_AMBER, 0, 150), (_DARK, 0, 150))
SEVERAL = ((_AMBER, 800, 100), (_DARK, 0, 100)) * 3
FAULT = ((_RED, 0, 500), (_DARK, 0, 1500))


# The pattern that shows a verdict: outcome r and reason why as in the contract.
def for_verdict(outcome, reason):
    if outcome == "accepted":
        return ACCEPTED
    return UNKNOWN if reason == "unknown" else REJECTED


# Plays one pattern at a time on two LED pins (called with 0 or 1) and a PWM for the buzzer.
# A new pattern takes the place of the running one, but READ is always seen to its end, even when
# the verdict comes at once. FAULT repeats until cleared.
class Signals:
    def __init__(self, red, green, buzzer, is_audible=True):
        self._red = red
        self._green = green
        self._buzzer = buzzer
        self._is_audible = is_audible
        self._changed = asyncio.Event()
        self._playing = None
        self._after_read = None
        self._is_faulty = False
        self._put(_DARK, 0)

    # Shows a pattern, its first step at once unless READ is playing.
    def show(self, pattern):
        if self._playing is READ and pattern is not READ:
            self._after_read = pattern
            return
        self._playing = pattern
        self._after_read = None
        self._put(pattern[0][0], pattern[0][1])
        self._changed.set()

    # The reader itself is out of order: FAULT fills the time between other patterns.
    def set_fault(self, is_faulty):
        if is_faulty != self._is_faulty:
            self._is_faulty = is_faulty
            if not self._playing:
                self._changed.set()

    # The task that moves from step to step. Never ends.
    async def run(self):
        while True:
            self._changed.clear()
            pattern = self._playing or (FAULT if self._is_faulty else None)
            if not pattern:
                self._put(_DARK, 0)
                await self._changed.wait()
            elif await self._is_played(pattern):
                self._playing, self._after_read = self._after_read, None

    # False when another pattern has taken its place.
    async def _is_played(self, pattern):
        for colour, tone_hz, duration_ms in pattern:
            self._put(colour, tone_hz)
            if await self._is_interrupted(duration_ms):
                return False
        return True

    async def _is_interrupted(self, duration_ms):
        try:
            await asyncio.wait_for_ms(self._changed.wait(), duration_ms)
        except asyncio.TimeoutError:
            return False
        return True

    def _put(self, colour, tone_hz):
        self._red(colour & _RED)
        self._green(colour >> 1)
        if tone_hz and self._is_audible:
            self._buzzer.freq(tone_hz)
            self._buzzer.duty_u16(32768)
        else:
            self._buzzer.duty_u16(0)
