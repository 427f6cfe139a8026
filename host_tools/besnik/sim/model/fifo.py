# The 64-byte FIFO and its alerts (MFRC522 8.3).

from .registers import WATER_LEVEL

SIZE = 64


class Fifo:
    def __init__(self, regs: bytearray):
        self._regs = regs
        self.data: list[int] = []

    # False: full, the byte is lost and BufferOvfl is due.
    def push(self, byte: int) -> bool:
        if len(self.data) >= SIZE:
            return False
        self.data.append(byte)
        return True

    # An empty FIFO reads as 0.
    def pop(self) -> int:
        return self.data.pop(0) if self.data else 0

    def clear(self) -> None:
        self.data = []

    # Status1Reg: HiAlert = (64 - level) <= WaterLevel, LoAlert = level <= WaterLevel.
    def high(self) -> bool:
        return SIZE - len(self.data) <= self._regs[WATER_LEVEL] & 0x3F

    def low(self) -> bool:
        return len(self.data) <= self._regs[WATER_LEVEL] & 0x3F
