"""``besnik fleet flash``: from a board on the table to a reader whose first tap was answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from besnik import config
from besnik.fleet import arrival, boards, content, image, images, pins, provision, records, waiting
from besnik.fleet.flash import Progress, write
from besnik.fleet.image_file import chip_of
from besnik.fleet.order import Identity, Order, prepared
from besnik.fleet.terminal import only_port, percent, run, show, until_left
from besnik.fleet.usb import opened

_SPEAKS_S = 20


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the table: the board's port, and whether it is bare and needs MicroPython first.

    That is ``image``, or one of those that are kept (`images`). ``loader`` is the port of the
    chip's ROM loader where that is another one, as on chips with USB of their own. ``may_drop``:
    taps that wait on the board may be lost.
    """

    port: str = ""
    is_bare: bool = False
    image: Path | None = None
    loader: str = ""
    may_drop: bool = False


def main(order: Order, bench: Bench) -> int:
    """Make a reader of the board; return the exit status."""
    return run("flash", lambda shop: _flash(order, bench, shop))


def main_blank(bench: Bench) -> int:
    """Put the application alone on the board, which then waits for its settings."""
    return run("flash", lambda shop: _blank(bench, shop))


async def _flash(order: Order, bench: Bench, shop: config.Config) -> None:
    reader = prepared(order, shop)
    await records.enter(reader, order.till, show)
    port = bench.port or only_port()
    async with arrival.watching(shop, reader) as watcher:
        with until_left() as shown:
            chip = await asyncio.to_thread(_write, bench, shop, port, reader, shown)
        boards.remember(Path(shop.state), chip, reader.reader)
        card = arrival.draw_label(shop, reader)
        show(f"print and stick under the reader: {card}")
        await arrival.see(watcher, reader.reader, show, waits_for_tap=order.waits_for_tap)


async def _blank(bench: Bench, shop: config.Config) -> None:
    port = bench.port or only_port()
    with until_left() as shown:
        await asyncio.to_thread(_write, bench, shop, port, None, shown)
    await asyncio.to_thread(_waits, port)


def _write(
    bench: Bench, shop: config.Config, port: str, reader: Identity | None, shown: Progress
) -> str:
    """Write the application, and who it is if that is known; return the chip's own number."""
    files = content.of_reader(Path(shop.state)) | (reader.files() if reader else {})
    if bench.is_bare:
        loader = bench.loader or port
        taken = images.taken(Path(shop.state), bench.image, loader)
        if reader:
            pins.check(reader.settings, chip_of(taken).name)
        waiting.settle_before_erasing(port, may_drop=bench.may_drop)
        image.write(loader, taken, percent)
        show(f"{port}: MicroPython from {taken.name}")
    with opened(port) as board:
        chip, found = board.chip(), board.look()
        with board.as_it_was():
            if reader:
                pins.check(reader.settings, board.name())
            waiting.settle(board, found.files, files, may_drop=bench.may_drop)
        written = write(board, found, files, shown)
    show(f"{port}: {written} of {len(files)} files written, all checked")
    return chip


def _waits(port: str) -> None:
    with provision.listening(port) as line:
        found = line.wait(_SPEAKS_S)
    show(
        f"{port}: the reader waits {found.left_s} s for its settings, and again whenever it is"
        " plugged in: besnik fleet provision READER"
    )
