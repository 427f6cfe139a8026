"""``besnik fleet provision``: settings for a reader that has none, without building anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from besnik import config
from besnik.fleet import arrival, boards, provision, records
from besnik.fleet.lines import Lines
from besnik.fleet.order import Identity, Order, prepared
from besnik.fleet.table import make_readers
from besnik.fleet.terminal import only_port, run, show, until_left
from besnik.fleet.usb import opened

# From power-up to the first word it takes 3 s: the chip, MicroPython, a second between words.
_SPEAKS_S: Final = 8
# One that was just started anew is certain to speak.
_STARTS_S: Final = 20


def main(order: Order, port: str, *, again: bool) -> int:
    """Give the reader on ``port`` what ``order`` says; return the exit status.

    With ``again`` it forgets first what it has.
    """
    return run("provision", lambda shop: _provision(order, port, shop, again=again))


def main_all(order: Order, ports: Sequence[str], *, again: bool) -> int:
    """Give all readers that wait, on the ``ports`` or on all, their settings; as `main`.

    ``order.reader`` is the first part of the ids of new ones.
    """
    way = _Provisioning(again, order.may_drop)
    return run("provision", lambda shop: make_readers(order, shop, ports, way))


async def _provision(order: Order, port: str, shop: config.Config, *, again: bool) -> None:
    reader = prepared(order, shop)
    await records.enter(reader, order.till, show)
    port = port or only_port()
    async with arrival.watching(shop, reader) as watcher:
        if again:
            await asyncio.to_thread(provision.forget, port, reader, may_drop=order.may_drop)
        found = await asyncio.to_thread(_waiting, port, again=again)
        show(f"{port}: waits for its settings, {found.left_s} s more ({found.why})")
        with until_left() as shown:
            await asyncio.to_thread(_give, port, reader, shown)
        boards.remember(Path(shop.state), found.chip, reader.reader)
        show(f"{port}: the reader has checked its settings and kept them")
        show(f"print and stick under the reader: {arrival.draw_label(shop, reader)}")
        await arrival.see(watcher, reader.reader, show, waits_for_tap=order.waits_for_tap)


def _waiting(port: str, *, again: bool) -> provision.Waiting:
    with provision.listening(port) as line:
        return line.wait(_STARTS_S if again else _SPEAKS_S)


def _give(port: str, reader: Identity, shown: provision.Progress) -> None:
    with provision.listening(port) as line:
        line.give(reader, shown)


class _Provisioning:
    """The `table.Way` of readers that have the application already."""

    def __init__(self, again: bool, may_drop: bool) -> None:
        self._again = again
        self._may_drop = may_drop

    def begin(self, port: str, lines: Lines) -> str:
        if not self._again:
            lines.say(port, "does it wait?")
            return _waiting(port, again=False).chip
        lines.say(port, "who is it?")
        with opened(port) as board:
            chip = board.chip()
            board.reset()
        return chip

    def put(self, port: str, reader: Identity, lines: Lines) -> None:
        def shown(name: str, done: int, total: int) -> None:
            lines.percent(port, name, 100 * done // total)

        if self._again:
            provision.forget(port, reader, may_drop=self._may_drop)
            _waiting(port, again=True)
        _give(port, reader, shown)
        lines.say(port, f"{reader.reader}: has checked its settings and kept them")
