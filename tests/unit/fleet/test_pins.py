"""Which pins a chip has for a reader."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from besnik.fleet import pins
from besnik.fleet.settings import Settings, SettingsError
from drawings.chips import CHIPS, Chip


def wants(numbers: Mapping[str, int]) -> Settings:
    return {
        "shop": "corner",
        "reader": "counter-1",
        "wifi": {"ssid": "demo"},
        "broker": {"host": "broker.shop"},
        "pins": dict(numbers),
    }


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.key)
def test_the_pins_of_the_guide_can_be_used_on_their_chips(chip: Chip) -> None:
    for name in chip.name.split(" or "):
        pins.check(wants(chip.pins), name)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Generic ESP32 module with ESP32", "ESP32"),
        ("Generic ESP32 module with SPIRAM with ESP32", "ESP32"),
        ("TinyPICO with ESP32-PICO-D4", "ESP32"),
        ("Arduino Nano ESP32 with ESP32S3", "ESP32S3"),
        ("TinyS3 with ESP32-S3-FN8", "ESP32S3"),
        ("LOLIN_C3_MINI with ESP32-C3FH4", "ESP32C3"),
        ("ESP32S2FN4R2", "ESP32S2"),
        ("esp32c6", "ESP32C6"),
        ("linux [GCC 14.2.0] version", "ESP32"),
    ],
)
def test_a_chip_is_known_by_whatever_names_it(name: str, found: str) -> None:
    assert pins.family(name) == found


@pytest.mark.parametrize(
    ("chip", "key", "number", "why"),
    [
        ("ESP32", "rst", 24, "there is no such pin"),
        ("ESP32", "rst", 40, "there is no such pin"),
        ("ESP32", "led_red", 6, "is wired to the flash"),
        ("ESP32", "buzzer", 1, "is wired to the cable"),
        ("ESP32", "led_red", 34, "can only be an input"),
        ("ESP32-S3", "rst", 22, "there is no such pin"),
        ("ESP32-S3", "irq", 19, "is wired to the cable"),
        ("ESP32-S2", "rst", 47, "there is no such pin"),
        ("ESP32-C3", "irq", 12, "is wired to the flash"),
        ("ESP32-C6", "irq", 31, "there is no such pin"),
    ],
)
def test_a_pin_that_its_chip_has_not_for_a_reader_is_refused(
    chip: str, key: str, number: int, why: str
) -> None:
    guide = next(each for each in CHIPS if chip in each.name.split(" or "))
    with pytest.raises(SettingsError, match=rf"pins\.{key} = {number}: {why}.* on this board's"):
        pins.check(wants({**guide.pins, key: number}), chip)


def test_an_input_can_be_on_a_pin_that_is_only_one() -> None:
    pins.check(wants({"irq": 34, "miso": 35}), "ESP32")


def test_the_pins_of_a_chip_that_nobody_knows_are_its_owners_matter() -> None:
    pins.check(wants({"rst": 24}), "ESP32-P4")
