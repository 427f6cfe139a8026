"""What runs on a board beside the firmware's own modules."""

from __future__ import annotations

from typing import Final

# A file system of what is brought along, in front of everything that is on the flash.
SHELF: Final = """
import io, json, sys, vfs
from binascii import a2b_base64
class Shelf:
    def __init__(self):
        self.files = {}
    def mount(self, readonly, mkfs):
        pass
    def umount(self):
        pass
    def stat(self, path):
        path = path.strip("/")
        if path in self.files:
            return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)
        if any(name.startswith(path + "/") for name in self.files):
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(2)
    def open(self, path, mode):
        return io.BytesIO(self.files[path.strip("/")])
shelf = Shelf()
vfs.mount(shelf, "/doctor")
sys.path.insert(0, "/doctor")
for name in list(sys.modules):
    if name.split(".")[0] in ("firmware", "iso14443", "mfrc522", "mfrc522_selftest", "way"):
        del sys.modules[name]
"""

# Reads the settings; the defaults when they are wrong. Whatever was brought is in memory then.
_SETTINGS: Final = """
    shelf.files.clear()
    gc.collect()
    problem = ""
    try:
        settings = config.load()
    except config.ConfigError as error:
        problem = str(error)
        settings = dict(config.DEFAULTS)
"""

PARTS: Final = f"""
try:
    import esp32
except ImportError:
    print("null")
else:
    import asyncio, gc
    import mfrc522_selftest
    from firmware import board, checkup, config
    from iso14443 import TypeA
    from mfrc522 import MFRC522
    {_SETTINGS.strip()}
    shown = {{key: value for key, value in settings.items() if not key.endswith("password")}}
    try:
        red, green, buzzer, rc522 = board.wire(settings)
        spi, cs, rst, irq = rc522
        chip = MFRC522(spi, cs, rst, board.Clock(), settings["rc522.gain_db"], irq)
        print(json.dumps([problem, shown]))
    except ValueError as error:
        print(json.dumps(str(error)))
"""

WAY: Final = f"""
if True:
    import gc
    import way
    from firmware import board, config
    {_SETTINGS.strip()}
"""

# The module ``way``: what comes after the chip. Every function returns what is printed as JSON.
WAY_MODULE: Final = """
import binascii, hashlib, socket, time
from firmware import board, config
from firmware.packets import Packets

# As long as the reader itself waits (firmware/link.py); what has failed for three seconds stays so.
def join(settings):
    wlan = board.station()
    wlan.active(False)  # an ESP32 stays joined over a soft reset
    wlan.active(True)
    wlan.connect(settings["wifi.ssid"], settings["wifi.password"])
    failed = 0
    for _ in range(150):
        failed = failed + 1 if wlan.status() in (2, 15, 201, 202, 204) else 0
        if wlan.isconnected() or failed > 30:
            break
        time.sleep_ms(100)
    if wlan.isconnected():
        return [True, 0, wlan.status("rssi"), []]
    status = wlan.status()
    wlan.disconnect()
    return [False, status, 0, [str(entry[0], "utf-8", "replace") for entry in wlan.scan()]]

def clock(servers):
    clock = board.Clock(servers)
    for _ in range(3):
        if clock.set_from_network():
            return [True, clock.unix_s()]
    clock.guess()
    return [False, clock.unix_s()]

# The key itself stays on the board: its digest is enough to know it by.
def certificates():
    problem = ""
    try:
        config.trust()
    except config.ConfigError as error:
        problem = str(error)
    key = hashlib.sha256(_read("reader.key")).digest()
    read = [binascii.hexlify(data).decode() for data in (_read("ca.der"), _read("reader.der"), key)]
    return [problem] + read

def _read(name):
    try:
        with open("cert/" + name, "rb") as file:
            return file.read()
    except OSError:
        return b""

# How far the reader comes: "name", "connect", "tls", "closed" or "answer", with a number or words.
def knock(settings):
    tls = None if settings["broker.plain"] else config.trust()
    name, host = settings["reader"], settings["broker.host"]
    user, secret = (None, None) if tls else (name, settings["broker.password"])
    packet = Packets(name, user, secret, 30).connect_packet()
    try:
        address = socket.getaddrinfo(host, settings["broker.port"])[0][-1]
    except OSError as error:
        return ["name", str(error)]
    line = socket.socket()
    line.settimeout(10)
    try:
        line.connect(address)
    except OSError as error:
        return ["connect", error.errno]
    try:
        if tls:
            line = tls.wrap_socket(line, server_hostname=host)
    except (OSError, ValueError) as error:
        return ["tls", str(error)]
    return _answer(line, packet)

def _answer(line, packet):
    try:
        line.write(packet)
        answer = line.read(4)
        return ["answer", answer[3]] if answer and len(answer) == 4 else ["closed", ""]
    except (OSError, ValueError) as error:
        return ["closed", str(error)]
    finally:
        line.close()
"""
