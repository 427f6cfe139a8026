# The MFRC522's registers as its host reads and writes them (datasheet chapter 9).

from . import registers as r

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .chip import Chip


# Registers that are more than a place to keep a byte have a handler; the others are in `regs`.
class Access:
    def __init__(self, chip: "Chip"):
        self._chip = chip
        self._regs = chip.regs
        self._fifo = chip.fifo
        self._readers: "list[Callable[[], int] | None]" = [None] * 64
        self._writers: "list[Callable[[int], None] | None]" = [None] * 64
        self._connect()

    def _connect(self) -> None:
        chip = self._chip
        read, write = self._readers, self._writers
        read[r.COMMAND] = self._read_command
        read[r.STATUS1] = self._read_status1
        read[r.STATUS2] = self._read_status2
        read[r.FIFO_DATA] = self._read_fifo
        read[r.FIFO_LEVEL] = lambda: len(self._fifo.data)
        read[r.CONTROL] = lambda: 0x10 | chip.modem.last_bits
        read[r.VERSION] = lambda: chip.version
        read[r.T_COUNTER_HIGH] = lambda: chip.timer.counter(chip.clock.now()) >> 8
        read[r.T_COUNTER_LOW] = lambda: chip.timer.counter(chip.clock.now()) & 0xFF
        write[r.COMMAND] = chip.command
        write[r.COM_IRQ] = lambda value: self._mark(r.COM_IRQ, value, 0x7F)
        write[r.DIV_IRQ] = lambda value: self._mark(r.DIV_IRQ, value, 0x14)
        write[r.STATUS2] = self._write_status2
        write[r.FIFO_DATA] = self._write_fifo
        write[r.FIFO_LEVEL] = self._write_fifo_level
        write[r.WATER_LEVEL] = self._write_water_level
        write[r.CONTROL] = self._write_control
        write[r.BIT_FRAMING] = self._write_bit_framing
        write[r.COLL] = self._write_coll
        write[r.TX_CONTROL] = self._write_tx_control
        for address in r.READ_ONLY:
            write[address] = self._ignore

    def read(self, address: int) -> int:
        reader = self._readers[address]
        return reader() if reader else self._regs[address]

    def write(self, address: int, value: int) -> None:
        if address != r.COMMAND and self._chip.is_starting():
            return
        writer = self._writers[address]
        if writer:
            writer(value)
        else:
            self._regs[address] = value

    def _ignore(self, value: int) -> None:
        pass

    # Set1/Set2: the marked bits are set, or without it cleared (9.3.1.5, 9.3.1.6).
    def _mark(self, address: int, value: int, mask: int) -> None:
        if value & 0x80:
            self._regs[address] |= value & mask
        else:
            self._regs[address] &= ~value & 0xFF

    def _read_command(self) -> int:
        return self._regs[r.COMMAND] | (r.POWER_DOWN if self._chip.is_starting() else 0)

    def _read_status1(self) -> int:
        chip = self._chip
        value = 0x20 | chip.commands.crc_is_zero()
        if chip.irq_is_active():
            value |= 0x10
        if chip.timer.running():
            value |= 0x08
        return value | (0x02 if self._fifo.high() else 0) | (0x01 if self._fifo.low() else 0)

    def _read_status2(self) -> int:
        return (self._regs[r.STATUS2] & 0x48) | self._chip.modem.state

    # MFCrypto1On can be cleared but not set by the host (9.3.1.9).
    def _write_status2(self, value: int) -> None:
        self._regs[r.STATUS2] = (self._regs[r.STATUS2] & value & 0x08) | (value & 0x40)

    def _read_fifo(self) -> int:
        byte = self._fifo.pop()
        self._chip.watch_fifo()
        return byte

    def _write_fifo(self, value: int) -> None:
        chip = self._chip
        if chip.commands.fifo_closed():
            chip.error(r.WR_ERR)
            return
        chip.store(value)
        chip.commands.fed()
        chip.watch_fifo()

    def _write_fifo_level(self, value: int) -> None:
        if value & 0x80:
            self._fifo.clear()
            self._regs[r.ERROR] &= ~r.BUFFER_OVFL & 0xFF
            self._chip.watch_fifo()

    def _write_water_level(self, value: int) -> None:
        self._regs[r.WATER_LEVEL] = value & 0x3F
        self._chip.watch_fifo()

    def _write_control(self, value: int) -> None:
        chip = self._chip
        if value & 0x80:
            chip.timer.stop()
        elif value & 0x40:
            chip.timer.start(chip.clock.now())
        chip.plan()

    def _write_bit_framing(self, value: int) -> None:
        self._regs[r.BIT_FRAMING] = value & 0xF7
        if value & 0x80:
            self._chip.commands.start_send(self._chip.clock.now())
            self._chip.plan()

    def _write_coll(self, value: int) -> None:
        self._regs[r.COLL] = (self._regs[r.COLL] & 0x3F) | (value & 0x80)

    def _write_tx_control(self, value: int) -> None:
        self._regs[r.TX_CONTROL] = value
        self._chip.drive_antenna(self._chip.clock.now())
        self._chip.plan()
