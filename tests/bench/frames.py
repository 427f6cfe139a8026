"""SPI frames and emulated time of the card layer.

The firmware's own `lib/mfrc522.py` and `lib/iso14443.py` run in the real MicroPython Unix port
against the register-level chip on its deterministic clock, SPI at 1 MHz. A frame is one period of
CS low; time counts every SPI byte, 20 µs a frame for the driver call, and the air at 106 kbit/s.
"""

from __future__ import annotations

import json
from pathlib import Path

from figures import Figure, at_most

from support.device import run_script

TITLE = "The card layer"
_SCRIPT = Path(__file__).parent / "mpy/frames.py"
# Published or counted figures of the next best MicroPython driver and of the best known anywhere
# (leonow32/micropython, miguelbalboa/rfid; counts by reading or running their code).
_OTHERS = {"empty": "28, 13 + k", "4": "49, 66", "7": "81, 112", "10": "not read, not counted"}
_GOALS = {"4": 26, "7": 42, "10": 58}


def counted() -> dict[str, dict[str, int]]:
    """Return ``frames``, ``octets`` and ``us`` of each thing that the script does."""
    found: dict[str, dict[str, int]] = json.loads(run_script(_SCRIPT))
    return found


def measure() -> list[Figure]:
    """Count, and compare with the goals."""
    found = counted()
    empty = found["empty"]
    figures = [
        at_most("empty poll", empty["frames"], 10, "SPI frames"),
        at_most("empty poll, emulated time", empty["us"] / 1000, 2, "ms", 2),
        Figure("empty poll, others (leonow32, Arduino)", _OTHERS["empty"]),
    ]
    for length, goal in _GOALS.items():
        cost = found[f"uid{length}"]
        figures.append(at_most(f"{length}-byte UID", cost["frames"], goal, "SPI frames"))
        figures.append(
            Figure(f"{length}-byte UID, emulated time at 1 MHz", f"{cost['us'] / 1000:.2f} ms")
        )
        figures.append(Figure(f"{length}-byte UID, others (leonow32, Arduino)", _OTHERS[length]))
    resting = max(found[f"rest{length}"]["frames"] for length in _GOALS)
    figures.append(at_most("check of a resting card", resting, 30, "SPI frames"))
    return figures
