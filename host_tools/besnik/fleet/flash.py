"""From a board with MicroPython to a reader: writes what differs, checks it, starts it.

It can be interrupted anywhere and run again: what is there already is not written twice, and until
all of it is there the board has no ``main.py`` and so does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from besnik.fleet import content
from besnik.fleet.usb import BoardError, Found, UsbBoard

# The oldest whose compiler the firmware is held to (`make check`).
OLDEST: Final = (1, 24, 0)
_DRAFT: Final = content.START + ".new"

Progress = Callable[[str, int, int], None]
"""Called with what is being written, how many bytes are done, and of how many."""


def write(board: UsbBoard, found: Found, files: dict[str, bytes], progress: Progress) -> int:
    """Make ``files`` what the board runs, and start it; return how many were written.

    ``found`` is what was there (`UsbBoard.look`).

    BoardError if it is no ESP32, if MicroPython is too old, or if what was written does not read
    back.
    """
    if not found.is_esp32:
        raise BoardError("this board runs MicroPython, but it is no ESP32: a reader needs one")
    if found.version < OLDEST:
        raise BoardError(
            f"the board has MicroPython {_dotted(found.version)}; a reader needs"
            f" {_dotted(OLDEST)} or later: give an image with --image or --bare"
        )
    wanted = content.missing(files, found.files)
    gone = content.stale(files, found.files)
    if (wanted or gone) and content.START in found.files:
        board.remove(content.START)
        wanted = [*(path for path in wanted if path != content.START), content.START]
    for path in gone:
        board.remove(path)
    total, done = sum(len(files[path]) for path in wanted), 0
    for path in sorted(wanted, key=lambda path: path == content.START):
        progress(path, done, total)
        if path == content.START:
            # First, or boot.py could take it for a release that failed its trial.
            board.forget_boots()
            _finish(board, files)
        else:
            board.put(path, files[path])
        done += len(files[path])
    progress("", total, total)
    if not wanted:
        board.forget_boots()
    board.reset()
    return len(wanted)


def _finish(board: UsbBoard, files: dict[str, bytes]) -> None:
    board.put(_DRAFT, files[content.START])
    there = board.look().files
    there[content.START] = there.pop(_DRAFT, "")
    if wrong := content.missing(files, there):
        raise BoardError(
            f"{', '.join(wrong)}: did not arrive whole. Try again; if it happens again the flash"
            " of this board is worn out or too small"
        )
    board.rename(_DRAFT, content.START)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
