"""Every board on the table at once: who is who, how far each is, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import msgspec

from besnik import config
from besnik.fleet import arrival, boards, records
from besnik.fleet.lines import Lines
from besnik.fleet.order import Identity, Order, asked, prepared
from besnik.fleet.terminal import FAILURES, connected
from besnik.fleet.usb import BoardError

# A technician holds a card to one reader after the other.
_TAP_S_EACH: Final = 30


class Way(Protocol):
    """How a board becomes a reader; each call runs in a thread of its board's own."""

    def begin(self, port: str, lines: Lines) -> str:
        """Return the number of the chip on a port; what is on it stays as it is."""

    def put(self, port: str, reader: Identity, lines: Lines) -> None:
        """Make the board on a port this reader."""


async def make_readers(order: Order, shop: config.Config, given: Sequence[str], way: Way) -> None:
    """Make readers of the boards on the ports ``given``, or of all that are connected.

    ``order.reader`` is the first part of the ids of new ones, without it their shop's id.
    BoardError if not all of them work.
    """
    found = connected(given)
    table = _Table(found)
    order = asked(order)
    chips: dict[str, str] = {}
    names: dict[str, str] = {}
    labels: dict[str, Path] = {}

    async def begin(port: str) -> None:
        chips[port] = await asyncio.to_thread(way.begin, port, table.lines)

    async def name(port: str) -> None:
        prefix = order.reader or order.shop
        names[port] = boards.reader_on(Path(shop.state), chips[port], prefix)

    async def make(port: str) -> None:
        named = msgspec.structs.replace(order, reader=names[port])
        reader = await asyncio.to_thread(prepared, named, shop)
        await records.enter(reader, order.till, partial(table.lines.say, port))
        async with arrival.watching(shop, reader) as watcher:
            await asyncio.to_thread(way.put, port, reader, table.lines)
            labels[port] = arrival.draw_label(shop, reader)
            await arrival.see(
                watcher,
                reader.reader,
                partial(table.lines.say, port),
                waits_for_tap=order.waits_for_tap,
                tap_s=arrival.TAP_S + _TAP_S_EACH * len(found),
            )

    ready = await table.each(found, begin)
    # One after the other, so that new ids go up with the ports.
    known = [port for port in ready if await table.tried(port, name)]
    made = await table.each(known, make)
    # Last, as lines on a terminal are cut off.
    for port, label in labels.items():
        print(f"{port}: {names[port]}: print and stick under the reader: {label}", flush=True)
    table.report(made)


async def with_all(given: Sequence[str], work: Callable[[str, Lines], None]) -> None:
    """Do ``work`` on the ports ``given``, or with all boards, each in a thread; BoardError."""
    found = connected(given)
    table = _Table(found)

    async def do(port: str) -> None:
        await asyncio.to_thread(work, port, table.lines)

    table.report(await table.each(found, do))


class _Table:
    def __init__(self, found: Sequence[str]) -> None:
        self.lines = Lines(found)
        self._found = found
        self._failures: dict[str, str] = {}
        # The default pool has few threads, and each board needs one that waits for it.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(found)))

    async def each(
        self, found: Sequence[str], step: Callable[[str], Awaitable[None]]
    ) -> Sequence[str]:
        """Do a step with all boards at once; return the ports of those where it succeeded."""
        done = await asyncio.gather(*(self.tried(port, step) for port in found))
        return [port for port, is_done in zip(found, done, strict=True) if is_done]

    async def tried(self, port: str, step: Callable[[str], Awaitable[None]]) -> bool:
        """Do a step with one board; what goes wrong is on its line."""
        try:
            await step(port)
        except asyncio.CancelledError:
            # Ctrl-C: a thread would work on to its end.
            self.lines.leave()
            raise
        except FAILURES as error:
            self._failures[port] = str(error)
            self.lines.say(port, f"FAILED: {error}")
            return False
        return True

    def report(self, done: Sequence[str]) -> None:
        """Say how many are done; BoardError if not all."""
        print(f"{len(done)} of {len(self._found)} boards are done", flush=True)
        # In full, and last: on a terminal a line is cut off, and others were written since.
        if failed := [f"{port}: {why}" for port, why in self._failures.items()]:
            raise BoardError(
                "\n  ".join(["not done:", *failed])
                + "\nMend that and run it again; what is done is not done twice"
            )
