# The MFRC522's commands (datasheet 10.3).

from . import crc as crc16
from . import registers as r
from .mfauthent import MfAuthent
from .modem import RECEIVING, SENDING, WAIT_DATA
from .noise import Rng
from .selftest import answer as selftest_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .chip import Chip

SELF_TEST = 0x09


class Commands:
    def __init__(self, chip: "Chip"):
        self._chip = chip
        self._buffer = bytes(25)
        self._crc = 0xFFFF
        self._rng = Rng(0x522)
        self.authent = MfAuthent(chip)

    # The 25-byte buffer survives (10.3.1.10: "the data of the internal buffer is unchanged").
    def reset(self) -> None:
        self._crc = 0xFFFF

    def _active(self) -> int:
        return self._chip.regs[r.COMMAND] & 0x0F

    def start(self, command: int, now_ns: int) -> None:
        chip = self._chip
        chip.modem.abort()
        self.authent.stop()
        chip.regs[r.COMMAND] = (chip.regs[r.COMMAND] & 0xF0) | command
        if command == r.IDLE:
            return
        # "The execution of a command clears all error flags except TempErr" (9.3.1.7).
        chip.regs[r.ERROR] &= r.TEMP_ERR
        if command == r.TRANSCEIVE:
            chip.modem.arm()
        elif command == r.CALC_CRC:
            self._calc_crc()
        elif command == r.TRANSMIT:
            chip.modem.send(now_ns)
        elif command == r.MF_AUTHENT:
            self._authenticate(now_ns)
        elif command == r.MEM:
            self._mem()
        elif command == r.RANDOM_ID:
            self._buffer = self._rng.octets(10) + self._buffer[10:]
            chip.idle()
        elif command != r.RECEIVE:
            chip.idle()

    # BitFramingReg's StartSend: only with Transceive, and not while a frame is going out.
    def start_send(self, now_ns: int) -> None:
        if self._active() == r.TRANSCEIVE and self._chip.modem.state != SENDING:
            self._chip.modem.send(now_ns)

    # The frame is out.
    def sent(self) -> None:
        if self._active() == r.TRANSMIT:
            self._chip.regs[r.COMMAND] &= 0xF0
            self._chip.regs[r.COM_IRQ] |= r.IDLE_IRQ

    # Transceive goes on for ever (10.3.1.8); Receive ends by itself (10.3.1.7).
    def received(self, errors: int, now_ns: int) -> None:
        if self._active() == r.RECEIVE:
            self._chip.idle()
        elif self._active() == r.MF_AUTHENT:
            self.authent.received(errors, now_ns)

    # True for a byte of an answer that is not for the FIFO.
    def takes(self, byte: int) -> bool:
        if self._active() != r.MF_AUTHENT:
            return False
        self.authent.take(byte)
        return True

    # WrErr: the host writes during MFAuthent, or between the end of sending and of receiving.
    def fifo_closed(self) -> bool:
        active = self._active()
        if active == r.MF_AUTHENT:
            return True
        return active == r.TRANSCEIVE and self._chip.modem.state in (WAIT_DATA, RECEIVING)

    # The host pushed a byte into the FIFO.
    def fed(self) -> None:
        if self._active() == r.CALC_CRC:
            self._sum()

    def crc_is_zero(self) -> int:
        return 0x40 if self._crc == 0 else 0

    def _calc_crc(self) -> None:
        chip = self._chip
        if chip.regs[r.AUTO_TEST] & 0x0F == SELF_TEST:
            self._self_test()
            return
        self._crc = r.CRC_PRESETS[chip.regs[r.MODE] & 0x03]
        self._sum()

    # 16.1.1: what it gives depends on the internal buffer and on the FIFO, which both must be zero.
    # Some chips never set CRCIRq (miguelbalboa/rfid, PCD_PerformSelfTest).
    def _self_test(self) -> None:
        chip = self._chip
        is_prepared = self._buffer == bytes(25) and chip.fifo.data == [0]
        if chip.self_test is not None:
            chip.fifo.data = list(chip.self_test)
            return
        chip.fifo.data = list(selftest_answer(chip.version if is_prepared else 0))
        chip.regs[r.DIV_IRQ] |= r.CRC_IRQ

    # Sums what is in the FIFO now; the command stays active for what comes later (10.3.1.4).
    def _sum(self) -> None:
        chip = self._chip
        self._crc = crc16.update(self._crc, chip.fifo.data)
        chip.fifo.clear()
        chip.regs[r.CRC_HIGH] = self._crc >> 8
        chip.regs[r.CRC_LOW] = self._crc & 0xFF
        chip.regs[r.DIV_IRQ] |= r.CRC_IRQ

    # 25 bytes into the internal buffer, or out of it when the FIFO is empty (10.3.1.2).
    def _mem(self) -> None:
        fifo = self._chip.fifo
        if fifo.data:
            taken = bytes(fifo.data[:25])
            fifo.data = fifo.data[25:]
            self._buffer = taken + self._buffer[len(taken) :]
        else:
            fifo.data = list(self._buffer)
        self._chip.idle()

    # Twelve bytes: command, block, key, UID (10.3.1.9). Of a card that knows no Crypto1, or not
    # this key, only the timer tells.
    def _authenticate(self, now_ns: int) -> None:
        fifo = self._chip.fifo
        request = fifo.data[:12]
        fifo.data = fifo.data[12:]
        if len(request) == 12:
            self.authent.start(bytes(request), now_ns)
