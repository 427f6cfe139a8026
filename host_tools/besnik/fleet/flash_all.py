"""``besnik fleet flash --all``: every board on the table at once, each a reader of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from besnik import config
from besnik.fleet import arrival, boards, content, image
from besnik.fleet.flash import write
from besnik.fleet.lines import Lines
from besnik.fleet.order import Order, asked, prepared
from besnik.fleet.terminal import FAILURES, run
from besnik.fleet.usb import BoardError, opened, ports

Step = Callable[[str], Awaitable[None]]
"""What is done to the board at a port."""

# A technician holds a card to one reader after the other.
_TAP_S_EACH: Final = 30


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The boards that are worked on: all that are connected, or those at ``ports``.

    With an ``image`` each is given MicroPython first, through its port of ``loaders`` if there are.
    """

    ports: tuple[str, ...] = ()
    loaders: tuple[str, ...] = ()
    image: Path | None = None


def main(order: Order, table: Table, *, blank: bool) -> int:
    """Make readers of all boards; ``order.reader`` is the first part of their ids.

    With ``blank`` they get the application alone. Returns the exit status: 0 if all are done.
    """
    return run("flash", lambda shop: _all(order, table, shop, blank=blank))


async def _all(order: Order, table: Table, shop: config.Config, *, blank: bool) -> None:
    found = table.ports or tuple(ports())
    if not found:
        raise BoardError("no board is connected: are the cables in, and do they carry data?")
    if table.image:
        image.chip_of(table.image)
    # The default pool has few threads, and each board needs one that waits for it.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(found)))
    application = content.of_reader(Path(shop.state))
    work = _Work(asked(order), shop, table, found, application, Lines(found))
    done = await work.do(blank=blank)
    print(f"{len(done)} of {len(found)} boards are done")
    if failed := [port for port in found if port not in done]:
        raise BoardError(
            f"not done: {', '.join(failed)}. Mend what their lines say and run it again; what is"
            " done is not done twice"
        )


@dataclass(frozen=True)
class _Work:
    """What every board gets, where it is told how far it is, and who is who."""

    order: Order
    shop: config.Config
    table: Table
    ports: tuple[str, ...]
    application: dict[str, bytes]
    lines: Lines
    chips: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    async def do(self, *, blank: bool) -> list[str]:
        """Do all boards from beginning to end; return the ports of those that are done."""
        there = await self._each(self.ports, self._begin)
        if blank:
            return await self._each(there, self._put_application)
        # One after the other, so that new ids go up with the ports.
        named = [port for port in there if await self._tried(port, self._name)]
        return await self._each(named, self._make_reader)

    async def _begin(self, port: str) -> None:
        if self.table.image:
            loaders = self.table.loaders or self.ports
            loader = loaders[self.ports.index(port)]
            say = partial(self.lines.percent, port)
            await asyncio.to_thread(image.write, loader, self.table.image, say)
        self.lines.say(port, "who is it?")
        self.chips[port] = await asyncio.to_thread(_chip, port)

    async def _name(self, port: str) -> None:
        state = Path(self.shop.state)
        self.names[port] = boards.reader_on(state, self.chips[port], self.order.reader)

    async def _put_application(self, port: str) -> None:
        await asyncio.to_thread(self._write, port, self.application)
        self.lines.say(port, "waits for its settings: besnik fleet provision READER")

    async def _make_reader(self, port: str) -> None:
        order = msgspec.structs.replace(self.order, reader=self.names[port])
        reader = await asyncio.to_thread(prepared, order, self.shop)
        async with arrival.watching(self.shop, reader) as watcher:
            await asyncio.to_thread(self._write, port, self.application | reader.files())
            arrival.draw_label(self.shop, reader)
            await arrival.see(
                watcher,
                reader.reader,
                partial(self.lines.say, port),
                waits_for_tap=order.waits_for_tap,
                tap_s=arrival.TAP_S + _TAP_S_EACH * len(self.ports),
            )

    def _write(self, port: str, files: dict[str, bytes]) -> None:
        def progress(path: str, done: int, total: int) -> None:
            self.lines.percent(port, path, 100 * done // total if total else 100)

        with opened(port) as board:
            written = write(board, board.look(), files, progress)
        self.lines.say(port, f"{written} of {len(files)} files written, all checked")

    async def _each(self, found: Sequence[str], step: Step) -> list[str]:
        done = await asyncio.gather(*(self._tried(port, step) for port in found))
        return [port for port, is_done in zip(found, done, strict=True) if is_done]

    async def _tried(self, port: str, step: Step) -> bool:
        try:
            await step(port)
        except FAILURES as error:
            self.lines.say(port, f"FAILED: {error}")
            return False
        return True


def _chip(port: str) -> str:
    with opened(port) as board:
        return board.chip()
