# The ESP32 port's `machine`, as far as a reader on the counter needs it.
# Signatures and errors follow ports/esp32 of MicroPython 1.28. What a reader rarely uses is in
# machine_more.py and loaded when asked for: this file sits in the heap that is measured.

import os

from wire import line

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

# The file of the non-volatile storage; beside it is noted why the chip starts.
STATE = os.getenv("BESNIK_SIM_NVS")


def __getattr__(name):
    import machine_more

    return getattr(machine_more, name)


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if not isinstance(id, int) or not 0 <= id <= 39 or id in (20, 24, 28, 29, 30, 31):
            raise ValueError("invalid pin")
        self._id = id
        self._mode = Pin.IN
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if mode in (Pin.OUT, Pin.OPEN_DRAIN) and self._id >= 34:
            raise ValueError("pin can only be input")
        if mode != -1:
            self._mode = mode
        if value is not None:
            self.value(value)

    def value(self, value=None):
        if value is None:
            return line().pin_read(self._id)
        if self._mode != Pin.IN:
            line().pin_write(self._id, 1 if value else 0)
        return None

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not self.value())

    def __repr__(self):
        return "Pin(%d)" % self._id


class SPI:
    MSB = 0
    LSB = 1

    def __init__(self, id, baudrate=1000000, **settings):
        if id not in (1, 2):
            raise ValueError("SPI(%d) doesn't exist" % id)
        self._open = False
        self.init(baudrate, **settings)

    def init(
        self,
        baudrate=1000000,
        *,
        polarity=0,
        phase=0,
        bits=8,
        firstbit=MSB,
        sck=None,
        mosi=None,
        miso=None,
    ):
        if baudrate <= 0:
            raise ValueError("baudrate must be above 0")
        if bits != 8 or firstbit != SPI.MSB:
            raise ValueError("the virtual counter takes 8 bits, most significant first")
        line().spi_setup(baudrate, polarity, phase)
        self._open = True

    def deinit(self):
        self._open = False

    def _exchange(self, out, into):
        if not self._open:
            raise OSError("transfer on deinitialized SPI")
        line().spi_exchange(out, into)

    def write(self, buf):
        self._exchange(buf, None)

    def read(self, nbytes, write=0x00):
        into = bytearray(nbytes)
        self.readinto(into, write)
        return bytes(into)

    def readinto(self, buf, write=0x00):
        self._exchange(bytes((write,)) * len(buf), buf)

    def write_readinto(self, write_buf, read_buf):
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        self._exchange(write_buf, read_buf)


class PWM:
    def __init__(self, dest, *, freq=5000, **duty):
        self._gpio = (dest if isinstance(dest, Pin) else Pin(dest))._id
        self._freq = freq
        self._duty_u16 = 32768
        self.init(freq=freq, **duty)

    def init(self, *, freq=None, duty=None, duty_u16=None, duty_ns=None, invert=False):
        if freq is not None:
            if not 1 <= freq <= 40000000:
                raise ValueError("frequency must be from 1Hz to 40MHz")
            self._freq = freq
        if duty is not None:
            duty_u16 = duty * 64
        elif duty_ns is not None:
            duty_u16 = duty_ns * self._freq * 65535 // 1000000000
        if duty_u16 is not None:
            self._duty_u16 = min(max(duty_u16, 0), 65535)
        line().pwm(self._gpio, self._freq, self._duty_u16)

    def deinit(self):
        self.init(duty_u16=0)

    def freq(self, value=None):
        return self._freq if value is None else self.init(freq=value)

    def duty_u16(self, value=None):
        return self._duty_u16 if value is None else self.init(duty_u16=value)

    def duty(self, value=None):
        return self._duty_u16 // 64 if value is None else self.init(duty=value)

    def duty_ns(self, value=None):
        if value is None:
            return self._duty_u16 * 1000000000 // (65535 * self._freq)
        return self.init(duty_ns=value)


def _why():
    try:
        with open(STATE + ".cause") as file:
            cause = int(file.read())
        os.remove(STATE + ".cause")
        return cause
    except (OSError, ValueError):
        return PWRON_RESET


_cause = _why() if STATE else PWRON_RESET


def reset_cause():
    return _cause


def _die(cause):
    if STATE:
        with open(STATE + ".cause", "w") as file:
            file.write(str(cause))
    # SIGKILL: what was not flushed to a file is lost, as on the chip.
    os.system("kill -KILL $PPID")


def reset():
    _die(HARD_RESET)
