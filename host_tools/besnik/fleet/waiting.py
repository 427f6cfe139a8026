"""Taps that wait on a board until the host has answered them.

They belong to the reader that the board is: under another name they would be told a second time,
and whoever erases the flash loses them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Final

from besnik.fleet.usb import BoardError, UsbBoard, opened

# firmware/app.py
_OUTBOX: Final = "outbox/"
# Runs on the board: shop and reader of its settings.
_WHO: Final = """
import json
try:
    with open("config.json") as file:
        told = json.load(file)
    print(json.dumps([told["shop"], told["reader"]]))
except (OSError, ValueError, KeyError, TypeError):
    print("[]")
"""


def settle(
    board: UsbBoard, there: Mapping[str, str], files: Mapping[str, bytes], *, may_drop: bool
) -> None:
    """Return if no tap would be lost or told twice when ``files`` are what the board has.

    ``there`` is what is on it now (`usb.Found`). BoardError says what to do, unless a technician
    said that taps ``may_drop``: then they are deleted.
    """
    taps = [path for path in there if path.startswith(_OUTBOX)]
    if not taps:
        return
    who = json.loads(board.run(_WHO))
    if "config.json" in files:
        told = json.loads(files["config.json"])
        if who == [told["shop"], told["reader"]]:
            return
    if not may_drop:
        name = "/".join(who) or "a reader whose settings are gone"
        raise BoardError(
            f"{len(taps)} taps of {name} wait on this board for the host. Plug it in where it"
            " stood until its page says that none wait, and try again; or lose them, with"
            " --drop-taps"
        )
    for path in taps:
        board.remove(path)


def settle_before_erasing(port: str, *, may_drop: bool) -> None:
    """Do as `settle` for a board whose flash is about to be erased; one that is bare has none.

    It is bare if it says nothing for as long as a reader may take that is in a TLS handshake.
    """
    with contextlib.ExitStack() as stack:
        try:
            board = stack.enter_context(opened(port))
        except BoardError:
            return
        settle(board, board.look().files, {}, may_drop=may_drop)
