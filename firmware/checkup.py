# Looks at a reader's own parts for a doctor (besnik fleet doctor): loaded when one asks, at the
# serial port or over the air, and forgotten after it. Says what it measured; what that means, and
# what to do about it, the host knows (host_tools/besnik/fleet/doctor). Register and section numbers
# are those of the MFRC522 data sheet, Rev. 3.9.

from iso14443 import CardError
from mfrc522 import GAINS_DB, ChipError
from micropython import const

_COMMAND = const(0x01 << 1)
_COM_IRQ = const(0x04 << 1)
_FIFO_DATA = const(0x09 << 1)
_FIFO_LEVEL = const(0x0A << 1)
_T_PRESCALER = const(0x2B << 1)
_VERSION = const(0x37 << 1)

_CMD_IDLE = const(0)

_VERSIONS = const(16)
_ECHOES = const(8)
_FIFO_SIZE = const(64)
_SLOW_HZ = const(1000000)
_FIELDS = const(8)
_READ = const(0)
_SILENT = const(1)
_DAMAGED = const(2)
# ISO/IEC 14443-3, 5: 5 ms, and one more because the millisecond it begins in may be nearly over.
_FIELD_GUARD_MS = const(6)


# How an mfrc522.MFRC522 is wired, as JSON: versions, what VersionReg read 16 times, in hex; and
# unless the bus is dead: wrong, how many of 512 bytes came back from the FIFO otherwise than they
# were written; wrong_slow, the same at 1 MHz, -1 if nothing was wrong before; rst and irq, 1 when
# that wire works, 0 when not, -1 when no IRQ is configured; kept, how many of 8 times the chip kept
# its settings when the field came on; self_test, as mfrc522_selftest says. Takes half a second.
# Leaves the chip reset, the field off, and the bus slow if it had to be.
def wiring(chip):
    chip.rst(1)
    chip.clock.sleep_us(50000)
    versions = bytes([chip.read(_VERSION) for _ in range(_VERSIONS)])
    text = "".join(["%02X" % version for version in versions])
    if versions == bytes(_VERSIONS) or versions == b"\xff" * _VERSIONS:
        return '{"versions":"%s"}' % text
    try:
        wrong, wrong_slow = _echo(chip), -1
        if wrong:
            chip.spi.init(baudrate=_SLOW_HZ)
            wrong_slow = _echo(chip)
        return '{"versions":"%s","wrong":%d,"wrong_slow":%d,%s}' % (
            text,
            wrong,
            wrong_slow,
            _wires(chip),
        )
    except ChipError as error:
        return '{"versions":"%s","error":"%s"}' % (text, error)


def _wires(chip):
    from mfrc522_selftest import self_test

    rst = _resets(chip)
    irq = _interrupts(chip) if chip.irq else -1
    kept = 0
    for _ in range(_FIELDS):
        chip.reset(False)
        chip.field(True)
        chip.clock.sleep_us(2000)
        kept += chip.is_alive()
    return '"rst":%d,"irq":%d,"kept":%d,"self_test":"%s"' % (rst, irq, kept, self_test(chip))


# Writes the FIFO full and reads it back (8.3); returns how many bytes differ.
def _echo(chip):
    wrong = 0
    chip.write(_COMMAND, _CMD_IDLE)  # while it talks to a card the FIFO is not ours
    for number in range(_ECHOES):
        chip.write(_FIFO_LEVEL, 0x80)
        for i in range(_FIFO_SIZE):
            chip.write(_FIFO_DATA, i * 37 + number * 85 & 0xFF)
        for i in range(_FIFO_SIZE):
            wrong += chip.read(_FIFO_DATA) != i * 37 + number * 85 & 0xFF
    return wrong


# A chip whose reset pin was low has lost what was written (8.8.1).
def _resets(chip):
    chip.reset(False)
    chip.rst(0)
    chip.clock.sleep_us(50)
    chip.rst(1)
    chip.clock.sleep_us(50000)
    return not chip.read(_T_PRESCALER)


# IRQ is low while an enabled interrupt is set (IRqInv, 9.3.1.3), and only then.
def _interrupts(chip):
    chip.reset(False)
    chip.write(_COM_IRQ, 0x7F)
    rests = chip.irq()
    chip.write(_COM_IRQ, 0x81)  # Set1 with TimerIRq
    calls = not chip.irq()
    chip.write(_COM_IRQ, 0x7F)
    return rests and calls


# Whether a card comes within that time. Any gain may be the one it needs.
async def awaits_card(chip, cards, limit_ms):
    clock = chip.clock
    began_ms = clock.ticks_ms()
    while clock.ticks_diff(clock.ticks_ms(), began_ms) < limit_ms:
        for gain_db in GAINS_DB:
            if await _look(chip, cards, gain_db) == _READ:
                return True
    return False


# How often, of so many times, a card that lies there is read at each gain, as JSON: for each gain
# in dB [gain, read, silent, damaged]. cards: iso14443.TypeA. Takes 0.1 s for each time.
async def antenna(chip, cards, times):
    rows = []
    for gain_db in GAINS_DB:
        counts = [0, 0, 0]
        for _ in range(times):
            counts[await _look(chip, cards, gain_db)] += 1
        rows.append("[%d,%d,%d,%d]" % (gain_db, counts[0], counts[1], counts[2]))
    return "[%s]" % ",".join(rows)


# One look with the field switched on anew.
async def _look(chip, cards, gain_db):
    chip.field(False)
    chip.set_gain(gain_db)
    await chip.clock.sleep_ms(_FIELD_GUARD_MS)
    chip.field(True)
    await chip.clock.sleep_ms(_FIELD_GUARD_MS)
    try:
        if not cards.request():
            return _SILENT
        cards.select()
    except CardError as error:
        return _SILENT if error.reason == "timeout" else _DAMAGED
    return _READ
