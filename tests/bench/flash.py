"""What taps cost the reader's flash.

The firmware's own outbox in the MicroPython Unix port on its own littlefs (the ESP32's), on a chip
model that counts: 128 blocks of 4,096 bytes. A tap that is answered is stored and deleted, 2,000 of
them; then 256 are stored in a row, as without Wi-Fi, and drained: read and deleted. In between, 64
more are stored in one of the sub-folders: what all taps would take if there were none.

Times are estimates at typical figures of SPI NOR flash (W25Q): 45 ms an erase, 0.7 ms a program
operation (a page of 256 bytes at the slow end; these are 32 to 128 bytes), and of the ESP32: 20 µs
and 0.1 µs a byte for a read. Nothing was timed on a chip.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from figures import Figure, at_most

from support.device import run_script

TITLE = "The reader's flash"
_SCRIPT = Path(__file__).parent / "mpy/flash.py"
_ERASE_MS = 45.0
_PROGRAM_MS = 0.7
_READ_MS = 0.020
_READ_BYTE_MS = 0.0001
# firmware.md, section 6: one file for each tap and then deleted; an append-only log takes 1.03.
_ERASES_A_TAP = 0.12


class Cost(NamedTuple):
    """What one step takes."""

    erases: int
    programs: int
    bytes_programmed: int
    reads: int
    bytes_read: int


def measure() -> list[Figure]:
    """Count each kind of work."""
    found = counted()
    answered = found["answered"]
    erases = sum(cost.erases for cost in answered) / len(answered)
    programmed = sum(cost.bytes_programmed for cost in answered) / len(answered)
    return [
        at_most("erases a tap, stored and deleted", erases, _ERASES_A_TAP, "erases", 3),
        Figure("bytes programmed a tap", f"{programmed:.0f}"),
        _times("time of a tap, stored and deleted", answered),
        _times("time of storing, one of 256 in a row", found["stored"]),
        _times("time of draining, one of 256", found["drained"]),
        _times("time of storing, one of 64 in one folder", found["crowded"]),
    ]


def counted() -> dict[str, list[Cost]]:
    """Return what each step of each kind takes."""
    found: dict[str, list[Cost]] = {}
    for line in run_script(_SCRIPT).splitlines():
        what, *counts = line.split()
        found.setdefault(what, []).append(Cost(*map(int, counts)))
    return found


def _ms(cost: Cost) -> float:
    return (
        cost.erases * _ERASE_MS
        + cost.programs * _PROGRAM_MS
        + cost.reads * _READ_MS
        + cost.bytes_read * _READ_BYTE_MS
    )


def _times(what: str, costs: list[Cost]) -> Figure:
    times_ms = sorted(_ms(cost) for cost in costs)
    count = len(costs)
    told = (times_ms[count // 2], times_ms[count * 95 // 100], times_ms[-1])
    value = ", ".join(f"{time_ms:.0f}" for time_ms in told)
    return Figure(f"{what}: median, p95, longest (estimated)", f"{value} ms")
