"""``besnik fleet flash --all``: the application, and who it is, on every board at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from besnik import config
from besnik.fleet import content, image_file, images, waiting
from besnik.fleet.flash import write
from besnik.fleet.lines import Lines
from besnik.fleet.order import Identity, Order
from besnik.fleet.table import make_readers, with_all
from besnik.fleet.terminal import run
from besnik.fleet.usb import opened


class Boards(msgspec.Struct, frozen=True, kw_only=True):
    """The boards that are worked on: all that are connected, or those at ``ports``.

    Bare ones are given MicroPython first, as `flash_command.Bench` says, through their ports of
    ``loaders`` if there are. ``may_drop``: taps that wait on a board may be lost.
    """

    ports: tuple[str, ...] = ()
    loaders: tuple[str, ...] = ()
    is_bare: bool = False
    image: Path | None = None
    may_drop: bool = False


def main(order: Order, boards: Boards) -> int:
    """Make readers of all boards; ``order.reader`` is the first part of the ids of new ones.

    Returns the exit status: 0 if all work.
    """
    return run(
        "flash", lambda shop: make_readers(order, shop, boards.ports, _Flashing(boards, shop))
    )


def main_blank(boards: Boards) -> int:
    """Put the application alone on all boards, which then wait for their settings."""
    return run(
        "flash", lambda shop: with_all(boards.ports, _Flashing(boards, shop).put_application)
    )


class _Flashing:
    """The `table.Way` by the cable and MicroPython's own prompt."""

    def __init__(self, boards: Boards, shop: config.Config) -> None:
        if boards.image:
            image_file.check(boards.image)
        self._boards = boards
        self._state = Path(shop.state)
        self._application = content.of_reader(self._state)

    def begin(self, port: str, lines: Lines) -> str:
        if self._boards.is_bare:
            waiting.settle_before_erasing(port, may_drop=self._boards.may_drop)
            loaders = dict(zip(self._boards.ports, self._boards.loaders, strict=False))
            say = partial(lines.percent, port)
            images.put(self._state, self._boards.image, loaders.get(port, port), say)
        lines.say(port, "who is it?")
        with opened(port) as board:
            return board.chip()

    def put(self, port: str, reader: Identity, lines: Lines) -> None:
        self._write(port, self._application | reader.files(), lines)

    def put_application(self, port: str, lines: Lines) -> None:
        self.begin(port, lines)
        self._write(port, self._application, lines)
        lines.say(port, "waits for its settings: besnik fleet provision READER")

    def _write(self, port: str, files: dict[str, bytes], lines: Lines) -> None:
        def progress(path: str, done: int, total: int) -> None:
            lines.percent(port, path, 100 * done // total if total else 100)

        with opened(port) as board:
            found = board.look()
            waiting.settle(board, found.files, files, may_drop=self._boards.may_drop)
            written = write(board, found, files, progress)
        lines.say(port, f"{written} of {len(files)} files written, all checked")
