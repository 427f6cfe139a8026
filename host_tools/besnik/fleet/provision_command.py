"""``besnik fleet provision``: settings for a reader that has none, without building anything."""

from __future__ import annotations

import asyncio

from besnik import config
from besnik.fleet import arrival, provision
from besnik.fleet.order import Order, prepared
from besnik.fleet.terminal import only_port, progress, run, show

# From power-up to the reader's first word: MicroPython's own start, and a second between words.
_SPEAKS_S = 8


def main(order: Order, port: str, *, again: bool) -> int:
    """Give the reader on ``port`` what ``order`` says; return the exit status.

    With ``again`` it forgets first what it has.
    """
    return run("provision", lambda shop: _provision(order, port, shop, again=again))


async def _provision(order: Order, port: str, shop: config.Config, *, again: bool) -> None:
    reader = prepared(order, shop)
    port = port or only_port()
    async with arrival.watching(shop, reader) as watcher:
        if again:
            await asyncio.to_thread(provision.forget, port)
        await asyncio.to_thread(_give, port, reader.files())
        print(f"{port}: the reader has checked its settings and kept them", flush=True)
        card = arrival.draw_label(shop, reader)
        print(f"print and stick under the reader: {card}")
        await arrival.see(watcher, reader.reader, show, waits_for_tap=order.waits_for_tap)


def _give(port: str, files: dict[str, bytes]) -> None:
    with provision.listening(port) as line:
        found = line.wait(_SPEAKS_S)
        show(f"{port}: waits for its settings, {found.left_s} s more ({found.why})")
        line.give(files, progress)
