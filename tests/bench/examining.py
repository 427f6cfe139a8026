"""What the doctor finds, on how many readers at once, and what a visit costs a reader.

Ten virtual boards with a card on each, every one with another fault, are examined at once, by one
`besnik fleet doctor` with all their ports, which leaves light and buzzer out; what is wrong is
looked for in its table's rows of that board.
The heap is what a reader on line has live in MicroPython's wasm build (32-bit objects) with the
modules of a visit loaded, less what it has without.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wasm_heap
from figures import Figure, at_least, at_most
from parts import Parts, environment, parts

from support.hands import Hands
from support.processes import Processes
from support.usb_board import Board

TITLE = "A doctor's examination"
_SAYS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "antenna      ok"),
    ({"bus": "00"}, "every answer is 00"),
    ({"bus": "FF"}, "every answer is FF"),
    ({"loose_per_mille": 40}, "the wires lose bits"),
    ({"loose_per_mille": 40, "loose_above_hz": 2_000_000}, "none at 1 MHz"),
    ({"unplugged": ["rst"]}, "RST does not reach"),
    ({"sags": True}, "its supply gives way"),
    ({"loss_db": 40}, "the signal is weak"),
    ({"loss_db": 35}, "rc522.gain_db=43"),
    ({"noise_per_mille": 400}, "answers arrive damaged"),
)


def measure() -> list[Figure]:
    """Examine ten boards at once; measure the heap of a visit."""
    with parts() as made, _boards(made) as boards:
        began = time.monotonic()
        said = _examined(made.folder, boards)
        taken_s = time.monotonic() - began
    right = sum(says in text for (_, says), text in zip(_SAYS, said, strict=True))
    for (_, says), text in zip(_SAYS, said, strict=True):
        if says not in text:
            print(f"not said: {says}\n{text}", flush=True)
    figures = [
        at_least("boards of ten of which the truth was said", right, len(boards)),
        at_most("ten boards examined at once", taken_s, 60, "s", 1),
    ]
    if wasm_heap.can_measure():
        without = wasm_heap.measure("reader.py")["live"]
        grown = wasm_heap.measure("doctor.py")["live"] - without
        figures.append(at_most("live heap of a visit", grown / 1024, 6, "KB", 1))
    return figures


@contextmanager
def _boards(made: Parts) -> Iterator[list[Board]]:
    processes = Processes(made.folder / "logs", environment())
    boards = [Board(made.folder / f"b{number}", processes) for number in range(len(_SAYS))]
    try:
        for board, (faults, _) in zip(boards, _SAYS, strict=True):
            board.plug_in()
            hands = Hands(board.parts.folder / "control.sock")
            hands.ask("present", card="card")
            if faults:
                hands.ask("fault", **faults)
        yield boards
    finally:
        processes.end()


def _examined(folder: Path, boards: Sequence[Board]) -> list[str]:
    """Return what the doctor's lines and its table say of each board."""
    settings = folder / "besnik.toml"
    ports = [str(board.parts.port) for board in boards]
    done = subprocess.run(
        [sys.executable, "-m", "besnik.cli", "fleet", "doctor", *ports],
        env={**environment(), "BESNIK_CONFIG": str(settings)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    said = dict.fromkeys(ports, "")
    port = ""
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            port = line.split(maxsplit=1)[0].removesuffix(":") if line else ""
        if port in said:
            said[port] += line + "\n"
    return list(said.values())
