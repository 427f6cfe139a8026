# The MFRC522 as its host sees it: registers, interrupt bits, power (reader.md 5.2-5.8).

from . import registers as r
from .clock import FAR
from .commands import Commands
from .fifo import Fifo
from .modem import Modem
from .timer import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .air import Field
    from .clock import Clock
    from .picc import Picc

# 1024 oscillator clocks (8.6.3) and a crystal that needs about 0.4 ms.
WAKE_NS = 37740 + 400000


class Chip:
    def __init__(self, clock: "Clock", field: "Field", version: int = 0x92):
        self.clock = clock
        self.field = field
        self.version = version
        self.regs = bytearray(64)
        self.fifo = Fifo(self.regs)
        self.timer = Timer(self.regs)
        self.modem = Modem(self, self.regs)
        self.commands = Commands(self)
        self.next_ns = FAR
        # A receiver that has locked up and comes back with a reset only (reader.md 3.1).
        self.deaf = False
        self._wake_ns = FAR
        self._held = False
        self._alerts = 0
        self._readers: "list[Callable[[], int] | None]" = [None] * 64
        self._writers: "list[Callable[[int], None] | None]" = [None] * 64
        self._connect()
        self.reset(clock.now())

    def _connect(self) -> None:
        read, write = self._readers, self._writers
        read[r.COMMAND] = self._read_command
        read[r.STATUS1] = self._read_status1
        read[r.STATUS2] = self._read_status2
        read[r.FIFO_DATA] = self._read_fifo
        read[r.FIFO_LEVEL] = lambda: len(self.fifo.data)
        read[r.CONTROL] = lambda: 0x10 | self.modem.last_bits
        read[r.VERSION] = lambda: self.version
        read[r.T_COUNTER_HIGH] = lambda: self.timer.counter(self.clock.now()) >> 8
        read[r.T_COUNTER_LOW] = lambda: self.timer.counter(self.clock.now()) & 0xFF
        write[r.COMMAND] = self._write_command
        write[r.COM_IRQ] = lambda v: self._mark(r.COM_IRQ, v, 0x7F)
        write[r.DIV_IRQ] = lambda v: self._mark(r.DIV_IRQ, v, 0x14)
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

    # ---- power ----

    # Everything as after NRSTPD or SoftReset (10.3.1.10).
    def reset(self, now_ns: int) -> None:
        regs = self.regs
        for address in range(64):
            regs[address] = r.RESET.get(address, 0)
        self.fifo.clear()
        self.timer.stop()
        self.modem.abort()
        self.modem.last_bits = 0
        self.commands.reset()
        self.field.power(False, now_ns)
        self._wake_ns = FAR
        self._alerts = 0x04
        self.deaf = False
        self.plan()

    # The supply dips: registers fall back to reset, nobody tells the host (reader.md 3.1).
    def brownout(self) -> None:
        now = self.clock.now()
        self.catch_up(now)
        self.reset(now)

    # The NRSTPD pin: low is hard power-down, the rising edge a reset (8.8.1).
    def hold_reset(self, held: bool) -> None:
        if held == self._held:
            return
        now = self.clock.now()
        self.catch_up(now)
        self.reset(now)
        self._held = held
        if not held:
            self._wake_ns = now + WAKE_NS
            self.plan()

    # False while the host gets no sense out of the chip: in reset or starting up after it.
    def answers(self) -> bool:
        return not self._held

    def awake(self) -> bool:
        return not self._held and self._wake_ns == FAR and not self.regs[r.COMMAND] & r.POWER_DOWN

    # ---- time ----

    def plan(self) -> None:
        due = self.modem.due_ns
        if self.timer.due_ns < due:
            due = self.timer.due_ns
        if self._wake_ns < due:
            due = self._wake_ns
        self.next_ns = due

    # Lets everything happen that was due by `now_ns`, in order.
    def catch_up(self, now_ns: int) -> None:
        while self.next_ns <= now_ns:
            due = self.next_ns
            if self._wake_ns == due:
                self._wake_ns = FAR
                self.regs[r.COMMAND] &= ~r.POWER_DOWN
            elif self.modem.due_ns == due:
                self.modem.step(due)
            else:
                self.timer.expire()
                self.regs[r.COM_IRQ] |= r.TIMER_IRQ
            self.plan()
        self._watch_fifo()

    # ---- what the modem reports ----

    def listening(self) -> bool:
        command = self.regs[r.COMMAND]
        active = command & 0x0F
        return active in (r.TRANSCEIVE, r.RECEIVE) and not command & r.RCV_OFF and not self.deaf

    def sent(self, now_ns: int) -> None:
        self.regs[r.COM_IRQ] |= r.TX_IRQ
        if self.timer.automatic():
            self.timer.start(now_ns)
        self.commands.sent()

    def received(self, errors: int) -> None:
        irq = r.RX_IRQ
        if errors:
            irq |= r.ERR_IRQ
        self.regs[r.COM_IRQ] |= irq
        self.commands.received()

    def store(self, byte: int) -> None:
        if not self.fifo.push(byte):
            self.error(r.BUFFER_OVFL)

    def error(self, bit: int) -> None:
        self.regs[r.ERROR] |= bit
        self.regs[r.COM_IRQ] |= r.ERR_IRQ

    # A command ended by itself (9.3.1.5): the host's own Idle does not come here.
    def idle(self) -> None:
        self.regs[r.COMMAND] &= 0xF0
        self.regs[r.COM_IRQ] |= r.IDLE_IRQ
        self.modem.abort()

    # A card leaves or comes: what is on the air so far is settled first.
    def before_cards_change(self, leaving: "Picc | None" = None) -> None:
        now = self.clock.now()
        self.catch_up(now)
        if leaving is not None:
            self.modem.lost(leaving, now)
            self.plan()

    # ---- register access ----

    def read(self, address: int) -> int:
        reader = self._readers[address]
        return reader() if reader else self.regs[address]

    def write(self, address: int, value: int) -> None:
        if self._wake_ns != FAR and address != r.COMMAND:
            return
        writer = self._writers[address]
        if writer:
            writer(value)
        else:
            self.regs[address] = value

    def irq_pin(self) -> int:
        active = self._irq_active()
        inverted = self.regs[r.COM_IEN] & 0x80
        return int(active != bool(inverted))

    def _irq_active(self) -> bool:
        regs = self.regs
        com = regs[r.COM_IRQ] & regs[r.COM_IEN] & 0x7F
        return bool(com or regs[r.DIV_IRQ] & regs[r.DIV_IEN] & 0x14)

    def _ignore(self, value: int) -> None:
        pass

    # Set1/Set2: the marked bits are set, or without it cleared.
    def _mark(self, address: int, value: int, mask: int) -> None:
        if value & 0x80:
            self.regs[address] |= value & mask
        else:
            self.regs[address] &= ~value & 0xFF

    def _read_command(self) -> int:
        starting = r.POWER_DOWN if self._wake_ns != FAR else 0
        return self.regs[r.COMMAND] | starting

    def _write_command(self, value: int) -> None:
        now = self.clock.now()
        regs = self.regs
        if value & 0x0F == r.SOFT_RESET:
            self.reset(now)
            return
        down = value & r.POWER_DOWN
        was_down = regs[r.COMMAND] & r.POWER_DOWN
        if down and not was_down:
            self.modem.abort()
            self.timer.stop()
            self.field.power(False, now)
            self._wake_ns = FAR
        elif was_down and not down:
            self._wake_ns = now + WAKE_NS
        regs[r.COMMAND] = (regs[r.COMMAND] & 0x0F) | (value & r.RCV_OFF) | down
        if self._wake_ns != FAR:
            regs[r.COMMAND] |= r.POWER_DOWN
        command = value & 0x0F
        if command != r.NO_CHANGE and (command == r.IDLE or self.awake()):
            self.commands.start(command, now)
        if not down:
            self._antenna(now)
        self.plan()

    def _read_status1(self) -> int:
        value = 0x20 | self.commands.crc_is_zero()
        if self._irq_active():
            value |= 0x10
        if self.timer.running():
            value |= 0x08
        return value | (0x02 if self.fifo.high() else 0) | (0x01 if self.fifo.low() else 0)

    def _read_status2(self) -> int:
        return (self.regs[r.STATUS2] & 0x48) | self.modem.state

    # MFCrypto1On can be cleared but not set by the host (9.3.1.9).
    def _write_status2(self, value: int) -> None:
        self.regs[r.STATUS2] = (self.regs[r.STATUS2] & value & 0x08) | (value & 0x40)

    def _read_fifo(self) -> int:
        byte = self.fifo.pop()
        self._watch_fifo()
        return byte

    def _write_fifo(self, value: int) -> None:
        if self.commands.fifo_closed():
            self.error(r.WR_ERR)
            return
        self.store(value)
        self.commands.fed()
        self._watch_fifo()

    def _write_fifo_level(self, value: int) -> None:
        if value & 0x80:
            self.fifo.clear()
            self.regs[r.ERROR] &= ~r.BUFFER_OVFL & 0xFF
            self._watch_fifo()

    def _write_water_level(self, value: int) -> None:
        self.regs[r.WATER_LEVEL] = value & 0x3F
        self._watch_fifo()

    # HiAlertIRq and LoAlertIRq store the moment an alert begins (8.3.3).
    def _watch_fifo(self) -> None:
        alerts = (0x08 if self.fifo.high() else 0) | (0x04 if self.fifo.low() else 0)
        if alerts != self._alerts:
            self.regs[r.COM_IRQ] |= alerts & ~self._alerts
            self._alerts = alerts

    def _write_control(self, value: int) -> None:
        if value & 0x80:
            self.timer.stop()
        elif value & 0x40:
            self.timer.start(self.clock.now())
        self.plan()

    def _write_bit_framing(self, value: int) -> None:
        self.regs[r.BIT_FRAMING] = value & 0xF7
        if value & 0x80:
            self.commands.start_send(self.clock.now())
            self.plan()

    def _write_coll(self, value: int) -> None:
        self.regs[r.COLL] = (self.regs[r.COLL] & 0x3F) | (value & 0x80)

    def _write_tx_control(self, value: int) -> None:
        self.regs[r.TX_CONTROL] = value
        self._antenna(self.clock.now())
        self.plan()

    def _antenna(self, now_ns: int) -> None:
        on = bool(self.regs[r.TX_CONTROL] & 0x03) and self.awake()
        self.field.power(on, now_ns)
        if on:
            self.modem.field_on(now_ns)
