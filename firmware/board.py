# The ESP32 and what is wired to it: the only file that imports machine, network and esp32.

import asyncio
import time

import esp32
import machine
import network
import ntptime
from micropython import const

_NAMESPACE = const("besnik")
_BOOTS = const("boots")
_TIME = const("time")
_IS_GUESSED = const("guessed")
_BUZZER_HZ = const(2400)
# time.time() counts from 2000 on an ESP32 and from 1970 elsewhere: the epoch itself tells.
_UNIX_OFFSET_S = 946684800 if time.gmtime(0)[0] == 2000 else 0
_EARLIEST_YEAR = const(2025)  # before this firmware was written: such a clock was never set
# The host dates certificates from here on, so that a reader that never had the time takes them.
_EARLIEST_S = const(1767225600)  # 2026-01-01
_KEEP_S = const(36000)  # how old the time in NVS may become: two writes a day


# Time as the application sees it. quality: 0 never set, 1 kept over a reset, 2 from the network.
class Clock:
    ticks_ms = staticmethod(time.ticks_ms)
    ticks_us = staticmethod(time.ticks_us)
    ticks_diff = staticmethod(time.ticks_diff)
    sleep_us = staticmethod(time.sleep_us)
    sleep_ms = staticmethod(asyncio.sleep_ms)

    # servers: whom to ask for the time, each in its turn until one answers.
    def __init__(self, servers=None):
        self._servers = servers or [ntptime.host]
        is_set = time.gmtime()[0] >= _EARLIEST_YEAR and not stored(_IS_GUESSED)
        self.quality = 1 if is_set else 0

    # Seconds since 1970.
    def unix_s(self):
        return int(time.time()) + _UNIX_OFFSET_S

    # Asks the network for the time; blocks for a second at most when nobody answers. True when set.
    def set_from_network(self):
        ntptime.host = self._servers[0]
        try:
            ntptime.settime()
        except (OSError, IndexError):
            self._servers.append(self._servers.pop(0))
            return False
        self.quality = 2
        if abs(self.unix_s() - stored(_TIME)) > _KEEP_S:
            store(_TIME, self.unix_s())
            store(_IS_GUESSED, 0)
        return True

    # A clock that nobody has set goes on from the last time the network told, so that certificates
    # can be checked; quality stays 0.
    def guess(self):
        if not self.quality and time.gmtime()[0] < _EARLIEST_YEAR:
            guess = time.gmtime(max(stored(_TIME), _EARLIEST_S) - _UNIX_OFFSET_S)
            machine.RTC().datetime(guess[:3] + (0,) + guess[3:6] + (0,))
            store(_IS_GUESSED, 1)


# A number kept in NVS, 0 when there is none.
def stored(key):
    try:
        return esp32.NVS(_NAMESPACE).get_i32(key)
    except OSError:
        return 0


def store(key, value):
    nvs = esp32.NVS(_NAMESPACE)
    nvs.set_i32(key, value)
    nvs.commit()


# The application has run well for a minute: its bad boots are forgotten (boot.py).
def settle():
    slot = stored("slot")
    if slot & 14:
        store("slot", slot & -15)


# The number of this boot, from 1 (boot.py); 0 when it could not be counted.
def boot_count():
    return stored(_BOOTS)


# The station; its network comes up when the link asks.
def station():
    return network.WLAN(network.STA_IF)


# The parts on the pins of a config (config.check): red and green LED, buzzer, and the bus, chip
# select, reset and interrupt of the RC522, the last None when it is not wired.
def wire(config):
    # 1, which every ESP32 has; a C3 or C6 has no 2 (micropython/micropython#12086).
    spi = machine.SPI(
        1,
        baudrate=config["rc522.spi_hz"],
        sck=machine.Pin(config["pins.sck"]),
        mosi=machine.Pin(config["pins.mosi"]),
        miso=machine.Pin(config["pins.miso"]),
    )
    rc522 = (
        spi,
        _output(config["pins.cs"], 1),
        _output(config["pins.rst"], 1),
        machine.Pin(config["pins.irq"], machine.Pin.IN) if config["pins.irq"] >= 0 else None,
    )
    return lights(config["pins.led_red"], config["pins.led_green"], config["pins.buzzer"]) + (
        rc522,
    )


# Red and green LED and the buzzer, by their pins.
def lights(red, green, buzzer):
    return (
        _output(red, 0),
        _output(green, 0),
        machine.PWM(machine.Pin(buzzer), freq=_BUZZER_HZ, duty_u16=0),
    )


def _output(gpio, value):
    return machine.Pin(gpio, machine.Pin.OUT, value=value)


# The task watchdog: resets the chip when it is not fed for so long; cannot be stopped, only given
# another time (ports/esp32/machine_wdt.c).
def watchdog(timeout_ms):
    return machine.WDT(timeout=timeout_ms)


# Why the chip started: machine.PWRON_RESET and its siblings.
def reset_cause():
    return machine.reset_cause()


# Starts the chip anew. Does not return.
def reset():
    machine.reset()
