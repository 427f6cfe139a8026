# The ESP32 port's `machine`, as far as a reader on the counter needs it.
# Signatures and errors follow ports/esp32 of MicroPython 1.28.

import os
import time

from wire import line

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
PIN_WAKE = 2
TIMER_WAKE = 4

_STATE = os.getenv("BESNIK_SIM_NVS")
_INPUT_ONLY = (34, 35, 36, 37, 38, 39)
_NO_PIN = (20, 24, 28, 29, 30, 31)


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if not isinstance(id, int) or not 0 <= id <= 39 or id in _NO_PIN:
            raise ValueError("invalid pin")
        self._id = id
        self._mode = Pin.IN
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if mode in (Pin.OUT, Pin.OPEN_DRAIN) and self._id in _INPUT_ONLY:
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


def _gpio(pin):
    return (pin if isinstance(pin, Pin) else Pin(pin))._id


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


class SoftSPI(SPI):
    def __init__(self, baudrate=500000, **settings):
        SPI.__init__(self, 1, baudrate, **settings)


class PWM:
    def __init__(self, dest, *, freq=5000, duty=None, duty_u16=None, duty_ns=None, invert=False):
        self._gpio = _gpio(dest)
        self._freq = freq
        self._duty_u16 = 32768
        self.init(freq=freq, duty=duty, duty_u16=duty_u16, duty_ns=duty_ns)

    def init(self, *, freq=None, duty=None, duty_u16=None, duty_ns=None, invert=False):
        if freq is not None:
            if not 1 <= freq <= 40000000:
                raise ValueError("frequency must be from 1Hz to 40MHz")
            self._freq = freq
        if duty is not None:
            self._duty_u16 = duty * 64
        if duty_u16 is not None:
            self._duty_u16 = duty_u16
        if duty_ns is not None:
            self._duty_u16 = duty_ns * self._freq * 65535 // 1000000000
        self._duty_u16 = min(max(self._duty_u16, 0), 65535)
        line().pwm(self._gpio, self._freq, self._duty_u16)

    def deinit(self):
        self.init(duty_u16=0)

    def freq(self, value=None):
        if value is None:
            return self._freq
        self.init(freq=value)
        return None

    def duty_u16(self, value=None):
        if value is None:
            return self._duty_u16
        self.init(duty_u16=value)
        return None

    def duty(self, value=None):
        if value is None:
            return self._duty_u16 // 64
        self.init(duty=value)
        return None

    def duty_ns(self, value=None):
        if value is None:
            return self._duty_u16 * 1000000000 // (65535 * self._freq)
        self.init(duty_ns=value)
        return None


# The task watchdog: cannot be stopped; a second WDT changes the timeout (ports/esp32).
# A shell beside this process looks for a sign of life in every period and kills without one.
class WDT:
    _started = False
    _timeout_ms = 0
    _fed_ms = 0

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError("WDT(%d) doesn't exist" % id)
        if timeout < 1:
            raise ValueError("WDT timeout too short")
        WDT._timeout_ms = timeout
        if not _STATE:
            return
        WDT._sign()
        with open(_STATE + ".wdt", "w") as file:
            file.write("%d.%03d" % (timeout // 1000, timeout % 1000))
        if not WDT._started:
            WDT._started = True
            os.system(_WATCHDOG.replace("STATE", _STATE))

    def feed(self):
        if _STATE and time.ticks_diff(time.ticks_ms(), WDT._fed_ms) > WDT._timeout_ms // 4:
            WDT._sign()

    @staticmethod
    def _sign():
        WDT._fed_ms = time.ticks_ms()
        open(_STATE + ".fed", "w").close()


_WATCHDOG = """(while sleep "$(cat 'STATE.wdt')" && kill -0 $PPID; do
  if [ -e 'STATE.fed' ]; then rm 'STATE.fed'
  else printf 3 >'STATE.cause'; kill -KILL $PPID; fi
done) >/dev/null 2>&1 &"""


# The clock of the machine the simulation runs on; it cannot be set.
class RTC:
    def __init__(self, id=0):
        pass

    def datetime(self, moment=None):
        if moment is not None:
            return None
        now = time.gmtime()
        return (now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0)

    def init(self, moment):
        self.datetime(moment)


def _cause():
    if not _STATE:
        return PWRON_RESET
    try:
        with open(_STATE + ".cause") as file:
            cause = int(file.read())
        os.remove(_STATE + ".cause")
        return cause
    except (OSError, ValueError):
        return PWRON_RESET


_reset_cause = _cause()


def reset_cause():
    return _reset_cause


def _die(cause):
    if _STATE:
        with open(_STATE + ".cause", "w") as file:
            file.write(str(cause))
    # SIGKILL: what was not flushed to a file is lost, as on the chip.
    os.system("kill -KILL $PPID")


def reset():
    _die(HARD_RESET)


def soft_reset():
    _die(SOFT_RESET)


def deepsleep(time_ms=0):
    time.sleep_ms(time_ms)
    _die(DEEPSLEEP_RESET)


def lightsleep(time_ms=0):
    time.sleep_ms(time_ms)


def idle():
    pass


def freq(hz=None):
    return 160000000 if hz is None else None


def unique_id():
    return b"\x24\x6f\x28\xbe\x51\x14"


def disable_irq():
    return 0


def enable_irq(state):
    pass
