"""A board on a serial port whose parts are looked at with the firmware's own code.

That code is brought along, into the board's memory, so that a bare board can be looked at before
it is flashed, and one whose flash is damaged too. Nothing on the flash is changed.
"""

from __future__ import annotations

import base64
import functools
import json
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from besnik.bytecode import compile_file
from besnik.fleet.build import ROOT
from besnik.fleet.doctor import scripts
from besnik.fleet.doctor.antenna import Step
from besnik.fleet.doctor.door import Knocked
from besnik.fleet.doctor.network import Joined, Time
from besnik.fleet.doctor.trust import OnBoard
from besnik.fleet.doctor.wiring import Settings, Wiring
from besnik.fleet.usb import BoardError, UsbBoard

_T = TypeVar("_T", bound=msgspec.Struct)
# A name server that does not answer takes longest.
_NETWORK_S: Final = 40
# How long a board waits for a card before it is asked whether it still should.
_LOOK_S: Final = 3
_PARTS: Final = (
    "firmware/board.py",
    "firmware/checkup.py",
    "firmware/config.py",
    "lib/iso14443.py",
    "lib/mfrc522.py",
    "lib/mfrc522_selftest.py",
)
_compiling = threading.Lock()
_WAY: Final = ("firmware/board.py", "firmware/config.py", "firmware/packets.py")


class Bench:
    """A board with the checkup in its memory.

    ``settings`` are those on its flash, without passwords; if ``problem`` says what is wrong with
    them they are the defaults.
    """

    def __init__(self, board: UsbBoard, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Bring the code along; BoardError if it is no ESP32 or lacks a pin.

        No card is awaited any more when it is not wanted.
        """
        self.board = board
        self._is_wanted = is_wanted
        self._bring(_compiled(_PARTS))
        opened = json.loads(board.run(scripts.PARTS))
        if opened is None:
            raise BoardError("this board runs MicroPython, but it is no ESP32: a reader needs one")
        if isinstance(opened, str):
            raise BoardError(
                f"a pin of the reader's settings is none of this board ({opened}): docs/hardware.md"
                " says which each chip has; set them with --set, as in pins.rst=10"
            )
        self.problem: str = opened[0]
        self.settings: Settings = opened[1]

    def leave_parts(self) -> None:
        """Make room for what comes after the chip; its own parts are not asked from here on."""
        self.board.restart()
        self._bring(_compiled(_WAY))
        self.board.run(scripts.WAY)

    def wiring(self) -> Wiring:
        """Return how the RC522 is wired."""
        said = self.board.run("print(checkup.wiring(chip))")
        return msgspec.json.decode(said, type=Wiring)

    def card_comes(self, within_s: int) -> bool:
        """Return whether a card can be read, at whatever gain, within that time."""
        until_s = time.monotonic() + within_s
        while (left_s := until_s - time.monotonic()) > 0 and self._is_wanted():
            look_s = min(left_s, _LOOK_S)
            if self._ask(f"checkup.awaits_card(chip, TypeA(chip), {int(1000 * look_s)})", _LOOK_S):
                return True
        return False

    def antenna(self, times: int) -> list[Step]:
        """Return how often, of so many times, the card that lies there is read at each gain."""
        rows = self._ask(f"checkup.antenna(chip, TypeA(chip), {times})", times)
        return [Step(*row) for row in rows]

    def show(self, *, red: bool = False, green: bool = False, tone_hz: int = 0) -> None:
        """Switch the LED's two colours and the buzzer."""
        tone = f"buzzer.freq({tone_hz})\n" if tone_hz else ""
        self.board.run(
            f"red({red:d})\ngreen({green:d})\n{tone}buzzer.duty_u16({32768 if tone_hz else 0})"
        )

    def join(self) -> Joined:
        """Join the Wi-Fi of the settings and return how that went."""
        return self._said("way.join(settings)", Joined)

    def time(self) -> Time:
        """Set the clock from the network and return it."""
        return self._said('way.clock(settings["time.servers"])', Time)

    def certificates(self) -> OnBoard:
        """Return the certificates on the flash."""
        return self._said("way.certificates()", OnBoard)

    def knock(self) -> Knocked:
        """Go as far as the broker lets the reader; it is joined to its Wi-Fi."""
        return self._said("way.knock(settings)", Knocked)

    def _bring(self, files: Mapping[str, bytes]) -> None:
        self.board.run(scripts.SHELF)
        for name, code in files.items():
            text = base64.b64encode(code).decode()
            self.board.run(f"shelf.files[{name!r}] = a2b_base64({text!r})")

    def _said(self, call: str, kind: type[_T]) -> _T:
        said = self.board.run(f"gc.collect()\nprint(json.dumps({call}))", timeout_s=_NETWORK_S)
        return msgspec.json.decode(said, type=kind)

    def _ask(self, call: str, seconds: int) -> Any:
        script = f"answer = asyncio.run({call})\nprint(answer if answer else 'false')"
        said = self.board.run(script, timeout_s=seconds + 10)
        return json.loads(said.replace("True", "true"))


def _compiled(names: tuple[str, ...]) -> Mapping[str, bytes]:
    """Return firmware modules as bytecode, and the module of `scripts`, by their paths."""
    with _compiling:  # of several boards at once the first compiles
        return _compile(names)


@functools.cache
def _compile(names: tuple[str, ...]) -> Mapping[str, bytes]:
    files = {}
    with tempfile.TemporaryDirectory(prefix="besnik-") as scratch:
        target = Path(scratch) / "code.mpy"
        way = Path(scratch) / "way.py"
        way.write_text(scripts.WAY_MODULE, encoding="utf-8")
        for name, source in {**{name: ROOT / name for name in names}, "way.py": way}.items():
            compile_file(source, target, name)
            path = Path(name.removeprefix("lib/")).with_suffix(".mpy")
            files[path.as_posix()] = target.read_bytes()
    return files
