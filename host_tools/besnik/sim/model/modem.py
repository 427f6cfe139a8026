# Sending and receiving one frame at a time (MFRC522 8.3, 10.3.1.8; times: reader.md 2.4).

from .air import ETU_NS
from .clock import FAR
from .crc import crc_ok, with_crc
from .noise import PARITY
from .registers import (
    BIT_FRAMING,
    COLL,
    COLL_ERR,
    CRC_ERR,
    ERROR,
    GAIN_DB,
    MODE,
    PARITY_ERR,
    PROTOCOL_ERR,
    RF_CFG,
    RX_MODE,
    TEMP_ERR,
    TX_MODE,
)

# Status2Reg ModemState (9.3.1.9).
REST = 0
WAIT_SEND = 1
WAIT_RF = 2
SENDING = 3
WAIT_DATA = 5
RECEIVING = 6

CRC_EN = 0x80
RX_MULTIPLE = 0x04
TX_WAIT_RF = 0x20
NOT_VALID = 0x20
VALUES_AFTER_COLL = 0x80


class Modem:
    # `host` is the chip: it owns registers, FIFO, timer and field, says whether it is
    # `listening()`, and is told of `sent(t)`, `store(byte)` and `received(errors)`.
    def __init__(self, host, regs: bytearray):
        self._host = host
        self._regs = regs
        self.due_ns = FAR
        self.state = REST
        self._sending = []
        self._answer = None
        self._store = b""
        self._stored = 0
        self._end_ns = 0
        self._errors = 0
        self.last_bits = 0

    def abort(self) -> None:
        self.state = REST
        self.due_ns = FAR
        self._answer = None

    def arm(self) -> None:
        self.state = WAIT_SEND

    # Starts sending what the FIFO holds.
    def send(self, now_ns: int) -> None:
        if not self._host.fifo.data:
            return
        self._answer = None
        if self._regs[MODE] & TX_WAIT_RF and not self._host.field.on:
            self.state = WAIT_RF
            self.due_ns = FAR
            return
        self.state = SENDING
        self._sending = []
        self._load(now_ns + ETU_NS)

    # The field came on while a frame was waiting for it.
    def field_on(self, now_ns: int) -> None:
        if self.state == WAIT_RF:
            self.send(now_ns)

    # Sends bytes that are not in the FIFO (MFAuthent).
    def send_bytes(self, data: bytes, now_ns: int) -> None:
        self.state = SENDING
        self._answer = None
        self._sending = list(data)
        self._end_ns = self.due_ns = now_ns + (2 + 9 * len(data)) * ETU_NS

    # Something happens at `due_ns`: the next byte, the end of a frame, the start of an answer.
    def step(self, t_ns: int) -> None:
        if self.state == SENDING:
            if self._end_ns == t_ns:
                self._sent(t_ns)
            else:
                self._load(t_ns)
        elif self.state == WAIT_DATA:
            self._begin(t_ns)
        elif self.state == RECEIVING:
            self._take(t_ns)

    # A byte moves from the FIFO to the transmitter; when none is left the frame ends.
    def _load(self, t_ns: int) -> None:
        fifo = self._host.fifo
        self._end_ns = 0
        if not fifo.data:
            self._finish(t_ns)
            return
        self._sending.append(fifo.pop())
        partial = self._regs[BIT_FRAMING] & 0x07
        if partial and not fifo.data:
            self._end_ns = self.due_ns = t_ns + (partial + 1) * ETU_NS
        else:
            self.due_ns = t_ns + 9 * ETU_NS

    def _finish(self, t_ns: int) -> None:
        extra = 1
        if self._regs[TX_MODE] & CRC_EN:
            self._sending = list(with_crc(bytes(self._sending)))
            extra = 19
        self._end_ns = self.due_ns = t_ns + extra * ETU_NS

    def _sent(self, t_ns: int) -> None:
        bits = 8 * len(self._sending)
        partial = self._regs[BIT_FRAMING] & 0x07
        if partial and not self._regs[TX_MODE] & CRC_EN:
            bits += partial - 8
        self.state = WAIT_DATA
        self.due_ns = FAR
        self._regs[ERROR] &= TEMP_ERR
        self._regs[COLL] |= NOT_VALID
        gain = GAIN_DB[(self._regs[RF_CFG] >> 4) & 0x07]
        self._answer = self._host.field.deliver(bytes(self._sending), bits, t_ns, gain)
        if self._answer is not None:
            self.due_ns = self._answer.start_ns
        self._host.sent(t_ns)

    # The answer begins. Stored bits start at bit RxAlign of the first FIFO byte.
    def _begin(self, t_ns: int) -> None:
        answer = self._answer
        if not self._host.listening():
            self.due_ns = FAR
            return
        self.state = RECEIVING
        align = (self._regs[BIT_FRAMING] >> 4) & 0x07
        self._errors = 0
        self._prepare(align)
        self._stored = 0
        self._end_ns = t_ns + (2 + answer.bits + answer.bits // 8) * ETU_NS
        # The fifth bit, start bit included, stops the timer (9.3.3.10).
        self.due_ns = min(t_ns + 5 * ETU_NS, self._end_ns)

    def _prepare(self, align: int) -> None:
        answer = self._answer
        data = answer.data
        if answer.fault:
            self._errors |= PARITY_ERR if answer.fault == PARITY else PROTOCOL_ERR
            data = spoilt(data)
        if answer.collision >= 0:
            self._errors |= COLL_ERR
            data = self._collide(data, align)
        if self._regs[RX_MODE] & CRC_EN:
            if answer.bits % 8 or not crc_ok(data):
                self._errors |= CRC_ERR
            if answer.bits % 8 == 0 and len(data) > 2:
                data = data[:-2]
                self.last_bits = 0
                self._store = data
                return
        self.last_bits = (align + answer.bits) % 8
        self._store = shifted(data, align, answer.bits)

    # CollPos counts from bit 0 of the first FIFO byte, so bits skipped by RxAlign count:
    # NXP's own driver takes CollPos - 1 for the number of valid bits in the FIFO.
    def _collide(self, data: bytes, align: int) -> bytes:
        position = self._answer.collision + align + 1
        coll = self._regs[COLL] & VALUES_AFTER_COLL
        if position > 32:
            self._regs[COLL] = coll | NOT_VALID
        else:
            self._regs[COLL] = coll | (position & 0x1F)
        if coll:
            return data
        return keep_first(data, self._answer.collision + 1)

    def _take(self, t_ns: int) -> None:
        timer = self._host.timer
        if timer.automatic() and not self._regs[RX_MODE] & RX_MULTIPLE:
            timer.stop()
        store = self._store
        done = t_ns >= self._end_ns
        start = self._answer.start_ns
        while self._stored < len(store) and (
            done or t_ns >= start + (1 + 9 * (self._stored + 1)) * ETU_NS
        ):
            self._host.store(store[self._stored])
            self._stored += 1
        if done:
            self.state = WAIT_SEND
            self.due_ns = FAR
            self._regs[ERROR] |= self._errors
            self._host.received(self._errors)
        else:
            self.due_ns = min(self._end_ns, start + (1 + 9 * (self._stored + 1)) * ETU_NS)

    # A card leaves: the rest of its answer never comes. With others still answering it does.
    def lost(self, card, now_ns: int) -> None:
        answer = self._answer
        if answer is None or card not in answer.sources or len(answer.sources) > 1:
            return
        if self.state == WAIT_DATA:
            self._answer = None
            self.due_ns = FAR
        elif self.state == RECEIVING:
            bits = answer.bits
            answer.cut(now_ns)
            if answer.bits < bits:
                answer.fault = 0
                self._prepare((self._regs[BIT_FRAMING] >> 4) & 0x07)
                self._end_ns = self.due_ns = now_ns


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
