"""A board on a serial port, by mpremote's own transport: what is on its flash, and writing it.

Every answer is a BoardError with words for a technician, never a traceback of the transport.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import msgspec
from mpremote import transport_serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

# Runs on the board: its system, and the SHA-256 of every file.
_LOOK: Final = """
import hashlib, binascii, json, os, sys
found = {}
def look(folder):
    for entry in os.ilistdir(folder or "."):
        path = folder + entry[0]
        if entry[1] == 0x4000:
            look(path + "/")
        else:
            sum = hashlib.sha256()
            with open(path, "rb") as file:
                while True:
                    block = file.read(512)
                    if not block:
                        break
                    sum.update(block)
            found[path] = binascii.hexlify(sum.digest()).decode()
look("")
try:
    import esp32
    is_esp32 = True
except ImportError:
    is_esp32 = False
print(json.dumps([list(sys.implementation[1][:3]), is_esp32, found]))
"""
# Runs on the board: what boot.py keeps of bad boots, slots and trials, but for the newest release's
# number, below which no update goes back.
_FORGET: Final = """
import esp32
nvs = esp32.NVS("besnik")
try:
    nvs.set_i32("slot", nvs.get_i32("slot") >> 4 << 4)
except OSError:
    pass
nvs.set_i32("trial", 0)
nvs.commit()
"""
# Runs on the board: a start that is asked for is no bad one, and what is on trial is tried anew
# (boot.py). A board that is no reader yet has none of this.
_RESET: Final = """
import machine
def change(key, changed):
    try:
        import esp32
        nvs = esp32.NVS("besnik")
        nvs.set_i32(key, changed(nvs.get_i32(key)))
        nvs.commit()
    except (ImportError, OSError):
        pass
change("slot", lambda slot: slot & -15)
change("trial", abs)
machine.reset()
"""
# A second is more than a board needs to answer Ctrl-C; a reader in a TLS handshake takes longer.
_ANSWER_S: Final = 15
_GOES_S: Final = 0.5
_COMES_BACK_S: Final = 10
_AGAIN_S: Final = 0.2
# When boards were started anew from here; the last one is kept.
_restarts: Final[deque[float]] = deque(maxlen=1)
# Who makes what an ESP32 is connected by: CP210x, CH340 and its like, FTDI, and Espressif itself.
# Scanners and receipt printers are serial ports too.
_VENDORS: Final = frozenset({0x10C4, 0x1A86, 0x0403, 0x303A})
_T = TypeVar("_T")
_PROMPT_S: Final = 5
# Before it raises an error it prints what it read, a bare b'' in most cases.
transport_serial.print = lambda *_: None


class BoardError(RuntimeError):
    """The board cannot be worked on; the text says what to look at."""


class Found(msgspec.Struct, frozen=True):
    """What a board is, MicroPython's version on it, and SHA-256 in hex of its files by path."""

    version: tuple[int, int, int]
    is_esp32: bool
    files: dict[str, str]


class UsbBoard:
    """A board whose program is stopped while it is worked on."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def look(self) -> Found:
        """Return what is there; it takes a second for each 100 KB."""
        version, is_esp32, files = json.loads(self.run(_LOOK))
        return Found(tuple(version), is_esp32, files)

    def chip(self) -> str:
        """Return the chip's own number, in hex: its MAC address."""
        return self.run(
            "import binascii, machine\nprint(binascii.hexlify(machine.unique_id()).decode())"
        ).strip()

    def name(self) -> str:
        """Return what MicroPython calls it: the board, and its chip."""
        return self.run("import sys\nprint(sys.implementation._machine)").strip()

    @contextlib.contextmanager
    def as_it_was(self) -> Iterator[None]:
        """Let what was on the board run again if it is not to be worked on after all."""
        try:
            yield
        except (BoardError, ValueError):
            with contextlib.suppress(BoardError):
                self.reset()
            raise

    def put(self, path: str, data: bytes) -> None:
        """Write a file, and the folders it is in; it is half there until this returns."""
        for end, character in enumerate(path):
            if character == "/":
                self.run(
                    f"import os\ntry:\n os.mkdir({path[:end]!r})\nexcept OSError as error:\n"
                    " if error.errno != 17: raise"
                )
        with _words():
            self._transport.fs_writefile(path, data, chunk_size=512)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in one step: littlefs has the old or the new."""
        self.run(f"import os\nos.rename({old!r}, {new!r})")

    def remove(self, path: str) -> None:
        """Delete a file."""
        self.run(f"import os\nos.remove({path!r})")

    def forget_boots(self) -> None:
        """Make the first slot the one in use, without bad boots: what was there is gone."""
        self.run(_FORGET)

    def stop(self) -> None:
        """Stop what runs on the board; where nothing does, it stays as it is."""
        with _words():
            self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_ANSWER_S)

    def reset(self) -> None:
        """Start the chip anew, with all that is on it; the board is gone from here on."""
        with _words():
            self._transport.exec_raw_no_follow(_RESET)
        note_restart()

    def restart(self) -> None:
        """Empty the board's memory, its programs still stopped."""
        with _words():
            self._transport.enter_raw_repl(soft_reset=True, timeout_overall=_ANSWER_S)

    def run(self, script: str, timeout_s: float = 10) -> str:
        """Run a script and return what it printed, of which some must come every ``timeout_s``."""
        with _words():
            output, error = self._transport.exec_raw(script, timeout=timeout_s)
        if error:
            *_, last = error.decode(errors="replace").strip().splitlines()
            raise BoardError(f"the board could not do it: {last}")
        said: str = output.decode()
        return said


@contextlib.contextmanager
def opened(port: str) -> Iterator[UsbBoard]:
    """Yield the board on ``port``, its program stopped; BoardError if there is none."""
    transport = there_again(lambda: SerialTransport(port, 115_200, timeout=_ANSWER_S))
    try:
        with _words():
            try:
                transport.enter_raw_repl(soft_reset=True, timeout_overall=_PROMPT_S)
            except TransportError:
                # One that was just plugged in may have been interrupted in its first moments.
                transport.enter_raw_repl(soft_reset=True, timeout_overall=_ANSWER_S)
        yield UsbBoard(transport)
    finally:
        with contextlib.suppress(OSError):
            transport.close()


def note_restart() -> None:
    """Note that a board was started anew: the port of one with USB of its own goes and comes."""
    _restarts.append(time.monotonic())


def there_again(open_port: Callable[[], _T]) -> _T:
    """Open a port, which may not be there yet when a board was just started anew; BoardError."""
    since_s = time.monotonic() - _restarts[-1] if _restarts else _COMES_BACK_S
    until_s = time.monotonic() + _COMES_BACK_S - since_s
    # At once the port of before may still be there.
    time.sleep(max(0.0, _GOES_S - since_s))
    while True:
        try:
            return open_port()
        except (TransportError, OSError) as error:
            if time.monotonic() > until_s:
                raise gone(error) from error
        time.sleep(_AGAIN_S)


def ports() -> list[str]:
    """Return the serial ports that a board can be on: USB bridges and chips with USB."""
    from serial.tools import list_ports

    return sorted(port.device for port in list_ports.comports() if port.vid in _VENDORS)


@contextlib.contextmanager
def _words() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # pyserial's SerialException is one
        raise gone(error) from error
    except TransportError as error:
        raise BoardError(
            f"the board does not answer as MicroPython does: {error}. Give an image with --image or"
            " --bare, or press its reset button and try again"
        ) from error


def gone(error: Exception) -> BoardError:
    """Return what a failed line means, in words for a technician."""
    return BoardError(
        f"the board is gone: {error}. Is the cable in, does it carry data and not only power, and"
        " has no other program the port open?"
    )
