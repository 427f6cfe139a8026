"""The drawings in docs/hardware are those the script makes, and show pins a reader can have."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drawings.all import FOLDER, drawings
from drawings.chips import CHIPS, Chip

# By chip: what its flash, its USB and its boot need, what it has not, and what is input only
# (ESP-IDF Programming Guide, "GPIO & RTC GPIO").
TAKEN = {
    "esp32": {0, 1, 2, 3, *range(6, 13), 15, 16, 17, 20, 24, *range(28, 32), *range(34, 49)},
    "esp32s3": {0, 3, 19, 20, *range(22, 38), 43, 44, 45, 46},
    "esp32c3": {2, 8, 9, *range(11, 49)},
    "esp32c6": {4, 5, 8, 9, 12, 13, 15, 16, 17, *range(24, 49)},
}


def test_what_is_committed_is_what_the_script_makes() -> None:
    made = drawings()
    assert {file.name for file in FOLDER.iterdir()} == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, (
            f"run host_tools/drawings: {name}"
        )
        ElementTree.fromstring(text)


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.key)
def test_every_pin_is_free_on_its_chip(chip: Chip) -> None:
    text = drawings()[f"wiring-{chip.key}.svg"]
    shown = {int(number) for number in re.findall(r">GPIO (\d+)<", text)}
    assert len(shown) == 8
    assert not shown & TAKEN[chip.key]


def test_the_guide_shows_every_drawing_and_names_every_pin(root: Path) -> None:
    guide = (root / "docs/hardware.md").read_text(encoding="utf-8")
    for name in drawings():
        assert f"(hardware/{name})" in guide, name
    for chip in CHIPS:
        for name, number in chip.pins.items():
            assert f"--set pins.{name}={number}" in guide, (chip.key, name)
