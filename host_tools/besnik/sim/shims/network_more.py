# The rest of `network`: constants, and a station's settings, which readers rarely look at.

from wire import line

AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_BEACON_TIMEOUT = 200
AUTH_OPEN = 0
AUTH_WPA2_PSK = 3

_config = {"reconnects": -1, "pm": 1, "hostname": "mpy-esp32"}


def wlan_ifconfig(wlan, addresses=None):
    if addresses is not None:
        return None
    if not wlan.isconnected():
        return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
    return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")


def wlan_config(wlan, param=None, **values):
    if param is None:
        _config.update(values)
        return None
    if param == "mac":
        return __import__("machine").unique_id()
    if param == "ssid":
        return wlan.ssid
    try:
        return _config[param]
    except KeyError:
        raise ValueError("unknown config param")


def wlan_scan(wlan):
    strength = line().wifi() & 0x7F
    if not strength:
        return []
    return [(wlan.ssid.encode(), b"\x02\0\0\0\0\x01", 6, -max(strength, 58), 3, False)]


def hostname(name=None):
    return "mpy-esp32" if name is None else None


def country(code=None):
    return "XX" if code is None else None
