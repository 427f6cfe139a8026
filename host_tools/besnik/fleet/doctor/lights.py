"""LED and buzzer: switched one by one, and looked at by somebody who is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from besnik.fleet.doctor.finding import Finding, ok, skipped, wrong
from besnik.fleet.doctor.person import Person

_TONE_HZ: Final = 2400
_COLOURS: Final = {"r": "red", "g": "green", "a": "amber", "n": "nothing"}
_HEARD: Final = {"y": "yes", "n": "no"}


class Lamp(Protocol):
    """What shows two colours and makes a tone."""

    def show(self, *, red: bool = False, green: bool = False, tone_hz: int = 0) -> None:
        """Switch them; what is not named goes off."""


def look(lamp: Lamp, person: Person, settings: Mapping[str, Any]) -> Finding:
    """Switch LED and buzzer one by one, ask what is seen and heard, and judge it."""
    lamp.show(red=True)
    red = person.choose("Which light do you see?", _COLOURS)
    if red is None:
        lamp.show()
        return skipped("lights", "nobody was there to look", "run this at a terminal")
    lamp.show(green=True)
    green = person.choose("And now?", _COLOURS)
    heard: str | None = "y"
    if settings["buzzer"]:
        lamp.show(tone_hz=_TONE_HZ)
        heard = person.choose("Do you hear a tone?", _HEARD)
    lamp.show()
    return judge(red, green, heard, settings)


def judge(
    red: str | None, green: str | None, heard: str | None, settings: Mapping[str, Any]
) -> Finding:
    """Return what is wrong; ``red`` and ``green`` are what was seen when these were lit."""
    pins = {name: settings[f"pins.{name}"] for name in ("led_red", "led_green", "buzzer")}
    if (red, green) == ("g", "r"):
        return wrong(
            "lights",
            "red and green are exchanged: customers are shown the contrary of what is meant",
            f"exchange the wires on GPIO {pins['led_red']} and GPIO {pins['led_green']}, or"
            f" `besnik fleet flash {settings.get('reader', 'READER')} --set"
            f" pins.led_red={pins['led_green']} --set pins.led_green={pins['led_red']}`",
        )
    if red == green == "n":
        return wrong(
            "lights",
            "the LED stays dark",
            "look at its common leg, the longest, which goes to GND (the LED must be of the kind"
            f" with a common cathode), and at the resistors on GPIO {pins['led_red']} and GPIO"
            f" {pins['led_green']}",
        )
    if red != "r" or green != "g":
        colour, seen, pin = (
            ("red", red, pins["led_red"]) if red != "r" else ("green", green, pins["led_green"])
        )
        return wrong(
            "lights",
            f"where {colour} was to be seen there was {_COLOURS.get(seen or 'n')}",
            f"look at the wire and the resistor between GPIO {pin} and the LED's {colour} leg; it"
            " must touch nothing else",
        )
    if heard == "n":
        return wrong(
            "lights",
            "the LED is as it should be, the buzzer is silent",
            f"look at its wires on GPIO {pins['buzzer']} and GND; it must be a passive one (piezo)."
            ' A reader that is meant to be silent has "buzzer": false',
        )
    silent = "" if settings["buzzer"] else "; the buzzer is off by its settings"
    return ok("lights", f"red, green and tone are as they should be{silent}")
