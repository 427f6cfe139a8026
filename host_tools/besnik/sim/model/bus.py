# The chip's SPI side (MFRC522 8.1.2): framing, cost in time, counters, broken wires.

from .noise import Rng

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .chip import Chip
    from .clock import Clock

# What one CS-low period costs beside its bytes: CS edges and the driver call, an estimate for
# MicroPython on an ESP32 at 240 MHz.
FRAME_NS = 20000
# The chip takes at most 10 Mbit/s in SPI mode 0 (8.1.2).
MAX_BAUDRATE = 10000000


class SpiPort:
    def __init__(self, chip: "Chip", clock: "Clock"):
        self._chip = chip
        self._clock = clock
        self._byte_ns = 8000
        self._usable = True
        self._low = False
        self._address = -1
        self._reading = False
        self.frame_ns = FRAME_NS
        # None, or the byte a broken bus always reads: 0x00 (no power) or 0xFF (no wire).
        self.stuck: "int | None" = None
        # Bad wires: so many of a thousand bytes read have a wrong bit when the bus is faster.
        self.loose_per_mille = 0
        self.loose_above_hz = 0
        self._baudrate = 1000000
        self._rng = Rng()
        self.frames = 0
        self.octets = 0

    def configure(self, baudrate: int, polarity: int = 0, phase: int = 0) -> None:
        self._baudrate = baudrate
        self._byte_ns = 8000000000 // baudrate
        self._usable = baudrate <= MAX_BAUDRATE and not polarity and not phase

    # The CS pin: low starts a frame, high ends it.
    def select(self, low: bool) -> None:
        if low == self._low:
            return
        self._low = low
        if low:
            self._address = -1
            self.frames += 1
            self._clock.reach(self._clock.now() + self.frame_ns)

    # Full duplex: clocks `mosi` out and the same number of bytes into `miso` (or None).
    # Address byte: bit 7 read, bits 6..1 address. Reading, every further MOSI byte is the next
    # address and the data comes one byte later; writing, the address stays.
    def exchange(self, mosi: bytes, miso: "bytearray | None" = None) -> None:
        count = len(mosi)
        self.octets += count
        clock = self._clock
        now = clock.now()
        stuck = self._stuck()
        if stuck is not None:
            if miso is not None:
                for index in range(count):
                    miso[index] = stuck
            clock.reach(now + count * self._byte_ns)
            return
        chip = self._chip
        address = self._address
        byte_ns = self._byte_ns
        for index in range(count):
            now += byte_ns
            if now < clock.ns:
                now = clock.ns  # a wall clock has gone on
            clock.ns = now
            if now >= chip.next_ns:
                chip.catch_up(now)
            byte = mosi[index]
            value = 0
            if address < 0:
                address = (byte >> 1) & 0x3F
                self._reading = byte > 0x7F
            elif self._reading:
                value = chip.read(address)
                address = (byte >> 1) & 0x3F
            else:
                chip.write(address, byte)
            if miso is not None:
                miso[index] = value
        self._address = address
        if miso is not None and self.loose_per_mille and self._baudrate > self.loose_above_hz:
            self._lose_bits(miso, count)

    def _lose_bits(self, miso: bytearray, count: int) -> None:
        for index in range(count):
            if self._rng.below(1000) < self.loose_per_mille:
                miso[index] ^= 1 << self._rng.below(8)

    def _stuck(self) -> "int | None":
        if self.stuck is not None:
            return self.stuck
        if not self._low or not self._usable:
            return 0xFF
        return None if self._chip.answers() else 0x00
