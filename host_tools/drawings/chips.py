"""Chips a reader can be, and pins of theirs that are free on the usual boards.

Which pins those are: "GPIO & RTC GPIO" of each chip in Espressif's ESP-IDF Programming Guide.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from besnik.fleet.settings import check

_WHATEVER: Final[dict[str, Any]] = {
    "shop": "shop",
    "reader": "reader",
    "wifi": {"ssid": "wifi"},
    "broker": {"host": "host"},
}


class Chip(NamedTuple):
    """A chip, and the pins that differ from those a reader has by itself."""

    key: str
    name: str
    pins: Mapping[str, int] = {}

    def pin(self, name: str) -> int:
        """Return a pin's GPIO number, as the firmware would have it."""
        return int(_settings(self.key)[f"pins.{name}"])


_PINS: Final = ("sck", "mosi", "miso", "cs", "rst", "led_red", "led_green", "buzzer")


def _pins(*numbers: int) -> dict[str, int]:
    return dict(zip(_PINS, numbers, strict=True))


CHIPS: Final = (
    Chip("esp32", "ESP32"),
    Chip("esp32s3", "ESP32-S3 or ESP32-S2", _pins(12, 11, 13, 10, 9, 5, 6, 7)),
    Chip("esp32c3", "ESP32-C3", _pins(6, 7, 5, 10, 4, 0, 1, 3)),
    Chip("esp32c6", "ESP32-C6", _pins(6, 7, 2, 18, 19, 20, 21, 22)),
)


@functools.cache
def _settings(key: str) -> dict[str, Any]:
    chip = next(chip for chip in CHIPS if chip.key == key)
    return check({**_WHATEVER, "pins": dict(chip.pins)})
