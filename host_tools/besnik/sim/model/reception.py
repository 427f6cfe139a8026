# One answer on its way into the FIFO: alignment, collisions, errors (9.3.1.7, 9.3.1.15).

from .air import ETU_NS, Answer
from .crc import crc_ok
from .noise import PARITY
from .registers import (
    BIT_FRAMING,
    COLL,
    COLL_ERR,
    CRC_ERR,
    PARITY_ERR,
    PROTOCOL_ERR,
    RX_MODE,
)

CRC_EN = 0x80
NOT_VALID = 0x20
VALUES_AFTER_COLL = 0x80


class Reception:
    # `own`: an answer to MFAuthent, stored as it is whatever the registers say.
    def __init__(self, answer: Answer, regs: bytearray, own: bool = False):
        self.answer = answer
        self._regs = regs
        # Stored bits start at bit RxAlign of the first FIFO byte.
        self._align = 0 if own else (regs[BIT_FRAMING] >> 4) & 0x07
        self._checks_crc = not own and bool(regs[RX_MODE] & CRC_EN)
        self._taken = 0
        self.start_ns = answer.start_ns
        self.end_ns = answer.start_ns + (2 + answer.bits + answer.bits // 8) * ETU_NS
        self.errors = 0
        self.last_bits = 0
        self._store = b""
        self._prepare()

    # When there is something to do next: the fifth bit, start bit included, stops the timer
    # (9.3.3.10); then each byte that is complete; then the end.
    def due_ns(self, now_ns: int) -> int:
        fifth = self.start_ns + 5 * ETU_NS
        if now_ns < fifth:
            return min(self.end_ns, fifth)
        if self._taken == len(self._store):
            return self.end_ns
        return min(self.end_ns, self._byte_ns())

    def _byte_ns(self) -> int:
        return self.start_ns + (10 + 9 * self._taken) * ETU_NS

    # The next byte that has arrived by `now_ns`, or -1.
    def take(self, now_ns: int) -> int:
        if self._taken == len(self._store) or now_ns < min(self.end_ns, self._byte_ns()):
            return -1
        self._taken += 1
        return self._store[self._taken - 1]

    # Nothing more will come: what was not sent by `now_ns` is not received.
    def cut(self, now_ns: int) -> None:
        bits = self.answer.bits
        self.answer.cut(now_ns)
        if self.answer.bits < bits:
            self.answer.fault = 0
            self._prepare()
            self.end_ns = now_ns

    def _prepare(self) -> None:
        answer = self.answer
        data = answer.data
        self.errors = 0
        if answer.fault:
            self.errors |= PARITY_ERR if answer.fault == PARITY else PROTOCOL_ERR
            data = spoilt(data)
        if answer.collision >= 0:
            self.errors |= COLL_ERR
            data = self._collide(data)
        if self._checks_crc:
            whole = answer.bits % 8 == 0
            if not whole or not crc_ok(data):
                self.errors |= CRC_ERR
            if whole and len(data) > 2:
                # Checked, the two bytes do not reach the FIFO.
                self.last_bits = 0
                self._store = data[:-2]
                return
        self.last_bits = (self._align + answer.bits) % 8
        self._store = shifted(data, self._align, answer.bits)

    # CollPos counts from bit 0 of the first FIFO byte, so the bits that RxAlign leaves free
    # count too: NXP's own driver takes CollPos - 1 for the number of valid bits in the FIFO.
    def _collide(self, data: bytes) -> bytes:
        index = self.answer.collision
        position = index + self._align + 1
        keep = self._regs[COLL] & VALUES_AFTER_COLL
        self._regs[COLL] = keep | (NOT_VALID if position > 32 else position & 0x1F)
        return data if keep else keep_first(data, index + 1)


def spoilt(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 0x10,)) if data else data


def keep_first(data: bytes, bits: int) -> bytes:
    kept = bytearray(data)
    for index in range(len(kept)):
        left = bits - 8 * index
        if left < 8:
            kept[index] &= (1 << max(0, left)) - 1
    return bytes(kept)


# `bits` bits of `data` moved up by `align`, as the FIFO stores them.
def shifted(data: bytes, align: int, bits: int) -> bytes:
    if not align:
        return data
    value = 0
    for index in range(len(data)):
        value |= data[index] << (8 * index)
    value <<= align
    return bytes((value >> (8 * i)) & 0xFF for i in range((align + bits + 7) // 8))
