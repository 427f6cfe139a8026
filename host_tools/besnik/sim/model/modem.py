# Sending a frame and waiting for the answer (MFRC522 8.3, 10.3.1.8; times: reader.md 2.4).

from .air import ETU_NS
from .clock import FAR
from .crc import with_crc
from .reception import CRC_EN, NOT_VALID, Reception
from .registers import BIT_FRAMING, COLL, ERROR, GAIN_DB, MODE, RF_CFG, RX_MODE, TEMP_ERR, TX_MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .air import Answer
    from .chip import Chip
    from .picc import Picc

# Status2Reg ModemState (9.3.1.9).
REST = 0
WAIT_SEND = 1
WAIT_RF = 2
SENDING = 3
WAIT_DATA = 5
RECEIVING = 6

RX_MULTIPLE = 0x04
TX_WAIT_RF = 0x20


class Modem:
    # `host` is the chip: it owns registers, FIFO, timer and field, says whether it is
    # `listening()`, and is told of `sent(t)`, `store(byte)` and `received(errors, t)`.
    def __init__(self, host: "Chip", regs: bytearray):
        self._host = host
        self._regs = regs
        self.due_ns = FAR
        self.state = REST
        self._sending: list[int] = []
        self._end_ns = 0
        # The frame is MFAuthent's own: framing and CRC registers do not touch it or its answer.
        self._own = False
        self._answer: "Answer | None" = None
        self._reception: "Reception | None" = None
        # ControlReg's RxLastBits.
        self.last_bits = 0

    def abort(self) -> None:
        self.state = REST
        self.due_ns = FAR
        self._answer = None
        self._reception = None

    def arm(self) -> None:
        self.state = WAIT_SEND

    # Starts sending what the FIFO holds.
    def send(self, now_ns: int) -> None:
        if not self._host.fifo.data:
            return
        self.abort()
        if self._regs[MODE] & TX_WAIT_RF and not self._host.field.on:
            self.state = WAIT_RF
            return
        self.state = SENDING
        self._own = False
        self._sending = []
        self._load(now_ns + ETU_NS)

    # The field came on while a frame was waiting for it.
    def field_on(self, now_ns: int) -> None:
        if self.state == WAIT_RF:
            self.send(now_ns)

    # Sends bytes that are not in the FIFO (MFAuthent).
    def send_bytes(self, data: bytes, now_ns: int) -> None:
        self.abort()
        self.state = SENDING
        self._own = True
        self._sending = list(data)
        self._end_ns = self.due_ns = now_ns + (2 + 9 * len(data)) * ETU_NS

    # Something happens at `due_ns`: the next byte, the end of a frame, the start of an answer.
    def step(self, t_ns: int) -> None:
        if self.state == SENDING:
            if self._end_ns == t_ns:
                self._sent(t_ns)
            else:
                self._load(t_ns)
        elif self._reception is not None:
            self._receive(self._reception, t_ns)
        elif self._answer is not None:
            self._begin(self._answer, t_ns)

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
        if partial and not self._own and not self._regs[TX_MODE] & CRC_EN:
            bits += partial - 8
        self.state = WAIT_DATA
        self.due_ns = FAR
        self._regs[ERROR] &= TEMP_ERR
        self._regs[COLL] |= NOT_VALID
        gain = GAIN_DB[(self._regs[RF_CFG] >> 4) & 0x07]
        frame = self._host.commands.authent.outgoing(bytes(self._sending), bits)
        self._answer = self._host.field.deliver(frame, bits, t_ns, gain)
        if self._answer is not None:
            self.due_ns = self._answer.start_ns
        self._host.sent(t_ns)

    # The answer begins, whether or not the receiver is on.
    def _begin(self, answer: "Answer", t_ns: int) -> None:
        self.due_ns = FAR
        if self._host.listening():
            self.state = RECEIVING
            answer.data = self._host.commands.authent.incoming(answer.data, answer.bits)
            self._reception = Reception(answer, self._regs, self._own)
            self.due_ns = self._reception.due_ns(t_ns)

    def _receive(self, reception: Reception, t_ns: int) -> None:
        timer = self._host.timer
        if timer.automatic() and not self._regs[RX_MODE] & RX_MULTIPLE:
            timer.stop()
        byte = reception.take(t_ns)
        while byte >= 0:
            self._host.store(byte)
            byte = reception.take(t_ns)
        if t_ns < reception.end_ns:
            self.due_ns = reception.due_ns(t_ns)
            return
        self.abort()
        self.state = WAIT_SEND
        self.last_bits = reception.last_bits
        self._regs[ERROR] |= reception.errors
        self._host.received(reception.errors, t_ns)

    # A card leaves: the rest of its answer never comes. With others still answering it does.
    def lost(self, card: "Picc", now_ns: int) -> None:
        answer = self._answer
        if answer is None or card not in answer.sources or len(answer.sources) > 1:
            return
        if self._reception is not None:
            self._reception.cut(now_ns)
            self.due_ns = self._reception.due_ns(now_ns)
        else:
            self._answer = None
            self.due_ns = FAR
