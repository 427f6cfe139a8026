"""The pins of each chip that a reader can be: which are refused before a board is touched.

A reader on a pin that its chip lacks does not start, and one that takes the flash's stops at once.
Which pins those are: "GPIO & RTC GPIO" of each chip in Espressif's ESP-IDF Programming Guide. What
depends on the board (PSRAM, a pin that is read at boot) is not known here: docs/hardware.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from besnik.fleet import settings
from besnik.fleet.settings import Settings, SettingsError

# Those that the RC522 drives; all others are driven by the reader.
_INPUTS: Final = ("pins.miso", "pins.irq")
_NOT_WIRED: Final = -1
# As MicroPython has it: the board, and its chip. "Generic ESP32 module with ESP32-S3-FN8".
_FAMILY: Final = re.compile(r"ESP32(?:[CHPS][1-9])?")


class _Chip(NamedTuple):
    """What a chip has, and which of it is not for a reader; ``cable``: UART and USB."""

    name: str
    there: Collection[int]
    flash: Collection[int]
    cable: Collection[int]
    input_only: Collection[int] = ()


_CHIPS: Final = {
    "ESP32": _Chip(
        "ESP32",
        {*range(20), *range(21, 24), *range(25, 28), *range(32, 40)},
        range(6, 12),
        (1, 3),
        range(34, 40),
    ),
    "ESP32S2": _Chip(
        "ESP32-S2", {*range(22), *range(26, 47)}, range(26, 33), (19, 20, 43, 44), (46,)
    ),
    "ESP32S3": _Chip("ESP32-S3", {*range(22), *range(26, 49)}, range(26, 33), (19, 20, 43, 44)),
    "ESP32C3": _Chip("ESP32-C3", range(22), range(11, 18), (18, 19, 20, 21)),
    "ESP32C6": _Chip("ESP32-C6", range(31), range(24, 31), (12, 13, 16, 17)),
}


def family(name: str) -> str:
    """Return the family of a chip by what esptool, MicroPython or a reader calls it: "ESP32S3".

    What names none is an ESP32, as the virtual board is.
    """
    chip = name.rpartition(" with ")[2].upper().replace("-", "")
    found = _FAMILY.match(chip)
    return found[0] if found else "ESP32"


def check(wanted: Settings, chip: str) -> None:
    """Raise SettingsError if a pin of a reader's settings cannot be used on a chip (`family`)."""
    known = _CHIPS.get(family(chip))
    if known is None:
        return
    for key, pin in settings.check(wanted).items():
        if key.startswith("pins.") and pin != _NOT_WIRED and (why := _wrong(known, key, pin)):
            raise SettingsError(
                f"{key} = {pin}: {why} on this board's {known.name}: docs/hardware.md says which"
                f" pins each chip has; give another with --set, as in --set {key}=NUMBER"
            )


def _wrong(chip: _Chip, key: str, pin: int) -> str:
    if pin not in chip.there:
        return "there is no such pin"
    if pin in chip.flash:
        return "is wired to the flash"
    if pin in chip.cable:
        return "is wired to the cable (UART or USB)"
    if pin in chip.input_only and key not in _INPUTS:
        return "can only be an input"
    return ""
