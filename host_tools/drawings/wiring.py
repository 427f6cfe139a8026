"""How an RC522, an LED and a buzzer hang on an ESP32."""

from __future__ import annotations

from typing import Final, NamedTuple

from drawings.chips import Chip
from drawings.svg import INK, SOFT, box, dashed, dot, line, page, text

_WIDTH: Final = 980
_HEIGHT: Final = 640
_BOARD: Final = 300  # its edge with the pins
_PART: Final = 640
_TOP: Final = 120
_PITCH: Final = 36
_LOWER: Final = 440
_BLACK: Final = "#1e293b"
_RED: Final = "#dc2626"
_GREEN: Final = "#15803d"


class Wire(NamedTuple):
    """A wire to the RC522: the module's name, the setting of its pin or a name, a colour."""

    part: str
    board: str
    colour: str


# In the order of the module's pads.
_WIRES: Final = (
    Wire("SDA", "cs", "#ca8a04"),
    Wire("SCK", "sck", "#2563eb"),
    Wire("MOSI", "mosi", "#7c3aed"),
    Wire("MISO", "miso", "#0891b2"),
    Wire("IRQ", "", SOFT),
    Wire("GND", "GND", _BLACK),
    Wire("RST", "rst", "#ea580c"),
    Wire("3.3V", "3V3", _RED),
)


def drawing(chip: Chip) -> str:
    """Return the wiring for a chip's pins."""
    says = "; ".join(
        f"{wire.part} to {_name(chip, wire.board)}" for wire in _WIRES if wire.board
    ) + (
        f"; {_name(chip, 'led_red')} through 220 ohms to the LED's red leg,"
        f" {_name(chip, 'led_green')} through 220 ohms to its green leg, its common cathode to GND;"
        f" {_name(chip, 'buzzer')} and GND to the buzzer."
    )
    parts = [
        text(40, 44, f"A reader on an {chip.name}", size=20),
        text(40, 68, "Go by the names: boards have their pins in many orders.", colour=SOFT),
        box(60, 90, _BOARD - 60, 530, "#e2e8f0"),
        text(80, 124, chip.name, size=17),
        text(80, 146, "on any board", colour=SOFT),
        box(_PART, 90, 280, 320, "#dbeafe"),
        text(_PART + 110, 124, "RC522 module", size=17),
        *_chip_wires(chip),
        *_capacitor(),
        *_led(chip),
        *_buzzer(chip),
    ]
    return page(_WIDTH, _HEIGHT, f"Wiring of a reader on an {chip.name}", says, parts)


def _chip_wires(chip: Chip) -> list[str]:
    drawn = []
    for number, wire in enumerate(_WIRES):
        y = _TOP + _PITCH * number
        drawn += [dot(_PART, y, wire.colour), text(_PART + 16, y + 5, wire.part)]
        if wire.board:
            drawn += _wire(chip, wire.board, y, wire.colour)
        else:
            drawn += [
                dashed([(_PART, y), (_PART - 60, y)], wire.colour),
                text(_PART - 70, y + 5, "free, or any pin: pins.irq", anchor="end", colour=SOFT),
            ]
    note = _TOP + _PITCH * len(_WIRES) - 4
    drawn.append(text(_PART + 110, note - 36, "3.3 V only:", colour=_RED))
    drawn.append(text(_PART + 110, note - 16, "5 V ends the chip", colour=_RED))
    return drawn


def _wire(chip: Chip, board: str, y: float, colour: str, to: float = _PART) -> list[str]:
    """Return a straight wire from the board's edge, with its name at the board."""
    return [
        line([(_BOARD, y), (to, y)], colour),
        dot(_BOARD, y, colour),
        text(_BOARD - 16, y + 5, _name(chip, board), anchor="end"),
    ]


def _capacitor() -> list[str]:
    """Return the capacitors between GND and 3.3V, over the wire of RST."""
    x, ground, supply = 580, _TOP + 5 * _PITCH, _TOP + 7 * _PITCH
    plate = supply - 22
    return [
        line([(x, ground), (x, plate - 6)], "#f8fafc", width=7),
        line([(x, ground), (x, plate - 6)], INK, width=2),
        line([(x, plate), (x, supply)], INK, width=2),
        line([(x - 13, plate - 6), (x + 13, plate - 6)], INK),
        line([(x - 13, plate), (x + 13, plate)], INK),
        dot(x, ground),
        dot(x, supply),
        text(x - 20, plate + 3, "10 µF and 100 nF, close to the module", anchor="end", colour=SOFT),
    ]


def _led(chip: Chip) -> list[str]:
    y = _LOWER
    return [
        *_wire(chip, "led_red", y, _RED),
        *_wire(chip, "GND", y + _PITCH, _BLACK),
        *_wire(chip, "led_green", y + 2 * _PITCH, _GREEN),
        *_resistor(430, y),
        *_resistor(430, y + 2 * _PITCH),
        box(_PART, y - 16, 280, 2 * _PITCH + 32, "#fef9c3"),
        text(_PART + 16, y + 5, "red leg"),
        text(_PART + 16, y + _PITCH + 5, "common cathode, the longest leg"),
        text(_PART + 16, y + 2 * _PITCH + 5, "green leg"),
        text(_PART + 264, y + 5, "LED", size=17, anchor="end"),
    ]


def _resistor(x: float, y: float) -> list[str]:
    return [
        f'<rect x="{x:g}" y="{y - 8:g}" width="54" height="16" fill="#fde68a" stroke="{INK}"/>',
        text(x + 66, y - 6, "220 Ω", colour=SOFT),
    ]


def _buzzer(chip: Chip) -> list[str]:
    y = _LOWER + 3 * _PITCH + 16
    return [
        *_wire(chip, "buzzer", y, "#db2777"),
        *_wire(chip, "GND", y + 30, _BLACK),
        box(_PART, y - 16, 280, 62, "#fce7f3"),
        text(_PART + 16, y + 5, "+"),
        text(_PART + 16, y + 35, "−"),
        text(_PART + 264, y + 20, "buzzer, passive", size=17, anchor="end"),
    ]


def _name(chip: Chip, board: str) -> str:
    return board if board in ("GND", "3V3") else f"GPIO {chip.pin(board)}"
