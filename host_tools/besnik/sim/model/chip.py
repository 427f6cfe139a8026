# The MFRC522: its parts, their power and time, and what they tell each other (reader.md 5.2-5.8).

from . import registers as r
from .access import Access
from .clock import FAR
from .commands import Commands
from .fifo import Fifo
from .modem import Modem
from .timer import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        # The supply cannot feed the field: the registers fall back to reset when it comes on.
        self.sags = False
        # What an odd chip's self-test leaves in the FIFO, no CRCIRq; None: as its version does.
        self.self_test: "bytes | None" = None
        self._wake_ns = FAR
        self._held = False
        self._alerts = 0
        access = Access(self)
        self.read = access.read
        self.write = access.write
        self.reset(clock.now())

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

    # False while NRSTPD is low: the bus is dead.
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
                self.drive_antenna(due)
            elif self.modem.due_ns == due:
                self.modem.step(due)
            else:
                self.timer.expire()
                self.regs[r.COM_IRQ] |= r.TIMER_IRQ
            self.plan()
        self.watch_fifo()

    # ---- what the modem reports ----

    def listening(self) -> bool:
        command = self.regs[r.COMMAND]
        active = command & 0x0F
        return (
            active in (r.TRANSCEIVE, r.RECEIVE, r.MF_AUTHENT)
            and not command & r.RCV_OFF
            and not self.deaf
        )

    def sent(self, now_ns: int) -> None:
        self.regs[r.COM_IRQ] |= r.TX_IRQ
        if self.timer.automatic():
            self.timer.start(now_ns)
        self.commands.sent()

    def received(self, errors: int, now_ns: int) -> None:
        irq = r.RX_IRQ
        if errors:
            irq |= r.ERR_IRQ
        self.regs[r.COM_IRQ] |= irq
        self.commands.received(errors, now_ns)

    def store(self, byte: int) -> None:
        if not self.commands.takes(byte) and not self.fifo.push(byte):
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

    # ---- what the registers ask for ----

    # True while the oscillator starts: CommandReg's PowerDown still reads 1 (8.6.3, 8.8.2).
    def is_starting(self) -> bool:
        return self._wake_ns != FAR

    def irq_is_active(self) -> bool:
        regs = self.regs
        com = regs[r.COM_IRQ] & regs[r.COM_IEN] & 0x7F
        return bool(com or regs[r.DIV_IRQ] & regs[r.DIV_IEN] & 0x14)

    # The IRQ pin's level; ComIEnReg's IRqInv turns it round.
    def irq_pin(self) -> int:
        return int(self.irq_is_active() != bool(self.regs[r.COM_IEN] & 0x80))

    # HiAlertIRq and LoAlertIRq store the moment an alert begins (8.3.3).
    def watch_fifo(self) -> None:
        alerts = (0x08 if self.fifo.high() else 0) | (0x04 if self.fifo.low() else 0)
        if alerts != self._alerts:
            self.regs[r.COM_IRQ] |= alerts & ~self._alerts
            self._alerts = alerts

    # A write to CommandReg: power-down, receiver off, and a command unless it is NoCmdChange.
    def command(self, value: int) -> None:
        now = self.clock.now()
        regs = self.regs
        command = value & 0x0F
        down = value & r.POWER_DOWN
        was_down = regs[r.COMMAND] & r.POWER_DOWN
        if command == r.SOFT_RESET:
            self.reset(now)
            if was_down:
                self._wake_ns = now + WAKE_NS
                self.plan()
            return
        if down and not was_down:
            self.modem.abort()
            self.timer.stop()
            self._wake_ns = FAR
        elif was_down and not down:
            self._wake_ns = now + WAKE_NS
        if self.is_starting():
            down = r.POWER_DOWN
        regs[r.COMMAND] = (regs[r.COMMAND] & 0x0F) | (value & r.RCV_OFF) | down
        if command != r.NO_CHANGE and (command == r.IDLE or self.awake()):
            self.commands.start(command, now)
        self.drive_antenna(now)
        self.plan()

    # The field is there while a driver pin is enabled and the chip is awake.
    def drive_antenna(self, now_ns: int) -> None:
        on = bool(self.regs[r.TX_CONTROL] & 0x03) and self.awake()
        if on and self.sags and not self.field.on:
            self.reset(now_ns)
            return
        self.field.power(on, now_ns)
        if on:
            self.modem.field_on(now_ns)
