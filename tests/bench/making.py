"""What it takes to make readers of bare boards, and what becomes of those that lose their power.

Virtual boards with the ESP32's flash, `besnik fleet` as a technician runs it, a real broker with
TLS and the bridge. An image of 1.7 MB (no real one: half of it random) goes to esptool's own mock
of the chip's loader, then the application by mpremote's transport onto the board; a card is held to
it as soon as it is asked for. The time runs from the command to the verdict.

Unplugged: ten boards at a time are flashed, or flashed without settings and then provisioned, and
lose their power at a random moment of that; then they are plugged in and the same command is run
again. Power cut: one board loses it at an erase or program operation of its flash, before it or
half way in it, over all of a flash; what has a main.py then must be whole. The same at every such
operation, without the serial line: each state is looked at, and of a flash of some files of each
kind each is flashed again, of all files one in ten. A board is bricked that
does not become a reader by running the command again. `BESNIK_BENCH_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path

from cutting import cut_at_each, cut_somewhere
from figures import Figure, at_most
from parts import Parts, parts

from besnik.sim.control import Control
from support.broker import free_port
from support.commissioning import Commissioning
from support.esp_image import rom_loader, write_image
from support.processes import Running
from support.secure_broker import SecureBroker
from support.standing import enter_readers
from support.technician import ONCE, Technician
from support.usb_board import Board

TITLE = "Readers made of boards"
BOARDS = 10
ROUNDS = 4
CUTS = 40
_IMAGE_BYTES = 1_700_000
_WORKS_S = 240


def measure() -> list[Figure]:
    """Make readers, with power and without."""
    seed = int(os.environ.get("BESNIK_BENCH_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_BENCH_SEED={seed}", flush=True)
    chance = random.Random(seed)
    with parts(secure=True) as made, _table(made) as (technician, boards):
        enter_readers(made.url, BOARDS)
        made.bridge.start()
        content = chance.randbytes(_IMAGE_BYTES // 2) + bytes(_IMAGE_BYTES // 2)
        image = write_image(made.folder / "image.bin", content=content)
        one_s = asyncio.run(_make(technician, boards[:1], image, "counter-1"))
        _erase(boards)
        ten_s = asyncio.run(_make(technician, boards, image, "--all", "counter"))
        table = Commissioning(technician, boards, made.url, chance, wait_s=_WORKS_S)
        bricked = _unplugged(table, boards)
    cuts, cut_bricked = cut_somewhere(chance, CUTS)
    moments, moments_bricked = cut_at_each()
    return [
        at_most("bare board to its first verdict", one_s, 60, "s", 1),
        at_most("ten bare boards to their first verdicts", ten_s, 180, "s", 1),
        Figure("boards unplugged on the way", str(table.pulled)),
        Figure("bricked by that", str(len(bricked)), "0", not bricked),
        Figure("power cuts of a virtual board at an operation of its flash", str(cuts)),
        Figure("bricked by that", str(cut_bricked), "0", cut_bricked == 0),
        Figure("power cuts before and in every operation of whole flashes", f"{moments:,}"),
        Figure("bricked by that", str(moments_bricked), "0", moments_bricked == 0),
    ]


@contextmanager
def _table(made: Parts) -> Iterator[tuple[Technician, list[Board]]]:
    boards = [Board(made.folder / f"b{number}", made.processes) for number in range(BOARDS)]
    for board in boards:
        board.plug_in()
    assert isinstance(made.broker, SecureBroker)
    yield Technician(made.broker, made.processes, boards[0]), boards


async def _make(technician: Technician, boards: Sequence[Board], image: Path, *who: str) -> float:
    """Make readers of bare boards; return the seconds until each has answered a card."""
    with ExitStack() as stack:
        loaders = [stack.enter_context(rom_loader(free_port())) for _ in boards]
        began = time.monotonic()
        options = [part for loader in loaders for part in ("--loader", loader)]
        running = technician.starts(
            "flash", *who, *ONCE, "--image", str(image), *options, boards=boards
        )
        async with AsyncExitStack() as hands:
            waiting = list(boards)
            while waiting and running.alive:
                for board in [each for each in waiting if _asks(running, each, len(boards))]:
                    control = Control.connect(board.parts.folder / "control.sock")
                    await (await hands.enter_async_context(await control)).present("card")
                    waiting.remove(board)
                await asyncio.sleep(0.05)
            status = await asyncio.to_thread(running.wait, _WORKS_S)
        taken_s = time.monotonic() - began
    assert status == 0, running.log
    return taken_s


def _asks(running: Running, board: Board, count: int) -> bool:
    lines = [line for line in running.log.splitlines() if "hold any card" in line]
    return any(count == 1 or line.startswith(f"{board.parts.port}:") for line in lines)


def _erase(boards: Sequence[Board]) -> None:
    for board in boards:
        board.unplug()
        for file in (board.parts.image, board.parts.nvs):
            file.unlink(missing_ok=True)
        board.plug_in()


def _unplugged(table: Commissioning, boards: Sequence[Board]) -> list[str]:
    """Pull cables on the way; return which are no readers after all."""
    bricked = []
    for number in range(ROUNDS):
        _erase(boards)
        bricked += table.flash(0) + table.provision(BOARDS) if number % 2 else table.make(BOARDS)
    return bricked
