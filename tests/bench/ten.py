"""Ten readers at once, from bare boards to healthy ones, whose cables are pulled on the way.

Virtual boards with the ESP32's flash, `besnik fleet` as a technician runs it, a real broker with
TLS, the bridge and `besnik fleet serve`. All ten are flashed, provisioned, updated over the air to
a signed release of another version, and examined by `besnik fleet doctor`, at their cables and then
over the line they have to the broker. In each of these steps every board's cable is pulled, one
after the other at random moments, until the step is over; an update's at some part of the loading,
of the trial or right after it. Pulled cables are put in again, and the same command is run once
more. A board is bricked that does not become what it is to be by that. At the end each has to run
the new release, be on line, be told healthy both ways, and answer a card.
`BESNIK_BENCH_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from figures import Figure, at_least
from parts import ROOT, Parts, parts

from support.commissioning import Commissioning
from support.next_release import VERSION, make_key, next_application
from support.secure_broker import SecureBroker
from support.standing import enter_readers
from support.technician import Technician
from support.usb_board import Board

TITLE = "Ten readers whose cables are pulled"
BOARDS = 10
_WORKS_S = 600


def measure() -> list[Figure]:
    """Take ten boards through all steps."""
    seed = int(os.environ.get("BESNIK_BENCH_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_BENCH_SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="besnik-") as scratch:
        application = next_application(ROOT, Path(scratch))
    with parts(secure=True) as made:
        enter_readers(made.url, BOARDS)
        make_key(made.folder)
        made.bridge.start()
        table = _table(made, random.Random(seed))
        steps: dict[str, Callable[[], list[str]]] = {
            "flashed": lambda: table.flash(BOARDS),
            "provisioned": lambda: table.provision(BOARDS),
            "updated over the air": lambda: table.update(application, made.folder, BOARDS),
            "examined at their cables": lambda: table.examine_at_cable(BOARDS),
            "examined over the broker": lambda: table.examine_on_line(BOARDS),
        }
        figures = [figure for what, step in steps.items() for figure in _step(table, what, step)]
        table.answer_cards()
        standing = table.standing()
    bad = {
        reader: each
        for reader, each in standing.items()
        if (each.state, each.firmware) != ("online", VERSION)
    }
    if bad:
        print(bad, flush=True)
    return [
        *figures,
        at_least(
            "of ten, on line with the new release and answering cards",
            len(standing) - len(bad),
            BOARDS,
        ),
    ]


def _table(made: Parts, chance: random.Random) -> Commissioning:
    boards = [Board(made.folder / f"b{number}", made.processes) for number in range(BOARDS)]
    for board in boards:
        board.plug_in()
    assert isinstance(made.broker, SecureBroker)
    technician = Technician(made.broker, made.processes, boards[0], made.url)
    return Commissioning(technician, boards, made.url, chance, wait_s=_WORKS_S)


def _step(table: Commissioning, what: str, step: Callable[[], list[str]]) -> list[Figure]:
    before, began = table.pulled, time.monotonic()
    bricked = step()
    taken_s = time.monotonic() - began
    print(f"{what}: {table.pulled - before} pulled, {bricked} bricked, {taken_s:.0f} s", flush=True)
    return [
        Figure(
            f"{what}: cables pulled, until all were", f"{table.pulled - before}, {taken_s:.0f} s"
        ),
        Figure("bricked by that", str(len(bricked)), "0", not bricked),
    ]
