# What the customer sees and hears: LED and buzzer patterns, never told apart by colour alone.

import asyncio
import time

from micropython import const

_DARK = const(0)
_RED = const(1)
_GREEN = const(2)
_AMBER = const(3)
_IDLE_STEPS = const(255)

# A pattern is steps of three bytes: the colour as above, the tone in units of 100 Hz (0: silence)
# and the duration in units of 10 ms.
READ = b"\x03\x18\x03\x03\x00\x03"
ACCEPTED = b"\x02\x1c\x12\x02\x00\x48"
REJECTED = b"\x01\x04\x3c\x01\x00\x3c"
UNKNOWN = (
    b"\x01\x10\x0a\x01\x00\x05\x02\x00\x05\x02\x10\x0a"
    b"\x01\x00\x0f\x02\x00\x0f\x01\x00\x0f\x02\x00\x0f"
)
STORED = b"\x03\x00\x0f\x00\x00\x0f\x03\x00\x0f\x00\x00\x0f"
SEVERAL = b"\x03\x08\x0a\x00\x00\x0a\x03\x08\x0a\x00\x00\x0a\x03\x08\x0a\x00\x00\x0a"
# Shown while the link may hold up everything else: the LED stays as it is until that is over.
CONNECTING = b"\x03\x00\x28"
FAULT = b"\x01\x00\x32\x00\x00\x96"


# The pattern that shows a verdict: outcome r and reason why as in the contract.
def for_verdict(outcome, reason):
    if outcome == "accepted":
        return STORED if reason == "pending" else ACCEPTED
    return UNKNOWN if reason == "unknown" else REJECTED


# Plays one pattern at a time on two LED pins (called with 0 or 1) and a PWM for the buzzer.
# A new pattern takes the place of the running one, but READ is always seen to its end, even when
# the verdict comes at once. FAULT repeats until cleared. playing: the pattern, None when idle.
# beats grows at least every 5 s. How loud and how high tones are is in percent; 0: silent.
class Signals:
    def __init__(self, red, green, buzzer, volume=100, pitch=100):
        self._red = red
        self._green = green
        self._buzzer = buzzer
        # Half of the time on is the loudest; the ear hears the square root.
        self._duty = volume * volume * 32768 // 10000
        self._pitch = pitch
        self._is_changed = False
        self.playing = None
        self._after_read = None
        self._is_faulty = False
        self.beats = 0
        self._put(_DARK, 0)

    # Shows a pattern, its first step at once unless READ is playing.
    def show(self, pattern):
        if self.playing is READ and pattern is not READ:
            self._after_read = pattern
            return
        self.playing = pattern
        self._after_read = None
        self._put(pattern[0], pattern[1])
        self._is_changed = True

    # The reader itself is out of order: FAULT fills the time between other patterns.
    def set_fault(self, is_faulty):
        if is_faulty != self._is_faulty:
            self._is_faulty = is_faulty
            if not self.playing:
                self._is_changed = True

    # The task that moves from step to step. Never ends.
    async def run(self):
        while True:
            self._is_changed = False
            self.beats += 1
            pattern = self.playing or (FAULT if self._is_faulty else b"")
            for at in range(0, len(pattern), 3):
                self._put(pattern[at], pattern[at + 1])
                if await self._wait(pattern[at + 2]):
                    break  # another pattern has taken its place
            else:
                if pattern:
                    self.playing, self._after_read = self._after_read, None
                else:
                    self._put(_DARK, 0)
                    await self._wait(_IDLE_STEPS)

    # Waits for so many times 10 ms; True at once when there is something else to play. Looks
    # instead of waiting for an asyncio.Event, which with its time-outs takes 1 KB.
    async def _wait(self, steps):
        began_ms = time.ticks_ms()
        left_ms = steps * 10
        while left_ms > 0 and not self._is_changed:
            await asyncio.sleep_ms(min(left_ms, 10))
            left_ms = steps * 10 - time.ticks_diff(time.ticks_ms(), began_ms)
        return self._is_changed

    def _put(self, colour, tone):
        self._red(colour & _RED)
        self._green(colour >> 1)
        if tone and self._duty:
            self._buzzer.freq(tone * self._pitch)
            self._buzzer.duty_u16(self._duty)
        else:
            self._buzzer.duty_u16(0)
