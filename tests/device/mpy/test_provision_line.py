# firmware/provision.py on its serial line: how long it listens, and what anybody may type there.

import json
import os
import random
import time
from binascii import b2a_base64, hexlify
from hashlib import sha256

from firmware import config, provision, signals

PLAIN = {"host": "127.0.0.1", "port": 1883, "plain": True, "password": "open sesame"}
SETTINGS = {"shop": "corner", "reader": "counter-1", "wifi": {"ssid": "demo"}, "broker": PLAIN}
_SPEED = 500


# A serial line and a clock that runs fast while nothing is typed; what the reader says is kept.
class _Line:
    POLLIN = 1

    def __init__(self, typed=b""):
        self.typed, self._at = typed, 0
        self._began_ms = time.ticks_ms()
        self.said = []
        self.stdin = self
        self.buffer = self
        provision.sys = provision.select = self
        provision.time = self
        provision.print = self.hear

    def hear(self, text):
        self.said.append(text)

    def poll(self, timeout_ms=None):
        return self if timeout_ms is None else self.typed

    def register(self, stream, what):
        pass

    def read(self, count):
        byte = self.typed[self._at : self._at + 1]
        self._at += 1
        if self._at >= len(self.typed):
            self.typed, self._at = b"", 0
        return byte

    def ticks_ms(self):
        return (time.ticks_ms() - self._began_ms) * (1 if self.typed else _SPEED)

    def ticks_diff(self, one, other):
        return one - other


class _Parts:
    def __init__(self):
        self.colours = set()

    def __call__(self, level):
        self.colours.add(level)

    def freq(self, hz):
        pass

    def duty_u16(self, duty):
        pass


def _lights():
    return signals.Signals(_Parts(), _Parts(), _Parts(), 0)


async def test_it_listens_for_120_s_and_not_longer():
    line = _Line()
    assert await provision._take(_lights(), "246F28000000 nothing there") is False
    left = [int(said.split(" ")[3]) for said in line.said]
    assert left[0] == 120 and left == sorted(left, reverse=True) and left[-1] < 10
    assert all(said.startswith("besnik: open ") for said in line.said)
    assert line.said[0].endswith(" 246F28000000 nothing there")


# Types what a host does, each line when the one before was answered.
class _HostLine(_Line):
    def __init__(self, data):
        _Line.__init__(self)
        digest = hexlify(sha256(data).digest()).decode()
        self._lines = ["begin ", "file config.json %d %s" % (len(data), digest)]
        for at in range(0, len(data), 96):
            self._lines.append("data " + b2a_base64(data[at : at + 96]).decode().strip())
        self._lines.append("done")

    def hear(self, text):
        self.said.append(text)
        is_begun = len(self._lines) == 0 or self._lines[0] != "begin "
        if text.startswith("besnik: open ") == is_begun or not self._lines:
            return
        line = self._lines.pop(0)
        self.typed += (line + (text.split(" ")[2] if line == "begin " else "") + "\r\n").encode()


async def test_settings_come_in_lines_and_it_is_over():
    line = _HostLine(json.dumps(SETTINGS).encode())
    assert await provision._take(_lights(), "why") is True
    assert line.said[-1] == "besnik: done", line.said
    assert config.load()["reader"] == "counter-1"


async def test_whatever_is_typed_nothing_is_written_and_it_goes_on():
    random.seed(7)
    typed = b"".join(
        random.choice((b"begin ", b"file ", b"data ", b"done", b" ", b"config.json 3 00"))
        + bytes(random.getrandbits(8) for _ in range(random.getrandbits(4)))
        + random.choice((b"\n", b"\r", b"", b"x" * 300))
        for _ in range(200)
    )
    line = _Line(typed)
    assert await provision._take(_lights(), "why") is False
    answers = [said for said in line.said if not said.startswith("besnik: open ")]
    assert len(answers) > 50
    assert all(said.startswith("besnik: refused ") for said in answers), answers
    assert os.listdir() == []
