"""What is flashed onto boards whose power goes, and onto what."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from besnik.fleet import content, settings
from support.cut_board import CutBoard

_FEW: Final = ("a/firmware/app.mpy", "a/firmware/config.mpy", "a/lib/iso14443.mpy", "a/main.py")
_CERTIFICATES: Final = ("ca.der", "reader.der", "reader.key", "release.pub")
# As firmware/boot.py keeps them: release 7 in slot b, bad boots, 8 on trial in slot a.
_STATE: Final = {"slot": 7 << 4 | 2 << 1 | 1, "trial": -(8 << 1)}


def program(folder: Path) -> dict[str, bytes]:
    """Return all that a reader carries; ``folder`` is one of a host without a key."""
    broker = {"host": "127.0.0.1", "plain": True, "password": "open sesame"}
    told = {"shop": "corner", "reader": "counter-1", "wifi": {"ssid": "x"}, "broker": broker}
    chance = random.Random(0)
    files = content.of_reader(folder) | {"config.json": settings.encode(told)}
    return files | {f"cert/{name}": chance.randbytes(700) for name in _CERTIFICATES}


def few(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return some files of each kind."""
    return {
        path: data
        for path, data in files.items()
        if path in _FEW or "/" not in path or path.startswith("cert/")
    }


def bare(_board: CutBoard, _files: dict[str, bytes]) -> None:
    """Leave a new board as it is."""


def old_reader(board: CutBoard, files: dict[str, bytes]) -> None:
    """Make the board a reader of another program, which has taken releases over the air."""
    old = {path: b"#" + data for path, data in files.items() if path not in ("boot.py", "main.py")}
    board.flash(files | old | {"a/lib/gone.mpy": b"gone"})
    for path in old:
        if path.startswith("a/"):
            board.put(f"b/{path[2:]}", old[path])
    board.remember(**_STATE)


BEFORE: Final[list[Callable[[CutBoard, dict[str, bytes]], None]]] = [bare, old_reader]
