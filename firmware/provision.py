# Takes a reader's settings and certificates on its serial line: for 120 s after it starts without
# any that it can use, and once. Loaded for that alone; afterwards the reader starts anew.
#
# Once a second the reader says "besnik: open TICKET SECONDS CHIP NAME WHY", CHIP being its chip's
# number and NAME which it is, as in ESP32S3, or "besnik: closed WHY" when the time is over. The
# host sends lines, each after the answer to the one before, because nothing stops it from filling
# the 260 bytes of the chip's receiver:
#   begin TICKET            the ticket is used up
#   file NAME SIZE SHA256   in hex
#   data BASE64             of the file named last
#   done                    all is checked, and only then written
# The answers are "besnik: ok", "besnik: refused WHY" and, when all is written, "besnik: done".

import asyncio
import gc
import json
import os
import select
import sys
import time
from binascii import a2b_base64, hexlify
from hashlib import sha256

from firmware import config, handover, signals
from micropython import const

_WINDOW_MS = const(120000)
_LONGEST_LINE = const(200)
_MOST_BYTES = const(8192)
_TICKET_BYTES = const(8)
_LOOK_MS = const(5)  # the line brings 58 bytes meanwhile
_SAY_MS = const(1000)
_AGAIN_S = const(5)
_SEEN_MS = const(900)
_SAID = const("besnik: ")
_SETTINGS = const("config.json")
_CERTIFICATES = const(("ca.der", "reader.der", "reader.key"))
# Red and green LED and buzzer where docs/hardware.md has them: what else is on those pins is not
# known yet, and an S3 has its flash where an ESP32 has its light.
_LIGHTS = const(
    (
        ("ESP32S2", (5, 6, 7)),
        ("ESP32S3", (5, 6, 7)),
        ("ESP32C3", (0, 1, 3)),
        ("ESP32C6", (20, 21, 22)),
    )
)
# Slow and long, red and green in turn with darkness between: no verdict looks like it.
WAITING = b"\x01\x00\x3c\x00\x00\x1e\x02\x00\x3c\x00\x00\x1e"


# What the host sends, until it is whole. ticket: what it has to begin with.
class Request:
    def __init__(self):
        self._forget(False)

    def _forget(self, is_begun):
        self.ticket = hexlify(os.urandom(_TICKET_BYTES)).decode()
        self._given = {}
        self._wanted = {}
        self._last = ""
        self._is_begun = is_begun

    # Takes a line; returns the answer. After a refusal the host has to begin again.
    def take(self, line):
        gc.collect()  # what was typed lies in one place then: TLS wants 3 KB in one piece
        try:
            return self._take(line)
        except config.ConfigError as error:
            why = str(error)
        except (OSError, MemoryError, RuntimeError) as error:
            why = "the reader cannot: %r" % error
        self._forget(False)
        return "refused " + why

    def _take(self, line):
        word, _, rest = line.partition(" ")
        if word == "begin":
            if rest != self.ticket:
                raise config.ConfigError("this ticket is not valid, or was used: begin again")
            self._forget(True)
        elif not self._is_begun:
            raise config.ConfigError("begin with the ticket that was shown last")
        elif word == "file":
            self._announce(*rest.split(" "))
        elif word == "data":
            self._add(rest)
        elif word == "done":
            handover.write(self._checked())
            self._forget(False)
            return "done"
        else:
            raise config.ConfigError(
                "%s: not understood; is the host newer than the reader?" % word
            )
        return "ok"

    def _announce(self, name, *sum):
        if name != _SETTINGS and name not in _CERTIFICATES:
            raise config.ConfigError("%s: no file of a reader" % name)
        self._last = name
        self._wanted[name] = sum
        self._given[name] = b""

    def _add(self, text):
        try:
            self._given[self._last] += a2b_base64(text)
        except (KeyError, ValueError):
            raise config.ConfigError("what arrived is damaged: try again")
        if sum(len(data) for data in self._given.values()) > _MOST_BYTES:
            raise config.ConfigError("more than %d bytes" % _MOST_BYTES)

    def _checked(self):
        for name, data in self._given.items():
            arrived = (str(len(data)), hexlify(sha256(data).digest()).decode())
            if arrived != self._wanted[name]:
                raise config.ConfigError("%s: did not arrive whole; try again" % name)
        check(self._given)
        return self._given


# Raises ConfigError unless a reader can be run with these files.
def check(files):
    if _SETTINGS not in files:
        raise config.ConfigError(_SETTINGS + ": is missing")
    try:
        raw = json.loads(files[_SETTINGS])
    except ValueError:
        raise config.ConfigError(_SETTINGS + ": is not JSON")
    settings = config.check(raw)
    if settings["broker.plain"]:
        return
    for name in _CERTIFICATES:
        if name not in files:
            raise config.ConfigError("cert/%s: is missing; the broker wants TLS" % name)
    config.trusting([files[name] for name in _CERTIFICATES])
    if settings["reader"].encode() not in files["reader.der"]:
        raise config.ConfigError("cert/reader.der: is not for %s" % settings["reader"])


# Waits for a host; does not return. why: what is wrong with what the reader has. board is the
# module firmware.board.
def serve(board, why):
    board.settle()  # to have no settings is no bad boot
    if handover.resume():
        board.reset()
    asyncio.run(_serve(board, why))


async def _serve(board, why):
    name = chip_name(sys.implementation._machine)
    lights = signals.Signals(*board.lights(*light_pins(name)))
    playing = asyncio.create_task(lights.run())
    chip = hexlify(board.machine.unique_id()).decode()
    if await _take(lights, "%s %s %s" % (chip, name, why)):
        await asyncio.sleep_ms(_SEEN_MS)
        board.reset()
    lights.set_fault(True)
    while not playing.done():
        print(_SAID + "closed %s" % why)
        await asyncio.sleep(_AGAIN_S)


# Which chip it is, of what MicroPython says of the board: "TinyS3 with ESP32-S3-FN8".
def chip_name(machine):
    name = machine.rpartition(" with ")[2].replace("-", "").split(" ")[0]
    return name if name.startswith("ESP32") else "ESP32"


# The pins of red and green LED and buzzer of a reader without settings, by the name of its chip.
def light_pins(name):
    for chip, pins in _LIGHTS:
        if name.startswith(chip):
            return pins
    names = ("pins.led_red", "pins.led_green", "pins.buzzer")
    return tuple([config.DEFAULTS[name] for name in names])


# True when all is written, False when the time is over.
async def _take(lights, why):
    host = _Host()
    request = Request()
    began_ms = said_ms = time.ticks_ms()
    left_ms = _WINDOW_MS
    while left_ms > 0:
        if left_ms == _WINDOW_MS or time.ticks_diff(time.ticks_ms(), said_ms) >= _SAY_MS:
            said_ms = time.ticks_ms()
            print(_SAID + "open %s %d %s" % (request.ticket, left_ms // 1000, why))
        if not lights.playing:
            lights.show(WAITING)
        line = host.line()
        if line:
            answer = request.take(line)
            print(_SAID + answer)
            if answer == "done":
                lights.show(signals.ACCEPTED)
                return True
            if answer != "ok":
                lights.show(signals.REJECTED)
        else:
            await asyncio.sleep_ms(_LOOK_MS)
        left_ms = _WINDOW_MS - time.ticks_diff(time.ticks_ms(), began_ms)
    return False


# What is typed, as lines.
class _Host:
    def __init__(self):
        self._typed = sys.stdin.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._line = b""

    # The next line, empty while there is none that is whole.
    def line(self):
        while self._poll.poll(0):
            byte = self._typed.read(1)
            if byte in b"\r\n":
                line, self._line = self._line, b""
                # A damaged byte is no reason to end: what it stands in is refused.
                return "".join(chr(code) for code in line)
            self._line = (self._line + byte)[-_LONGEST_LINE:]
        return ""
