"""The images of MicroPython that a technician keeps, in ``{state}/images``: which fits a board."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from besnik.fleet import image, image_file
from besnik.fleet.flash import OLDEST
from besnik.fleet.usb import BoardError

# The newest that the firmware was run with (docs/figures.md names what measures it).
NEWEST_TRIED: Final = (1, 29, 0)
# With what only mends it.
_NEWEST: Final = (*NEWEST_TRIED[:2], 99)
# As micropython.org names its files: ESP32_GENERIC-20250415-v1.25.0.bin.
_VERSION: Final = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
# Those for boards with other memory, or with room for updates of MicroPython's own, have a word
# more: ESP32_GENERIC-OTA-20250415-v1.25.0.bin.
_PLAIN: Final = re.compile(r"^[A-Z0-9_]+-\d{8}-v")


def folder_of(state: Path) -> Path:
    """Return where images are kept."""
    return state / "images"


def find(state: Path, chip: image_file.Chip) -> Path:
    """Return the newest image for a chip that is kept, a plain one if there is one.

    BoardError says where to get one.
    """
    folder = folder_of(state)
    kept = [file for file in sorted(folder.glob("*.bin")) if _fits(file, chip)]
    if not kept:
        raise BoardError(
            f"no image of MicroPython for an {chip.name} is in {folder}: take one of version"
            f" {_dotted(OLDEST)} to {_dotted(NEWEST_TRIED)} from {image_file.WHERE_TO_GET}, and put"
            " it there, or give it with --image"
        )
    return max(kept, key=lambda file: (bool(_PLAIN.match(file.name)), _version(file)))


def taken(state: Path, chosen: Path | None, loader: str) -> Path:
    """Return what a bare board at ``loader`` is given: the ``chosen`` image or one that is kept.

    BoardError if there is none, or if it is not a whole one.
    """
    found = chosen or find(state, image.chip_on(loader).chip)
    image_file.check(found)
    return found


def _fits(file: Path, chip: image_file.Chip) -> bool:
    try:
        return OLDEST <= _version(file) <= _NEWEST and image_file.chip_of(file) == chip
    except BoardError:
        return False


def _version(file: Path) -> tuple[int, ...]:
    """Return the version that a file's name says; one that says none is taken for the oldest."""
    found = _VERSION.search(file.name)
    return tuple(map(int, found.groups())) if found else OLDEST


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
