# The chip's timer (MFRC522 8.5, 9.3.3.10-12): counts down from TReload, raises TimerIRq at zero.

from .clock import FAR
from .registers import T_MODE, T_PRESCALER, T_RELOAD_HIGH, T_RELOAD_LOW

DEMOD = 0x19
AUTO = 0x80
AUTO_RESTART = 0x10
PRESCAL_EVEN = 0x10


class Timer:
    def __init__(self, regs: bytearray):
        self._regs = regs
        self.due_ns = FAR
        self._started_ns = 0
        self._tick = (1, 0)

    def running(self) -> bool:
        return self.due_ns != FAR

    def automatic(self) -> bool:
        return bool(self._regs[T_MODE] & AUTO)

    def _reload(self) -> int:
        return (self._regs[T_RELOAD_HIGH] << 8) | self._regs[T_RELOAD_LOW]

    # Carrier cycles a count: 2 * TPrescaler + 1, or + 2 with DemodReg's TPrescalEven.
    def _cycles(self) -> int:
        prescaler = ((self._regs[T_MODE] & 0x0F) << 8) | self._regs[T_PRESCALER]
        return 2 * prescaler + (2 if self._regs[DEMOD] & PRESCAL_EVEN else 1)

    # The registers are read at the start only: "affects the timer at the next start event".
    def start(self, now_ns: int) -> None:
        self._started_ns = now_ns
        self._tick = (self._reload(), self._cycles())
        self.due_ns = now_ns + (self._tick[0] + 1) * self._tick[1] * 100000 // 1356

    def stop(self) -> None:
        self.due_ns = FAR

    # Zero was reached.
    def expire(self) -> None:
        if self._regs[T_MODE] & AUTO_RESTART:
            self.start(self.due_ns)
        else:
            self.due_ns = FAR
            self._tick = (0, self._tick[1])

    def counter(self, now_ns: int) -> int:
        reload, cycles = self._tick
        if not self.running() or not cycles:
            return reload
        counted = (now_ns - self._started_ns) * 1356 // (100000 * cycles)
        return max(0, reload - counted)
