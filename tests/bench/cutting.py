"""A board that is flashed loses its power at an operation of its flash chip.

At each of them, on MicroPython with littlefs at the end of a pipe; at random ones, on a virtual
board behind its serial port.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from parts import ROOT, environment

from besnik.fleet import content, flash
from besnik.fleet.usb import BoardError, opened
from besnik.sim import reader
from besnik.sim.board import Parts, VirtualBoard
from support import flashing
from support.cut_board import cut_board
from support.processes import Processes, wait_until

# Some more than a whole flash takes; those that come too late for it are not counted.
_OPERATIONS = 500


def cut_at_each() -> tuple[int, int]:
    """Cut the power everywhere in a flash of a bare board and in that of another program's reader.

    Return at how many moments, and after how many of them the board looks finished and is not, or
    is not finished by flashing it again. That is followed at each moment of a flash of some files,
    and at one in ten of all files.
    """
    count = bricked = 0
    with tempfile.TemporaryDirectory(prefix="besnik-") as folder:
        every = flashing.program(Path(folder))
    for files, step in ((flashing.few(every), 1), (every, 10)):
        for make in flashing.BEFORE:
            with cut_board() as board:
                make(board, files)
                board.record()
                board.flash(files)
                moments = board.examine()
                print(*moments.wrong, sep="\n", end="", flush=True)
                count += moments.count
                bricked += len(moments.wrong)
                for number in range(0, board.recorded(), step):
                    for is_torn in (False, True):
                        board.cut(number, is_torn=is_torn)
                        board.flash(files)
                        bricked += not board.is_reader(files)
    return count, bricked


def cut_somewhere(chance: random.Random, count: int) -> tuple[int, int]:
    """Cut the power ``count`` times; return at how many operations, and the boards it bricked."""
    cuts = bricked = 0
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="besnik-"))
        parts = Parts(Path(folder) / "b")
        reader.stage_chip(parts.flash, ROOT)
        stack.enter_context(_pins(parts))
        files = flashing.program(Path(folder))
        for _ in range(count):
            for file in (parts.image, parts.nvs):
                file.unlink(missing_ok=True)
            cut = reader.PowerCut(chance.randint(1, _OPERATIONS), is_torn=chance.random() < 0.5)
            if _is_cut_off(parts, files, cut):
                cuts += 1
                if not _can_be_finished(parts, files):
                    print(f"bricked by {cut}", flush=True)
                    bricked += 1
    return cuts, bricked


def _is_cut_off(parts: Parts, files: dict[str, bytes], cut: reader.PowerCut) -> bool:
    with _powered(parts, cut):
        try:
            _flash(parts, files)
        except BoardError:
            return True
    return False


def _can_be_finished(parts: Parts, files: dict[str, bytes]) -> bool:
    """Return whether what looks finished is, and the rest is by flashing it again."""
    with _powered(parts, None):
        try:
            with opened(str(parts.port)) as board:
                there = board.look().files
            if content.START in there and content.missing(files, there):
                return False
            _flash(parts, files)
        except BoardError as error:
            print(error, flush=True)
            return False
    with _powered(parts, None), opened(str(parts.port)) as board:
        return not content.missing(files, board.look().files)


def _flash(parts: Parts, files: dict[str, bytes]) -> None:
    with opened(str(parts.port)) as board:
        flash.write(board, board.look(), files, lambda *_: None)


@contextmanager
def _pins(parts: Parts) -> Iterator[None]:
    """Wire the board to an RC522, without which it does not start."""
    card = {"key": "card", "label": "A card", "uid": "04A1B2C3D4E580"}
    (parts.folder / "cards.json").write_text(json.dumps([card]), encoding="utf-8")
    (parts.folder / "logs").mkdir()
    processes = Processes(parts.folder / "logs", environment())
    command = [sys.executable, "-m", "besnik.cli", "sim", "serve-spi", "--socket", parts.spi]
    command += ["--cards", parts.folder / "cards.json"]
    processes.start("spi", command, ready="serve-spi: ready")
    try:
        yield
    finally:
        processes.end()


@contextmanager
def _powered(parts: Parts, cut: reader.PowerCut | None) -> Iterator[None]:
    stop, wake = os.pipe()
    board = VirtualBoard(parts, parts.spi, cut=cut)
    thread = threading.Thread(target=board.run, args=(stop,))
    thread.start()
    wait_until(parts.port.exists, "the board's port")
    try:
        yield
    finally:
        os.write(wake, b"1")
        thread.join()
        os.close(stop)
        os.close(wake)
