"""A Raspberry Pi for drivers written for one: ``spidev`` and ``RPi.GPIO`` that speak to serve-spi.

``install(path)`` puts both modules in place, connected to the Unix socket at ``path``. It covers
what RC522 drivers use: xfer, xfer2, output, input, and edges of the IRQ line.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace

CS, RST, IRQ = 5, 22, 21
BOARD, BCM, OUT, IN = 10, 11, 0, 1
# Where an RC522 is wired to a Raspberry Pi, by both ways of counting pins.
WIRED = {BOARD: {22: RST, 18: IRQ}, BCM: {25: RST, 24: IRQ}}


class Wire:
    """One connection to serve-spi, used by several threads."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._lock = threading.Lock()

    def transfer(self, data: Sequence[int]) -> list[int]:
        """One CS-low period."""
        sent = frame(2, bytes((CS, 0))) + frame(1, bytes(data)) + frame(2, bytes((CS, 1)))
        return list(self._ask(sent, len(data)))

    def set_speed(self, hz: int) -> None:
        """Tell how fast SCK runs."""
        self._ask(frame(6, struct.pack("<IBB", hz, 0, 0)), 0)

    def write_pin(self, pin: int, level: int) -> None:
        """Drive a line."""
        self._ask(frame(2, bytes((pin, level))), 0)

    def read_pin(self, pin: int) -> int:
        """Return the level of a line."""
        return self._ask(frame(4, bytes((pin,))), 1)[0]

    def _ask(self, sent: bytes, size: int) -> bytes:
        with self._lock:
            self._socket.sendall(sent)
            answer = b""
            while len(answer) < size:
                more = self._socket.recv(size - len(answer))
                if not more:
                    raise OSError("serve-spi has hung up")
                answer += more
            return answer


def frame(operation: int, payload: bytes) -> bytes:
    """Return one frame of the wire."""
    return struct.pack("<BH", operation, len(payload)) + payload


def install(path: str) -> Wire:
    """Make ``import spidev`` and ``import RPi.GPIO`` find modules that use the wire."""
    wire = Wire(path)
    modules = {"spidev": _spidev(wire), "RPi": ModuleType("RPi"), "RPi.GPIO": _gpio(wire)}
    modules["RPi"].__dict__["GPIO"] = modules["RPi.GPIO"]
    sys.modules.update(modules)
    return wire


def _spidev(wire: Wire) -> ModuleType:
    class SpiDev:
        mode = 0

        def __init__(self) -> None:
            self.speed_hz = 500000

        @property
        def max_speed_hz(self) -> int:
            return self.speed_hz

        @max_speed_hz.setter
        def max_speed_hz(self, hz: int) -> None:
            self.speed_hz = hz
            wire.set_speed(hz)

        def open(self, _bus: int, _device: int) -> None:
            wire.set_speed(self.speed_hz)

        def close(self) -> None:
            pass

        def xfer2(self, data: Sequence[int]) -> list[int]:
            # As spidev does: a byte is the low eight bits of what it is given.
            return wire.transfer([value & 0xFF for value in data])

        xfer = xfer2

    return _module("spidev", SpiDev=SpiDev)


def _gpio(wire: Wire) -> ModuleType:
    chosen = SimpleNamespace(mode=None, watching=True)

    def line(pin: int) -> int:
        return WIRED[chosen.mode][pin]

    def set_mode(mode: int) -> None:
        chosen.mode = mode

    def watch(pin: int, _edge: int, callback: Callable[[int], object]) -> None:
        threading.Thread(target=_follow, args=(pin, callback), daemon=True).start()

    def _follow(pin: int, callback: Callable[[int], object]) -> None:
        level = 1
        while chosen.watching:
            before, level = level, wire.read_pin(line(pin))
            if before and not level:
                callback(pin)
            time.sleep(0.001)

    def clean_up() -> None:
        chosen.watching = False

    return _module(
        "RPi.GPIO",
        BOARD=BOARD,
        BCM=BCM,
        OUT=OUT,
        IN=IN,
        PUD_UP=22,
        FALLING=32,
        setmode=set_mode,
        getmode=lambda: chosen.mode,
        setwarnings=lambda _flag: None,
        setup=lambda _pin, _direction, **_pull: None,
        output=lambda pin, level: wire.write_pin(line(pin), level),
        input=lambda pin: wire.read_pin(line(pin)),
        add_event_detect=watch,
        cleanup=clean_up,
    )


def _module(name: str, **members: object) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(members)
    return made
