# The ESP32 port's `network`: a station that joins whenever the counter's Wi-Fi is up.

import time

from wire import line

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_BEACON_TIMEOUT = 200
AUTH_OPEN = 0
AUTH_WPA2_PSK = 3

_JOIN_MS = 200
_RSSI_DBM = -58


class WLAN:
    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface_id=STA_IF):
        if interface_id != STA_IF:
            raise ValueError("the virtual counter has a station interface only")
        self._active = False
        self._joined_ms = None
        self._config = {"ssid": "", "reconnects": -1, "pm": 1, "hostname": "mpy-esp32"}

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
        self._config["ssid"] = ssid or self._config["ssid"]
        self._joined_ms = time.ticks_ms()

    def disconnect(self):
        self._joined_ms = None

    def isconnected(self):
        if self._joined_ms is None or not line().wifi():
            return False
        return time.ticks_diff(time.ticks_ms(), self._joined_ms) >= _JOIN_MS

    def status(self, param=None):
        if param == "rssi":
            if not self.isconnected():
                raise OSError("Wifi Not Connected")
            return _RSSI_DBM
        if param is not None:
            raise ValueError("unknown status param")
        if self._joined_ms is None:
            return STAT_IDLE
        if not line().wifi():
            return STAT_NO_AP_FOUND
        return STAT_GOT_IP if self.isconnected() else STAT_CONNECTING

    def ifconfig(self, addresses=None):
        if addresses is not None:
            return None
        if not self.isconnected():
            return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    def config(self, param=None, **values):
        if param is None:
            self._config.update(values)
            return None
        if param == "mac":
            return b"\x24\x6f\x28\xbe\x51\x14"
        try:
            return self._config[param]
        except KeyError:
            raise ValueError("unknown config param")

    def scan(self):
        if not line().wifi():
            return []
        return [(self._config["ssid"].encode(), b"\x02\0\0\0\0\x01", 6, _RSSI_DBM, 3, False)]


def hostname(name=None):
    return "mpy-esp32" if name is None else None


def country(code=None):
    return "XX" if code is None else None
