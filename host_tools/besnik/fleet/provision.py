"""Settings and certificates for a reader that has none, over its serial line.

The reader's side, and the lines that are spoken, are in ``firmware/provision.py``. The reader
checks all by itself before it writes anything.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
import serial

from besnik.fleet import pins, waiting
from besnik.fleet.order import Identity
from besnik.fleet.usb import BoardError, gone, opened, there_again

_BAUD: Final = 115_200
_SAID: Final = "besnik: "
# The reader's receiver holds 260 bytes: a line is shorter by far, and each is answered.
_CHUNK: Final = 96
# An MCU restarts in two seconds and speaks once a second; writing takes half a second.
_ANSWER_S: Final = 10
_READ_S: Final = 0.2
# What makes a reader a provisioned one, or would when it has no others (`firmware/handover.py`).
_OLD: Final = ("config.json.new", "config.json")

Progress = Callable[[str, int, int], None]


class Waiting(msgspec.Struct, frozen=True):
    """A reader that waits: how to begin, until when, its chip's number, and what it lacks.

    ``name``: which chip it is, empty if the program on it is of before it told so.
    """

    ticket: str
    left_s: int
    chip: str
    name: str
    why: str


class Line:
    """The serial line of a reader that waits for its settings."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._heard = b""

    def wait(self, timeout_s: float) -> Waiting:
        """Return what the reader says while it waits; BoardError if it is silent or has closed."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            said = self._next()
            if said.startswith("open "):
                _, ticket, left_s, chip, rest = said.split(" ", 4)
                name, why = rest.split(" ", 1) if rest.startswith("ESP32") else ("", rest)
                return Waiting(ticket, int(left_s), chip, name, why)
            if said.startswith("closed"):
                raise BoardError(
                    "the reader has waited for its settings for 120 s and takes none any more:"
                    " press its reset button, or unplug it and plug it in again, and start anew"
                )
        raise BoardError(
            "no reader that waits for its settings is on this port. One that has some says nothing:"
            " give it others with --again. On a board that is no reader yet, put the application"
            " with `besnik fleet flash --blank`"
        )

    def give(self, reader: Identity, progress: Progress) -> None:
        """Send a reader that waits its settings and certificates.

        BoardError with its own words if it refuses them; SettingsError if its chip lacks a pin.
        """
        files = reader.files()
        total, done = sum(map(len, files.values())), 0
        waits = self.wait(_ANSWER_S)
        if waits.name:
            pins.check(reader.settings, waits.name)
        self._ask(f"begin {waits.ticket}")
        for path, data in files.items():
            name = path.rpartition("/")[2]
            self._ask(f"file {name} {len(data)} {hashlib.sha256(data).hexdigest()}")
            for start in range(0, len(data), _CHUNK):
                progress(name, done, total)
                part = data[start : start + _CHUNK]
                self._ask(f"data {base64.b64encode(part).decode()}")
                done += len(part)
        self._ask("done", "done")
        progress("", total, total)

    def _ask(self, line: str, expected: str = "ok") -> None:
        with _words():
            self._port.write(line.encode() + b"\n")
        deadline = time.monotonic() + _ANSWER_S
        while time.monotonic() < deadline:
            said = self._next()
            if said == expected:
                return
            if said.startswith("refused "):
                raise BoardError(f"the reader refuses this: {said.removeprefix('refused ')}")
            if said.startswith("closed"):
                break
        raise BoardError(
            "the reader stopped listening half way. Unplug it and plug it in again: if its light"
            " turns slowly red and green it has taken nothing, start anew; otherwise it has all"
        )

    def _next(self) -> str:
        """Return the next thing the reader says to a host, empty when nothing came for a while."""
        with _words():
            self._heard += self._port.read(self._port.in_waiting or 1)
        line, end, rest = self._heard.partition(b"\n")
        if not end:
            return ""
        self._heard = rest
        text = line.decode(errors="replace").strip()
        return text.removeprefix(_SAID) if text.startswith(_SAID) else ""


@contextlib.contextmanager
def listening(port: str) -> Iterator[Line]:
    """Yield the line of what is on ``port``, which runs on; BoardError if nothing is there."""
    opened_port = there_again(lambda: serial.Serial(port, _BAUD, timeout=_READ_S, exclusive=True))
    try:
        yield Line(opened_port)
    finally:
        with contextlib.suppress(OSError):
            opened_port.close()


def forget(port: str, reader: Identity, *, may_drop: bool) -> None:
    """Take the settings of a reader away and start it anew, so that it waits for those of another.

    ``reader`` is who it is to be then; `pins.check`, `waiting.settle`.
    """
    with opened(port) as board:
        there = board.look().files
        with board.as_it_was():
            pins.check(reader.settings, board.name())
            waiting.settle(board, there, reader.files(), may_drop=may_drop)
        for path in _OLD:
            if path in there:
                board.remove(path)
        board.reset()


@contextlib.contextmanager
def _words() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # pyserial's SerialException is one
        raise gone(error) from error
