"""MicroPython itself on a bare board: esptool erases the flash, writes an image and checks it."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from besnik.fleet.usb import BoardError

WHERE_TO_GET: Final = "https://micropython.org/download/?port=esp32"


class Chip(NamedTuple):
    """A chip a reader can be: esptool's name, and where in its flash an image begins."""

    name: str
    offset: int


# By the chip id in the image's header (esp_image_format.h, esp_image_header_t, bytes 12 and 13).
# The offset is that of the chip's second-stage loader, with which MicroPython's images begin.
_CHIPS: Final = {
    0x0000: Chip("esp32", 0x1000),
    0x0002: Chip("esp32s2", 0x1000),
    0x0005: Chip("esp32c3", 0x0),
    0x0009: Chip("esp32s3", 0x0),
    0x000D: Chip("esp32c6", 0x0),
}
_HEADER: Final = struct.Struct("<B11xH10x")
_MAGIC: Final = 0xE9
_PERCENT: Final = re.compile(r"(\d+)\.\d%")
_CONNECTED: Final = re.compile(r"Connected to (ESP\S+) on ")
_TOLD_LINES: Final = 6


def chip_of(image: Path) -> Chip:
    """Return the chip an image is for; BoardError if it is no image, or for no chip of ours."""
    try:
        with image.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError as error:
        raise BoardError(f"{image}: cannot be read: {error.strerror}") from error
    if len(header) < _HEADER.size or header[0] != _MAGIC:
        raise BoardError(
            f"{image}: is no image for an ESP32: take the .bin of your board from {WHERE_TO_GET}"
        )
    _, chip = _HEADER.unpack(header)
    if chip not in _CHIPS:
        names = ", ".join(known.name for known in _CHIPS.values())
        raise BoardError(f"{image}: is for a chip with id {chip:#x}; a reader can be {names}")
    return _CHIPS[chip]


def write(port: str, image: Path, say: Callable[[str, int], None]) -> None:
    """Erase the board on ``port`` and write ``image``; ``say`` is told what is done, in percent.

    esptool compares what it wrote with what the flash then holds. BoardError if it fails; run
    it again: the chip's loader is in its ROM and cannot be broken by this.
    """
    chip = chip_of(image)
    _esptool(chip.name, port, "erase-flash", say=say)
    _esptool(chip.name, port, "write-flash", hex(chip.offset), str(image), say=say)


def chip_on(port: str) -> Chip:
    """Return the chip on ``port``, asked by its ROM's loader; BoardError if it is none of ours."""
    told = _esptool("auto", port, "chip-id", say=lambda *_: None)
    for line in told:
        if found := _CONNECTED.search(line):
            name = found[1].lower().replace("-", "")
            for chip in _CHIPS.values():
                if chip.name == name:
                    return chip
            names = ", ".join(known.name for known in _CHIPS.values())
            raise BoardError(f"{port}: is an {found[1]}; a reader can be {names}")
    raise BoardError(f"{port}: esptool does not say which chip it is: " + " ".join(told))


def _esptool(chip: str, port: str, *command: str, say: Callable[[str, int], None]) -> list[str]:
    """Run esptool; return what it said, without its progress, which is for ``say``."""
    what = f"esptool {command[0]}"
    say(what, 0)
    told: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "esptool", "--chip", chip, "--port", port, *command],
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
