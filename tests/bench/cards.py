"""From a card in the field to its credential, in emulated time, and what the card layer takes.

The firmware's own presence, identification and drivers run in the MicroPython Unix port against
the register-level chip and the virtual cards, SPI at 1 MHz, 20 µs a frame for the driver call, air
at 106 kbit/s; a card takes the 5 ms that ISO/IEC 14443-3 allows it before it hears anything. 1,000
presentations of each card fall on any moment of the poll; latencies run from the card's entering
the field to the credential's being known. With frame errors, 1 % of the frames are damaged on
their way back or not understood by the card.

Bytecode is what `make firmware` builds. The live heap is that of chip, ISO 14443, ISO-DEP, Type 2
and Type 4, loaded and constructed in MicroPython's wasm build (32-bit objects), bytecode included.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from functools import cache
from pathlib import Path
from typing import TypedDict

import frames
import others
import wasm_heap
from figures import Figure, at_most

from besnik.fleet.build import build
from support.device import run_script

TITLE = "Cards"
_SCRIPT = Path(__file__).parent / "mpy/cards.py"
_GOALS_MS = {"uid": 60, "sun": 150}
_NAMES = {"uid": "UID", "sun": "SUN (NTAG 424 DNA)"}
_CORE = ("lib/mfrc522.mpy", "lib/iso14443.mpy")


class Found(TypedDict):
    """What the script tells of one card; times in milliseconds of emulated time."""

    taken_ms: list[int]
    noisy_ms: list[int]
    missed: int
    doubled: int
    resting_taps: int


def measure() -> list[Figure]:
    """Run the presentations, compile the library, load it on 32-bit objects."""
    found = _found()
    figures = [figure for key in _NAMES for figure in _card(key, found[key])]
    # biologist79/ESPuino, pull request 413: counted on a real reader, noise unknown.
    espuino = Figure("false removals in 10 minutes of rest, ESPuino as shipped (its PR 413)", "20")
    return [*figures, espuino, *_sizes(), _heap()]


def comparison() -> str:
    """Return the table of other drivers, with ours measured."""
    cost = frames.counted()
    found = _found()
    core, _ = _compiled()
    ours = others.Driver(
        "**Besnik**",
        str(cost["empty"]["frames"]),
        str(cost["uid4"]["frames"]),
        str(cost["uid7"]["frames"]),
        f"{max(found['uid']['taken_ms'])} ms, start of the card included",
        f"{core:,} B",
        "measured here",
    )
    return f"SPI frames of other drivers, and how late they see a card:\n\n{others.table(ours)}"


@cache
def _found() -> dict[str, Found]:
    found: dict[str, Found] = json.loads(run_script(_SCRIPT, timeout_s=600))
    return found


def _card(key: str, found: Found) -> list[Figure]:
    name = _NAMES[key]
    taken_ms, noisy_ms = found["taken_ms"], found["noisy_ms"]
    median = round(statistics.median(taken_ms))
    figures = [
        at_most(f"{name}: card in field to credential, p95", _p95(taken_ms), _GOALS_MS[key], "ms"),
        Figure(f"{name}: the same, median and longest", f"{median}, {max(taken_ms)} ms"),
        at_most(f"{name}: p95, 1 % frame errors", _p95(noisy_ms), _GOALS_MS[key], "ms"),
    ]
    for what, count in (
        ("false removals in 10 minutes of rest", found["resting_taps"] - 1),
        ("missed of 1,000 presentations", found["missed"]),
        ("counted twice of 1,000 presentations", found["doubled"]),
    ):
        figures.append(Figure(f"{name}: {what}, 1 % frame errors", str(count), "0", count == 0))
    return figures


def _p95(values: list[int]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _compiled() -> tuple[int, int]:
    """Return bytes of bytecode: of chip and ISO 14443-3, and of all of lib/."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = {each.name: each.compiled_bytes for each in build(Path(folder))}
    library = [size for name, size in sizes.items() if name.startswith("lib/")]
    return sum(sizes[name] for name in _CORE), sum(library)


def _sizes() -> list[Figure]:
    core, library = _compiled()
    return [
        at_most("bytecode of chip and ISO 14443-3", core / 1024, 6, "KB", 1),
        at_most("bytecode of all of lib/", library / 1024, 24, "KB", 1),
    ]


def _heap() -> Figure:
    what = "live heap of chip, ISO 14443, ISO-DEP, Type 2 and Type 4, 32-bit objects"
    if not wasm_heap.can_measure():
        return Figure(what, "not measured: Node.js is not installed")
    found = wasm_heap.measure("cards.py")
    return at_most(what, (found["live"] - found["stdlib"] - found["empty"]) / 1024, 16, "KB", 1)
