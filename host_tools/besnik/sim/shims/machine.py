# The ESP32 port's `machine`, as far as a reader on the counter needs it.
# Signatures and errors follow ports/esp32 of MicroPython 1.28. What a reader rarely uses is in
# machine_more.py and loaded when asked for: this file sits in the heap that is measured.

import os
from os import remove

from micropython import const
from wire import line

_PWRON_RESET = const(1)
_HARD_RESET = const(2)
_OPEN_DRAIN = const(7)

# The file of the non-volatile storage; beside it is noted why the chip starts.
STATE = os.getenv("BESNIK_SIM_NVS")


def __getattr__(name):
    # The watchdog of a running reader, and all the rest.
    more = __import__("machine_wdt" if name == "WDT" else "machine_more")
    return getattr(more, name)


# A function of machine_more as a method of a part.
def _more(name, part):
    import machine_more

    function = getattr(machine_more, name)
    return lambda *args, **named: function(part, *args, **named)


class Pin:
    IN = 1
    OUT = 3

    def __init__(self, id, mode=-1, pull=-1, *, value=None, **rest):
        if not isinstance(id, int) or not 0 <= id <= 39 or id in (20, 24, 28, 29, 30, 31):
            raise ValueError("invalid pin")
        self._id = id
        self._mode = Pin.IN
        self.init(mode, pull, value=value, **rest)

    # Methods that are not here, and settings: machine_more has them as functions of the part.
    def __getattr__(self, name):
        return _more("pin_" + name, self)

    def init(self, mode=-1, pull=-1, *, value=None, **rest):
        if rest:
            _more("pin_settings", self)(**rest)
        if mode in (Pin.OUT, _OPEN_DRAIN) and self._id >= 34:
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

    def __repr__(self):
        return "Pin(%d)" % self._id


class SPI:
    def __init__(self, id, baudrate=1000000, **settings):
        if id not in (1, 2):
            raise ValueError("SPI(%d) doesn't exist" % id)
        self._open = False
        self.init(baudrate, **settings)

    def __getattr__(self, name):
        return _more("spi_" + name, self)

    def init(self, baudrate=1000000, *, sck=None, mosi=None, miso=None, **rest):
        if baudrate <= 0:
            raise ValueError("baudrate must be above 0")
        line().spi_setup(baudrate, *(_more("spi_settings", self)(**rest) if rest else ()))
        self._open = True

    def write(self, buf, into=None):
        if not self._open:
            raise OSError("transfer on deinitialized SPI")
        line().spi_exchange(buf, into)

    def readinto(self, buf, write=0x00):
        self.write(bytes((write,)) * len(buf), buf)

    def write_readinto(self, write_buf, read_buf):
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        self.write(write_buf, read_buf)


class PWM:
    def __init__(self, dest, *, freq=5000, **duty):
        self._gpio = (dest if isinstance(dest, Pin) else Pin(dest))._id
        self._freq = freq
        self._duty_u16 = 32768
        self.init(freq=freq, **duty)

    def __getattr__(self, name):
        return _more("pwm_" + name, self)

    def init(self, *, freq=None, duty_u16=None, **rest):
        if freq is not None:
            if not 1 <= freq <= 40000000:
                raise ValueError("frequency must be from 1Hz to 40MHz")
            self._freq = freq
        if rest:
            duty_u16 = _more("pwm_settings", self)(duty_u16, **rest)
        if duty_u16 is not None:
            self._duty_u16 = min(max(duty_u16, 0), 65535)
        line().pwm(self._gpio, self._freq, self._duty_u16)

    def freq(self, value=None):
        return self._freq if value is None else self.init(freq=value)

    def duty_u16(self, value=None):
        return self._duty_u16 if value is None else self.init(duty_u16=value)


def _why():
    try:
        with open(STATE + ".cause") as file:
            cause = int(file.read())
        remove(STATE + ".cause")
        return cause
    except (OSError, ValueError):
        return _PWRON_RESET


_cause = _why() if STATE else _PWRON_RESET


def reset_cause():
    return _cause


def _die(cause):
    if STATE:
        with open(STATE + ".cause", "w") as file:
            file.write(str(cause))
    # SIGKILL: what was not flushed to a file is lost, as on the chip.
    os.system("kill -KILL $PPID")


def reset():
    _die(_HARD_RESET)
