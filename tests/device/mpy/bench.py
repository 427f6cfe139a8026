# A test bench for device tests: a fresh counter in this process, on emulated time.
#
#     bench = Bench(ana="5B3C2A19", phone=None)
#     chip = MFRC522(bench.spi, bench.cs, bench.rst, bench.clock)
#     bench.present("ana")

import asyncio

import machine

from besnik.sim.model import here
from besnik.sim.model.board import Board
from besnik.sim.model.picc import Picc, RandomPicc


# Time as firmware sees it, taken from the emulated clock. Waiting costs no real time:
# sleep_ms() wakes the task that is due first once no other can run, and time jumps to it.
class EmulatedClock:
    quality = 2

    def __init__(self, clock, unix_s=1795300000):
        self._clock = clock
        self._began_s = unix_s
        self._wakes = []

    def ticks_us(self):
        return self._clock.ns // 1000

    def ticks_ms(self):
        return self._clock.ns // 1000000

    def ticks_diff(self, later, earlier):
        return later - earlier

    def ticks_add(self, ticks, delta):
        return ticks + delta

    def unix_s(self):
        return self._began_s + self._clock.ns // 1000000000

    def set_from_network(self):
        return True

    def sleep_us(self, us):
        if us > 0:
            self._clock.advance_us(us)

    async def sleep_ms(self, ms):
        wake_ns = self._clock.ns + max(0, ms) * 1000000
        self._wakes.append(wake_ns)
        try:
            await asyncio.sleep(0)
            while self._clock.ns < wake_ns:
                if wake_ns == min(self._wakes):
                    # Tasks that the last turn made ready come first: they may wait for less.
                    await asyncio.sleep(0)
                    if wake_ns == min(self._wakes):
                        self._clock.reach(wake_ns)
                        return
                await asyncio.sleep(0)
        finally:
            self._wakes.remove(wake_ns)


# One reader with its chip and named cards. Cards are UIDs in hex, or None for a phone with a
# random UID; `sak` may be given as "UID/SAK", both in hex. The board is also under the shims,
# so code that imports machine meets the same chip.
class Bench:
    def __init__(self, pins=None, version=0x92, baudrate=1000000, **cards):
        self.board = here.use(Board(pins, version=version))
        self.clock = EmulatedClock(self.board.clock)
        for key in cards:
            self.board.add(key, _card(cards[key]))
        self.events = []
        self.board.listen(lambda *event: self.events.append(event))
        wired = self.board.pins
        self.spi = machine.SPI(
            2,
            baudrate=baudrate,
            sck=machine.Pin(18),
            mosi=machine.Pin(23),
            miso=machine.Pin(19),
        )
        self.cs = machine.Pin(wired["cs"], machine.Pin.OUT, value=1)
        self.rst = machine.Pin(wired["rst"], machine.Pin.OUT, value=1)
        self._frames = 0

    @property
    def chip(self):
        return self.board.chip

    def card(self, key):
        return self.board.cards[key]

    # The card comes into the field now, or `after_us` of emulated time later.
    def present(self, key, after_us=0):
        if after_us:
            self.board.clock.after_us(after_us, self.board.present, key)
        else:
            self.board.present(key)

    # The card leaves now, or `after_us` of emulated time later: also in the middle of a frame.
    def remove(self, key, after_us=0):
        if after_us:
            self.board.clock.after_us(after_us, self.board.remove, key)
        else:
            self.board.remove(key)

    def noise(self, per_mille, kinds=(1, 2, 3), seed=1):
        self.board.field.noise.set(per_mille, kinds, seed)

    # SPI frames (CS-low periods) since the last call.
    def frames(self):
        total = self.board.spi.frames
        since, self._frames = total - self._frames, total
        return since


def _card(text):
    if text is None:
        return RandomPicc()
    uid, _, sak = text.partition("/")
    default = "08" if len(uid) == 8 else "00"
    return Picc(bytes.fromhex(uid), int(sak or default, 16))
