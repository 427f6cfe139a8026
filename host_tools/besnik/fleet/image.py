"""MicroPython itself on a bare board: esptool erases the flash, writes an image and checks it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from besnik.fleet.image_file import CHIPS, Chip, check
from besnik.fleet.usb import BoardError, note_restart

_PERCENT: Final = re.compile(r"(\d+)\.\d%")
_CONNECTED: Final = re.compile(r"Connected to (ESP\S+) on ")
# Chips that speak more than Wi-Fi and Bluetooth have a longer one beside it.
_NUMBER: Final = re.compile(r"^(BASE )?MAC: +((?:[0-9a-f]{2}:){5}[0-9a-f]{2})$")
_TOLD_LINES: Final = 6
_ESPTOOL: Final = (sys.executable, "-m", "esptool")
# The first is what esptool begins with, and takes 2.5 minutes for an image of 1.7 MB at worst.
_BAUD: Final = 115_200
_FAST_BAUD: Final = 460_800


def write(port: str, image: Path, say: Callable[[str, int], None]) -> None:
    """Erase the board on ``port`` and write ``image``; ``say`` is told what is done, in percent.

    esptool compares what it wrote with what the flash then holds. BoardError if it fails, before
    anything is erased if the image is at fault; run it again: the chip's loader is in its ROM and
    cannot be broken by this.
    """
    chip = check(image)
    _esptool(chip.name, port, "erase-flash", say=say)
    written = ("write-flash", hex(chip.offset), str(image))
    try:
        _esptool(chip.name, port, *written, say=say, baud=_FAST_BAUD)
    except BoardError:
        # Some boards' USB chips, and long cables, are not up to it.
        _esptool(chip.name, port, *written, say=say)
    note_restart()


class OnPort(NamedTuple):
    """The chip on a port, and its own number, as `UsbBoard.chip` returns it."""

    chip: Chip
    number: str


def chip_on(port: str) -> OnPort:
    """Return the chip on ``port``, asked by its ROM's loader; BoardError if it is none of ours."""
    told = _esptool("auto", port, "chip-id", say=lambda *_: None)
    numbers = [found[2] for line in told if (found := _NUMBER.match(line))]
    if not numbers:
        raise BoardError(f"{port}: esptool does not say its number: " + " ".join(told))
    return OnPort(_chip(port, told), numbers[-1].replace(":", ""))


def _chip(port: str, told: Sequence[str]) -> Chip:
    for line in told:
        if found := _CONNECTED.search(line):
            name = found[1].lower().replace("-", "")
            for chip in CHIPS.values():
                if chip.name == name:
                    return chip
            names = ", ".join(known.name for known in CHIPS.values())
            raise BoardError(f"{port}: is an {found[1]}; a reader can be {names}")
    raise BoardError(f"{port}: esptool does not say which chip it is: " + " ".join(told))


def _esptool(
    chip: str, port: str, *command: str, say: Callable[[str, int], None], baud: int = _BAUD
) -> list[str]:
    """Run esptool; return what it said, without its progress, which is for ``say``."""
    what = f"esptool {command[0]}"
    say(what, 0)
    told: list[str] = []
    with subprocess.Popen(
        [*_ESPTOOL, "--chip", chip, "--port", port, "--baud", str(baud), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if share := _PERCENT.search(line):
                say(what, int(share[1]))
            elif line.strip():
                told.append(line.rstrip())
    if process.returncode:
        raise BoardError(
            f"{what} failed:\n  "
            + "\n  ".join(told[-_TOLD_LINES:])
            + "\nHold the board's BOOT button while it starts, and try another cable or port"
        )
    say(what, 100)
    return told
