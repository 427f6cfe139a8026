"""``besnik fleet flash --all``: the application, and who it is, on every board at once.

Also on one whose reader is not named: it is known by its chip, or gets an id as those do.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from besnik import config
from besnik.fleet import content, image, image_file, images, pins, waiting
from besnik.fleet.flash import write
from besnik.fleet.lines import Lines
from besnik.fleet.order import Identity, Order
from besnik.fleet.table import make_readers, with_all
from besnik.fleet.terminal import only_port, run
from besnik.fleet.usb import BoardError, opened


class Boards(msgspec.Struct, frozen=True, kw_only=True):
    """The boards that are worked on: all that are connected, or those at ``ports``.

    Bare ones are given MicroPython first, as `flash_command.Bench` says, through their ports of
    ``loaders`` if there are. ``may_drop``: taps that wait on a board may be lost. ``is_one``: only
    one may be connected.
    """

    ports: tuple[str, ...] = ()
    loaders: tuple[str, ...] = ()
    is_bare: bool = False
    image: Path | None = None
    may_drop: bool = False
    is_one: bool = False

    def chosen(self) -> tuple[str, ...]:
        """Return the ports to work on, none for all that are connected; BoardError."""
        return (only_port(),) if self.is_one and not self.ports else self.ports


def main(order: Order, boards: Boards) -> int:
    """Make readers of all boards; ``order.reader`` is the first part of the ids of new ones.

    Returns the exit status: 0 if all work.
    """
    return run(
        "flash", lambda shop: make_readers(order, shop, boards.chosen(), _Flashing(boards, shop))
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
        self._loaders = dict(zip(boards.ports, boards.loaders, strict=False))
        self._silent: set[str] = set()

    def begin(self, port: str, lines: Lines) -> str:
        lines.say(port, "who is it?")
        try:
            with opened(port) as board:
                return board.chip()
        except BoardError:
            if not self._boards.is_bare:
                raise
        self._silent.add(port)
        return image.chip_on(self._loaders.get(port, port)).number

    def put(self, port: str, reader: Identity, lines: Lines) -> None:
        self._write(port, reader, lines)

    def put_application(self, port: str, lines: Lines) -> None:
        self._write(port, None, lines)
        lines.say(port, "waits for its settings: besnik fleet provision READER")

    def _write(self, port: str, reader: Identity | None, lines: Lines) -> None:
        def progress(path: str, done: int, total: int) -> None:
            lines.percent(port, path, 100 * done // total if total else 100)

        files = self._application | (reader.files() if reader else {})
        if self._boards.is_bare:
            self._put_image(port, reader, lines)
        with opened(port) as board:
            found = board.look()
            with board.as_it_was():
                if reader:
                    pins.check(reader.settings, board.name())
                waiting.settle(board, found.files, files, may_drop=self._boards.may_drop)
            written = write(board, found, files, progress)
        lines.say(port, f"{written} of {len(files)} files written, all checked")

    def _put_image(self, port: str, reader: Identity | None, lines: Lines) -> None:
        loader = self._loaders.get(port, port)
        taken = images.taken(self._state, self._boards.image, loader)
        if reader:
            pins.check(reader.settings, image_file.chip_of(taken).name)
        if port not in self._silent:
            waiting.settle_before_erasing(port, may_drop=self._boards.may_drop)
        image.write(loader, taken, partial(lines.percent, port))
