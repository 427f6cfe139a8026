"""A board on a serial port whose parts are looked at with the firmware's own code.

That code is brought along, into the board's memory, so that a bare board can be looked at before
it is flashed, and one whose flash is damaged too. Nothing on the flash is changed.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from besnik.bytecode import compile_file
from besnik.fleet.build import ROOT
from besnik.fleet.doctor.antenna import Step
from besnik.fleet.doctor.wiring import Settings, Wiring
from besnik.fleet.usb import BoardError, UsbBoard

_CARRIED: Final = (
    "firmware/board.py",
    "firmware/checkup.py",
    "firmware/config.py",
    "lib/iso14443.py",
    "lib/mfrc522.py",
    "lib/mfrc522_selftest.py",
)
# A file system of what was brought, in front of everything that is on the flash.
_SHELF: Final = """
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
    if name.split(".")[0] in ("firmware", "iso14443", "mfrc522", "mfrc522_selftest"):
        del sys.modules[name]
"""
_OPEN: Final = """
try:
    import esp32
except ImportError:
    print("null")
else:
    import asyncio
    from firmware import board, checkup, config
    from iso14443 import TypeA
    from mfrc522 import MFRC522
    problem = ""
    try:
        settings = config.load()
    except config.ConfigError as error:
        problem = str(error)
        settings = dict(config.DEFAULTS)
    red, green, buzzer, rc522 = board.wire(settings)
    spi, cs, rst, irq = rc522
    chip = MFRC522(spi, cs, rst, board.Clock(), settings["rc522.gain_db"], irq)
    shown = {key: value for key, value in settings.items() if not key.endswith("password")}
    print(json.dumps([problem, shown]))
"""


class Bench:
    """A board with the checkup in its memory.

    ``settings`` are those on its flash, without passwords; if ``problem`` says what is wrong with
    them they are the defaults.
    """

    def __init__(self, board: UsbBoard) -> None:
        """Bring the code along; BoardError if the board is no ESP32."""
        self.board = board
        board.run(_SHELF)
        for name, code in _compiled().items():
            text = base64.b64encode(code).decode()
            board.run(f"shelf.files[{name!r}] = a2b_base64({text!r})")
        opened = json.loads(board.run(_OPEN))
        if opened is None:
            raise BoardError("this board runs MicroPython, but it is no ESP32: a reader needs one")
        self.problem: str = opened[0]
        self.settings: Settings = opened[1]

    def wiring(self) -> Wiring:
        """Return how the RC522 is wired."""
        said = self.board.run("print(checkup.wiring(chip))")
        return msgspec.json.decode(said, type=Wiring)

    def card_comes(self, within_s: int) -> bool:
        """Return whether a card can be read, at whatever gain, within that time."""
        call = f"checkup.awaits_card(chip, TypeA(chip), {1000 * within_s})"
        return bool(self._ask(call, within_s))

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

    def _ask(self, call: str, seconds: int) -> Any:
        script = f"answer = asyncio.run({call})\nprint(answer if answer else 'false')"
        said = self.board.run(script, timeout_s=seconds + 10)
        return json.loads(said.replace("True", "true"))


def _compiled() -> dict[str, bytes]:
    files = {}
    with tempfile.TemporaryDirectory(prefix="besnik-") as scratch:
        target = Path(scratch) / "code.mpy"
        for name in _CARRIED:
            compile_file(ROOT / name, target, name)
            files[Path(name.removeprefix("lib/")).with_suffix(".mpy").as_posix()] = (
                target.read_bytes()
            )
    return files
