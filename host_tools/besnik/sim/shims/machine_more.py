# What of `machine` a reader rarely uses; machine.py loads it when it is asked for.

import time
from hashlib import sha256

import machine

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

PIN_WAKE = 2
# Constants of the parts: there once this module is.
for _name, _value in (
    ("OPEN_DRAIN", 7),
    ("PULL_DOWN", 1),
    ("PULL_UP", 2),
    ("IRQ_RISING", 1),
    ("IRQ_FALLING", 2),
):
    setattr(machine.Pin, _name, _value)
machine.SPI.MSB = 0
machine.SPI.LSB = 1

TIMER_WAKE = 4


def pin_settings(pin, drive=None, hold=None):
    pass


def pin_on(pin):
    pin.value(1)


def pin_off(pin):
    pin.value(0)


def pin_toggle(pin):
    pin.value(not pin.value())


def spi_settings(spi, polarity=0, phase=0, bits=8, firstbit=0):
    if bits != 8 or firstbit:
        raise ValueError("the virtual counter takes 8 bits, most significant first")
    return polarity, phase


def spi_deinit(spi):
    spi._open = False


def spi_read(spi, nbytes, write=0x00):
    into = bytearray(nbytes)
    spi.readinto(into, write)
    return bytes(into)


def pwm_settings(pwm, duty_u16, duty=None, duty_ns=None, invert=False):
    if duty is not None:
        return duty * 64
    return duty_u16 if duty_ns is None else duty_ns * pwm._freq * 65535 // 1000000000


def pwm_deinit(pwm):
    pwm.init(duty_u16=0)


def pwm_duty(pwm, value=None):
    return pwm._duty_u16 // 64 if value is None else pwm.init(duty=value)


def pwm_duty_ns(pwm, value=None):
    if value is None:
        return pwm._duty_u16 * 1000000000 // (65535 * pwm._freq)
    return pwm.init(duty_ns=value)


class SoftSPI(machine.SPI):
    def __init__(self, baudrate=500000, **settings):
        machine.SPI.__init__(self, 1, baudrate, **settings)


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


def soft_reset():
    machine._die(SOFT_RESET)


def deepsleep(time_ms=0):
    time.sleep_ms(time_ms)
    machine._die(DEEPSLEEP_RESET)


def lightsleep(time_ms=0):
    time.sleep_ms(time_ms)


def idle():
    pass


def freq(hz=None):
    return 160000000 if hz is None else None


# Each board its own, by where its state is; the first three bytes are Espressif's.
def unique_id():
    return b"\x24\x6f\x28" + sha256((machine.STATE or "").encode()).digest()[:3]


def disable_irq():
    return 0


def enable_irq(state):
    pass
