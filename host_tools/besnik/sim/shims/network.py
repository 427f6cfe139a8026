# The ESP32 port's `network`: a station that joins whenever the counter's Wi-Fi is up. What a reader
# rarely uses is in network_more.py and loaded when asked for: this file sits in the measured heap.

import time

from micropython import const
from wire import line

STA_IF = 0

_JOIN_MS = const(200)
_STRENGTH = const(0x7F)  # of the wire's answer: -dBm; 1: it refuses; 2: it gives no address


def __getattr__(name):
    import network_more

    return getattr(network_more, name)


class WLAN:
    IF_STA = 0
    IF_AP = 1

    def __init__(self, interface_id=STA_IF):
        if interface_id != STA_IF:
            raise ValueError("the virtual counter has a station interface only")
        self._active = False
        self._joined_ms = None
        self.ssid = ""

    # Methods that are not here: network_more has them as functions of the station.
    def __getattr__(self, name):
        import network_more

        method = getattr(network_more, "wlan_" + name)
        return lambda *args, **named: method(self, *args, **named)

    def active(self, is_active=None):
        if is_active is None:
            return self._active
        self._active = bool(is_active)
        if not self._active:
            self._joined_ms = None
        return self._active

    def connect(self, ssid=None, key=None, *, bssid=None):
        if not self._active:
            raise OSError("Wifi Not Started")
        self.ssid = ssid or self.ssid
        self._joined_ms = time.ticks_ms()

    def disconnect(self):
        self._joined_ms = None

    def isconnected(self):
        if self._joined_ms is None or line().wifi() & _STRENGTH <= 2:
            return False
        return time.ticks_diff(time.ticks_ms(), self._joined_ms) >= _JOIN_MS

    def status(self, param=None):
        if param == "rssi":
            if not self.isconnected():
                raise OSError("Wifi Not Connected")
            return -(line().wifi() & _STRENGTH)
        if param is not None:
            raise ValueError("unknown status param")
        if self._joined_ms is None:
            return 1000  # STAT_IDLE
        strength = line().wifi() & _STRENGTH
        if strength <= 1:
            return 201 + strength  # STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD
        return 1010 if self.isconnected() else 1001  # STAT_GOT_IP, STAT_CONNECTING
