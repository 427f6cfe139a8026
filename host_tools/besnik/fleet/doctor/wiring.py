"""What the measurements of ``firmware/checkup.py`` say about the wires of the RC522."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from besnik.fleet.doctor.finding import Finding, ok, wrong

ECHO_BYTES: Final = 512
_FIELDS: Final = 8
# VersionReg (MFRC522 data sheet, 9.3.4.8), and what is sold in its place (docs/hardware.md).
_CHIPS: Final = {
    0x91: "RC522 version 1.0",
    0x92: "RC522 version 2.0",
    0x90: "RC522 of before version 1.0",
    0x88: "FM17522, which takes the place of an RC522",
}

Settings = Mapping[str, Any]
"""A reader's settings as the firmware has them: flat, as in ``pins.irq``."""


class Wiring(msgspec.Struct, frozen=True):
    """What ``checkup.wiring`` says; only ``versions`` is there when the bus is dead."""

    versions: str
    wrong: int = 0
    wrong_slow: int = -1
    rst: Literal[0, 1] = 1
    irq: Literal[-1, 0, 1] = -1
    kept: int = _FIELDS
    self_test: Literal["passed", "differs", "unknown"] = "unknown"
    error: str = ""

    @property
    def read(self) -> set[str]:
        """Return the different values of VersionReg, in hex."""
        return {self.versions[at : at + 2] for at in range(0, len(self.versions), 2)}


def judge(measured: Wiring, settings: Settings) -> Finding:
    """Return what is wrong with the wires, the gravest only, or that nothing is."""
    for test in (_bus, _bits, _power, _reset, _interrupt):
        if found := test(measured, settings):
            return wrong("wiring", *found)
    return _well(measured)


def _bus(measured: Wiring, settings: Settings) -> tuple[str, str] | None:
    if measured.read == {"00"}:
        return (
            "the RC522 is silent: every answer is 00",
            "look at its power first: 3.3V on 3V3 (never 5 V), GND on GND. Then at MISO on"
            f" {_gpio(settings, 'miso')} and RST on {_gpio(settings, 'rst')}, which must not touch"
            " GND",
        )
    if measured.read == {"FF"}:
        return (
            "nobody answers on the bus: every answer is FF",
            f"look at SDA on {_gpio(settings, 'cs')}, SCK on {_gpio(settings, 'sck')}, MOSI on"
            f" {_gpio(settings, 'mosi')} and MISO on {_gpio(settings, 'miso')}: one of them is off,"
            " or two are exchanged",
        )
    return None


def _bits(measured: Wiring, settings: Settings) -> tuple[str, str] | None:
    if not (measured.wrong or measured.error or len(measured.read) > 1):
        return None
    if measured.wrong_slow == 0 and not measured.error:
        speed = settings["rc522.spi_hz"] / 1e6
        return (
            f"{measured.wrong} of {ECHO_BYTES} bytes come back wrong at {speed:g} MHz, none at"
            " 1 MHz",
            "shorten the wires to 10 cm or less; where that cannot be, set"
            f" {_setting(settings, 'rc522.spi_hz=1000000')}",
        )
    return (
        f"the wires lose bits: {measured.wrong} of {ECHO_BYTES} bytes come back wrong"
        + (f" ({measured.error})" if measured.error else ""),
        "a wire is loose or badly soldered: press each of SDA, SCK, MOSI, MISO and GND in turn and"
        " run this again; solder them rather than plug them",
    )


def _power(measured: Wiring, _: Settings) -> tuple[str, str] | None:
    if measured.kept == _FIELDS:
        return None
    return (
        "the RC522 loses its settings when its field comes on"
        f" ({_FIELDS - measured.kept} of {_FIELDS} times): its supply gives way",
        "put 10 µF and 100 nF between 3.3V and GND at the RC522, use a short thick cable and a"
        " supply of 1 A, and take nothing else from the board's 3V3",
    )


def _reset(measured: Wiring, settings: Settings) -> tuple[str, str] | None:
    if measured.rst:
        return None
    return (
        "RST does not reach the RC522: it reads cards, but one that hangs cannot be revived",
        f"connect RST to {_gpio(settings, 'rst')}, or name its pin:"
        f" {_setting(settings, 'pins.rst=…')}",
    )


def _interrupt(measured: Wiring, settings: Settings) -> tuple[str, str] | None:
    if measured.irq:
        return None
    return (
        "IRQ does not arrive, so every card goes unheard",
        f"connect IRQ to {_gpio(settings, 'irq')}, or do without it:"
        f" {_setting(settings, 'pins.irq=-1')}",
    )


def _well(measured: Wiring) -> Finding:
    version = int(measured.versions[:2], 16)
    name = _CHIPS.get(version, "a copy of the RC522")
    says = f"{name} (0x{version:02X}); {ECHO_BYTES} of {ECHO_BYTES} bytes came back right"
    if measured.self_test == "passed":
        return ok("wiring", f"{says}; self-test passed")
    if measured.self_test == "differs":
        return ok(
            "wiring",
            f"{says}; self-test answers otherwise than NXP's chip",
            "a copy, as many modules carry; if cards are read well there is nothing to do",
        )
    return ok("wiring", f"{says}; this chip has no known self-test")


def _gpio(settings: Settings, name: str) -> str:
    return f"GPIO {settings[f'pins.{name}']}"


def _setting(settings: Settings, change: str) -> str:
    reader = settings.get("reader", "READER")
    return f"`besnik fleet flash {reader} --set {change}`"
