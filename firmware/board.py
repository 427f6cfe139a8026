# The ESP32 and what is wired to it: the only file that imports machine, network and esp32.

import asyncio
import time

import esp32
import machine
import network

_NAMESPACE = "besnik"
_BOOTS = "boots"
_BUZZER_HZ = 2400
# time.time() counts from 2000 on an ESP32 and from 1970 elsewhere: the epoch itself tells.
_UNIX_OFFSET_S = 946684800 if time.gmtime(0)[0] == 2000 else 0
_EARLIEST_YEAR = 2025  # before this firmware was written: such a clock was never set


# Time as the application sees it. quality: 0 never set, 1 kept over a reset, 2 from the network.
class Clock:
    ticks_ms = staticmethod(time.ticks_ms)
    ticks_us = staticmethod(time.ticks_us)
    ticks_diff = staticmethod(time.ticks_diff)
    sleep_us = staticmethod(time.sleep_us)
    sleep_ms = staticmethod(asyncio.sleep_ms)

    def __init__(self):
        self.quality = 1 if time.gmtime()[0] >= _EARLIEST_YEAR else 0

    # Seconds since 1970.
    def unix_s(self):
        return int(time.time()) + _UNIX_OFFSET_S

    # Asks the network for the time; blocks for a second at most when nobody answers. True when set.
    def set_from_network(self):
        import ntptime

        try:
            ntptime.settime()
        except (OSError, IndexError):
            return False
        self.quality = 2
        return True


# Counts this boot in NVS and returns its number, from 1.
def count_boot():
    boots = boot_count() + 1
    nvs = esp32.NVS(_NAMESPACE)
    nvs.set_i32(_BOOTS, boots)
    nvs.commit()
    return boots


# The number of this boot; 0 before the first is counted.
def boot_count():
    try:
        return esp32.NVS(_NAMESPACE).get_i32(_BOOTS)
    except OSError:
        return 0


# The parts on the pins of a config (config.check); the network comes up when the link asks.
class Board:
    def __init__(self, config):
        self.clock = Clock()
        self.wlan = network.WLAN(network.STA_IF)
        self.led_red = _output(config["pins.led_red"], 0)
        self.led_green = _output(config["pins.led_green"], 0)
        self.buzzer = machine.PWM(machine.Pin(config["pins.buzzer"]), freq=_BUZZER_HZ, duty_u16=0)
        # SPI bus, chip select and reset of the RC522.
        spi = machine.SPI(
            2,
            baudrate=config["rc522.spi_hz"],
            sck=machine.Pin(config["pins.sck"]),
            mosi=machine.Pin(config["pins.mosi"]),
            miso=machine.Pin(config["pins.miso"]),
        )
        self.rc522 = (spi, _output(config["pins.cs"], 1), _output(config["pins.rst"], 1))

    # Received signal strength of the Wi-Fi in dBm; None when not connected.
    def rssi_dbm(self):
        try:
            return self.wlan.status("rssi")
        except (OSError, ValueError):
            return None


def _output(gpio, value):
    return machine.Pin(gpio, machine.Pin.OUT, value=value)


# Why the chip started: machine.PWRON_RESET and its siblings.
def reset_cause():
    return machine.reset_cause()


# Starts the chip anew. Does not return.
def reset():
    machine.reset()
