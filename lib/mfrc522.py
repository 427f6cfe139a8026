# NXP MFRC522 contactless reader IC over SPI.
# Section numbers are those of the MFRC522 data sheet, Rev. 3.9.
#
# The host computes CRC_A itself and reads status in one chained SPI frame, so an exchange costs
# eight frames: idle, clear interrupts, flush, FIFO burst, command, start, status, FIFO burst.

from micropython import const

# Registers (9.2), as SPI address bytes for writing: address << 1 (8.1.2.3). Reading sets bit 7.
_COMMAND = const(0x01 << 1)
_COM_I_EN = const(0x02 << 1)
_COM_IRQ = const(0x04 << 1)
_ERROR = const(0x06 << 1)
_FIFO_DATA = const(0x09 << 1)
_FIFO_LEVEL = const(0x0A << 1)
_CONTROL = const(0x0C << 1)
_BIT_FRAMING = const(0x0D << 1)
_COLL = const(0x0E << 1)
_MODE = const(0x11 << 1)
_TX_MODE = const(0x12 << 1)
_RX_MODE = const(0x13 << 1)
_TX_CONTROL = const(0x14 << 1)
_TX_ASK = const(0x15 << 1)
_MOD_WIDTH = const(0x24 << 1)
_RF_CFG = const(0x26 << 1)
_T_MODE = const(0x2A << 1)
_T_PRESCALER = const(0x2B << 1)
_T_RELOAD_H = const(0x2C << 1)
_T_RELOAD_L = const(0x2D << 1)
_VERSION = const(0x37 << 1)
_READ = const(0x80)

# Commands (10.3).
_CMD_IDLE = const(0x00)
_CMD_TRANSCEIVE = const(0x0C)
_CMD_SOFT_RESET = const(0x0F)

# ComIrqReg (9.3.1.5).
_IRQ_RX = const(0x20)
_IRQ_ERR = const(0x02)
_IRQ_TIMER = const(0x01)

# ErrorReg (9.3.1.7).
_ERR_PROTOCOL = const(0x01)
_ERR_PARITY = const(0x02)
_ERR_COLLISION = const(0x08)
_ERR_OVERFLOW = const(0x10)

# Timer (8.5): (2 * 169 + 1) / 13.56 MHz = 25 us a step, 1.6 s at most.
_TIMER_PRESCALER = const(169)
_TIMER_STEP_US = const(25)
_TIMER_MAX_US = const(0xFFFF * _TIMER_STEP_US)


# So many damaged answers without a clean one between them: too much gain for this card (a strong
# signal overdrives the receiver; ESPuino PR 413 counts it). Never below what a card needs at 1 cm.
_NOISY = const(6)
_GAIN_MIN_DB = const(23)

# Air time of one byte with parity at 106 kbit/s: 9 * 128 / 13.56 MHz.
_BYTE_US = const(85)
# Start of frame, frame delay time of 1236 / fc (ISO 14443-3, 6.2.1.1) and the receiver's own delay.
_TURN_US = const(130)

# What transceive() returns when there is no answer to read; an answer is its number of bits.
TIMEOUT = const(-1)
COLLISION = const(-2)
PARITY = const(-3)
PROTOCOL = const(-4)
OVERFLOW = const(-5)
DEAF = const(-6)

# RxGain in RFCfgReg bits 6 to 4, from 2 on (9.3.3.6).
GAINS_DB = (18, 23, 33, 38, 43, 48)


# The chip does not answer as an MFRC522 does: wiring, power or a dead chip.
class ChipError(Exception):
    pass


# One MFRC522. spi: machine.SPI at 10 MHz or less, mode 0. cs, rst: output pins. clock: ticks_us,
# ticks_diff and sleep_us as in module time, and the coroutine sleep_ms of asyncio; without it,
# MicroPython's own (clock.Clock). irq: an input pin with pull-up, if the chip's IRQ is wired; it
# spares the bus while an answer is awaited.
# These parts are also its attributes spi, rst and irq. Nothing is sent before reset(). rx holds the
# bytes of the last answer; collision_bit the 1-based position of its first collision. gain_db is
# the gain in use, lowered by itself when a card is too loud, until the next reset().
class MFRC522:
    def __init__(self, spi, cs, rst, clock=None, gain_db=33, irq=None):
        if clock is None:
            from clock import Clock

            clock = Clock()
        self.spi = spi
        self._cs = cs
        self.rst = rst
        self.clock = clock
        self._pair = bytearray(2)
        registers = (_COM_IRQ, _ERROR, _FIFO_LEVEL, _CONTROL, _COLL)
        self._status_out = bytes([_READ | register for register in registers]) + b"\0"
        self._status = bytearray(6)
        self._fifo_out = bytearray(65)
        self._fifo_read = bytes([_READ | _FIFO_DATA] * 64) + b"\0"
        self._fifo_in = bytearray(65)
        self._timeout_us = 0
        self.rx = memoryview(self._fifo_in)[1:]
        self.irq = irq
        self._wanted_gain_db = gain_db
        self._noisy = 0
        self.gain_db = gain_db
        self.collision_bit = 0
        self.version = 0
        cs(1)
        rst(1)

    # Hard reset by its pin unless told not to, soft reset, then the settings for ISO 14443 A at 106
    # kbit/s; the field is off. Raises ChipError when the bus is dead (VersionReg 0x00 or 0xFF) or
    # the chip does not start.
    def reset(self, is_hard=True):
        if is_hard:
            self.rst(0)
            self.clock.sleep_us(50)  # NRSTPD low for at least 100 ns (8.8.1)
            self.rst(1)
            self._await_start()
        self.write(_COMMAND, _CMD_SOFT_RESET)
        self._await_start()
        self.version = self.read(_VERSION)
        if self.version in (0x00, 0xFF):
            raise ChipError("no RC522 on the bus: VersionReg 0x%02X" % self.version)
        self.write(_TX_MODE, 0)
        self.write(_RX_MODE, 0)
        self.write(_MOD_WIDTH, 0x26)
        self.write(_T_MODE, 0x80)  # TAuto: runs from the end of sending to the fifth bit received
        self.write(_T_PRESCALER, _TIMER_PRESCALER)
        self.write(_TX_ASK, 0x40)  # 100 % ASK whatever ModGsPReg says (9.3.2.6)
        self.write(_MODE, 0x3D)  # CRC preset 0x6363, TxWaitRF (9.3.2.2)
        self.write(_COLL, 0)  # bits after a collision read as zero (9.3.1.15)
        if self.irq:
            self.write(_COM_I_EN, 0x80 | _IRQ_RX | _IRQ_ERR | _IRQ_TIMER)  # IRqInv: low when set
        self._timeout_us = 0
        self.set_gain(self._wanted_gain_db)

    # Receiver gain in dB, one of GAINS_DB; ValueError otherwise.
    def set_gain(self, gain_db):
        if gain_db not in GAINS_DB:
            raise ValueError("gain_db must be one of %s" % (GAINS_DB,))
        self.gain_db = gain_db
        self.write(_RF_CFG, GAINS_DB.index(gain_db) + 2 << 4 | 0x08)

    # Switches the field. Cards need 5 ms of it before the first request (ISO 14443-3, 5).
    def field(self, on):
        self.write(_TX_CONTROL, 0x83 if on else 0x80)

    # Soft power-down (8.6.2): the field and all but the registers are off. wake_up() ends it, after
    # which field() must be called anew.
    def power_down(self):
        self.write(_TX_CONTROL, 0x80)
        self.write(_COMMAND, 0x10)

    # Ends power_down(); takes about a millisecond. Raises ChipError when the chip does not start.
    def wake_up(self):
        self.write(_COMMAND, _CMD_IDLE)
        self._await_start()

    # True while the chip holds the settings of reset(): a chip that lost power or hangs does not.
    def is_alive(self):
        return self.read(_VERSION) == self.version and self.read(_T_PRESCALER) == _TIMER_PRESCALER

    # Sends the first n bytes of tx (the last one tx_last_bits long, 0 meaning all eight) and waits
    # for the answer, which begins at bit rx_align of rx[0]. rx_bytes is the usual length of the
    # answer: it only decides when to look first. Returns the number of bits in rx, those before
    # rx_align counted, or TIMEOUT, COLLISION (rx holds what was clear), PARITY, PROTOCOL, OVERFLOW;
    # DEAF when the chip does not even say that time ran out.
    def transceive(self, tx, n, tx_last_bits=0, rx_align=0, rx_bytes=1, timeout_us=400):
        self._start(self.burst(tx, n), rx_align << 4 | tx_last_bits, timeout_us)
        if not self._await_answer(n * _BYTE_US + _TURN_US + rx_bytes * _BYTE_US, timeout_us):
            return DEAF
        return self._collect()

    # As transceive() with whole bytes, for an answer that may take long, up to 5 s: other tasks run
    # while it is awaited.
    async def transceive_slowly(self, tx, n, timeout_us):
        self._start(self.burst(tx, n), 0, timeout_us)
        clock = self.clock
        start = clock.ticks_us()
        limit_us = (n + 64) * _BYTE_US + _TURN_US + timeout_us
        clock.sleep_us(n * _BYTE_US + _TURN_US)
        done = _IRQ_RX | _IRQ_TIMER if timeout_us <= _TIMER_MAX_US else _IRQ_RX
        while True:
            # Taken before the look: whatever holds us up in between, a chip is not called deaf on
            # an old look.
            is_late = clock.ticks_diff(clock.ticks_us(), start) > limit_us
            if self.poll_status(done):
                return self._collect()
            if is_late:
                return DEAF if done & _IRQ_TIMER else TIMEOUT
            await clock.sleep_ms(1)

    # Sends a short frame of seven bits given as its two-byte SPI frame, FIFO address first: the
    # idle poll. Allocates nothing. Returns as transceive() does, the answer staying in the FIFO.
    def poll(self, frame, timeout_us=400):
        self._start(frame, 7, timeout_us)
        if not self._await_answer(3 * _BYTE_US + _TURN_US, timeout_us):
            return DEAF
        return self._outcome()

    # The SPI frame that puts the first n bytes of tx into the FIFO.
    def burst(self, tx, n):
        out = self._fifo_out
        out[0] = _FIFO_DATA
        for i in range(n):
            out[i + 1] = tx[i]
        return memoryview(out)[: n + 1]

    def _start(self, fifo, framing, timeout_us):
        self.load(fifo, timeout_us)
        self.write(_COMMAND, _CMD_TRANSCEIVE)
        self.write(_BIT_FRAMING, 0x80 | framing)

    def load(self, fifo, timeout_us):
        if timeout_us != self._timeout_us:
            steps = min(timeout_us, _TIMER_MAX_US) // _TIMER_STEP_US
            self.write(_T_RELOAD_H, steps >> 8 & 0xFF)
            self.write(_T_RELOAD_L, steps & 0xFF)
            self._timeout_us = timeout_us
        self.write(_COMMAND, _CMD_IDLE)
        self.write(_COM_IRQ, 0x7F)
        self.write(_FIFO_LEVEL, 0x80)
        self._cs(0)
        self.spi.write(fifo)
        self._cs(1)

    # Reads the status when the answer should be there, again when the timer should have run out,
    # then often until the deadline. False: neither came, so the chip is deaf.
    def _await_answer(self, expected_us, timeout_us):
        clock = self.clock
        start = clock.ticks_us()
        limit_us = expected_us + timeout_us + 64 * _BYTE_US
        clock.sleep_us(expected_us)
        if self.poll_status():
            return True
        left_us = timeout_us - clock.ticks_diff(clock.ticks_us(), start) + 170
        if left_us > 0:
            clock.sleep_us(left_us)
        while True:
            is_late = clock.ticks_diff(clock.ticks_us(), start) > limit_us
            if self.poll_status():
                return True
            if is_late:
                return False
            clock.sleep_us(_BYTE_US)

    # Reads ComIrq, Error, FIFOLevel, Control and Coll in one chained frame (8.1.2.2). Returns those
    # of the interrupts in done that have come, or ErrIRq when the FIFO has overflowed: a card that
    # talks on and on is not waited for.
    def poll_status(self, done=_IRQ_RX | _IRQ_TIMER):
        if self.irq and self.irq():
            return 0
        self._cs(0)
        self.spi.write_readinto(self._status_out, self._status)
        self._cs(1)
        irq = self._status[1]
        if irq == 0xFF:
            return 0
        return _IRQ_ERR if self._status[2] & _ERR_OVERFLOW else irq & done

    def _collect(self):
        level = self._status[3]
        if level > 64:
            return DEAF
        if level and self._status[1] & _IRQ_RX:
            self._cs(0)
            self.spi.write_readinto(
                memoryview(self._fifo_read)[64 - level :], memoryview(self._fifo_in)[: level + 1]
            )
            self._cs(1)
        return self._outcome()

    def _outcome(self):
        error = self._status[2]
        if not self._status[1] & _IRQ_RX:
            return OVERFLOW if error & _ERR_OVERFLOW else TIMEOUT
        if error & _ERR_COLLISION:
            coll = self._status[5]
            # CollPos 0 means bit 32; bit 5 means a collision beyond that (9.3.1.15).
            self.collision_bit = (coll & 0x1F or 32) if not coll & 0x20 else 0
            return COLLISION
        if error & _ERR_OVERFLOW:
            return OVERFLOW
        if error & (_ERR_PARITY | _ERR_PROTOCOL):
            self._noisy += 1
            if self._noisy >= _NOISY and self.gain_db > _GAIN_MIN_DB:
                self._noisy = 0
                self.set_gain(GAINS_DB[GAINS_DB.index(self.gain_db) - 1])
            return PARITY if error & _ERR_PARITY else PROTOCOL
        self._noisy = 0
        last_bits = self._status[4] & 0x07
        level = self._status[3]
        return level * 8 if not last_bits else (level - 1) * 8 + last_bits

    # PowerDown in CommandReg reads 1 until the oscillator runs (8.8.2): about 1 ms, 50 at most.
    def _await_start(self):
        for _ in range(50):
            self.clock.sleep_us(1000)
            if not self.read(_COMMAND) & 0x10:
                return
        raise ChipError("RC522 does not start: CommandReg 0x%02X" % self.read(_COMMAND))

    def write(self, register, value):
        pair = self._pair
        pair[0] = register
        pair[1] = value
        self._cs(0)
        self.spi.write(pair)
        self._cs(1)

    def read(self, register):
        pair = self._pair
        pair[0] = _READ | register
        pair[1] = 0
        self._cs(0)
        self.spi.write_readinto(pair, pair)
        self._cs(1)
        return pair[1]
