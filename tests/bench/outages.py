"""Lines that break and hours without Wi-Fi; every tap is counted, as under Kills.

The same shop, on SQLite. An hour: the Wi-Fi goes, 200 cards are held to the reader over an hour of
its emulated time (its timers run ahead of the clock on the wall, in steps of five seconds), the
Wi-Fi comes back. Breaks: the line between reader and broker, then the one between bridge and
broker, is reset, frozen for a while, left half-open or silent, or carries no CONNACK, SUBACK or
PUBACK, each time at a random moment under load. A half-open line of the bridge is told at how long
it lasts until taps are answered again.
`BESNIK_BENCH_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from figures import Figure, at_most
from kills import counted
from parts import ROOT, parts

from support import chaos
from support.broker import READERS
from support.line_faults import BREAKS, SILENCES, aim, mend
from support.outage import an_hour_without_wifi
from support.proxy import Proxy
from support.tray import LOADS

TITLE = "Outages"
TAPS_IN_AN_HOUR = 200
BREAKS_OF_A_LINE = 21
# The bridge gives a silent broker twice its keep-alive of 10 s.
_HALF_OPEN_LIMIT_S = 40
_CARDS = 1000
_LEAP_MS = 1500
_WAYS = BREAKS | SILENCES


def measure() -> list[Figure]:
    """Run the hour, then break the lines."""
    seed = int(os.environ.get("BESNIK_BENCH_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_BENCH_SEED={seed}", flush=True)
    chance = random.Random(seed)
    hour = asyncio.run(_hour())
    return hour + asyncio.run(_breaks("reader", chance)) + asyncio.run(_breaks("bridge", chance))


@asynccontextmanager
async def _shop(far: str) -> AsyncIterator[tuple[chaos.Shop, Proxy]]:
    with parts((*READERS, *LOADS)) as made, Proxy(made.broker.port) as line:
        port = line.port if far == "reader" else 0
        if far == "bridge":
            aim(made.bridge.settings_file, made.broker.port, line)
        shop = chaos.Parts(made.folder, ROOT, made.processes, made.broker, made.bridge, port)
        async with chaos.opened(shop, made.url, _CARDS, site=False) as opened:
            yield opened, line


async def _hour() -> list[Figure]:
    async with _shop("reader") as (shop, line):
        free = await shop.heap_free()
        await an_hour_without_wifi(shop, line, TAPS_IN_AN_HOUR)
        await shop.quiet()
        after = await shop.heap_free()
        count = await asyncio.to_thread(shop.count)
    return [
        *counted("an hour without Wi-Fi", "taps", count),
        Figure("an hour without Wi-Fi: heap free afterwards, against before", f"{after - free} B"),
    ]


async def _breaks(far: str, chance: random.Random) -> list[Figure]:
    slowest_s = 0.0
    async with _shop(far) as (shop, line):
        for number in range(BREAKS_OF_A_LINE):
            way = list(_WAYS)[number % len(_WAYS)]
            async with shop.busy():
                await asyncio.sleep(chance.uniform(0.1, 1))
                await asyncio.to_thread(_WAYS[way], line)
                await asyncio.sleep(chance.uniform(0.3, 2))
            mend(line)
            began = time.monotonic()
            await shop.quiet(_LEAP_MS)
            slowest_s = max(slowest_s, time.monotonic() - began)
            count = await asyncio.to_thread(shop.count)
            print(f"{far} {number}: {way}: {count}, {time.monotonic() - began:.1f} s", flush=True)
            if not count.is_clean:
                break
    figures = counted(f"{far}'s line broken {BREAKS_OF_A_LINE} times", "taps", count)
    if far == "bridge":
        what = "longest until all is answered after the bridge's line broke"
        figures.append(at_most(what, slowest_s, _HALF_OPEN_LIMIT_S, "s", 1))
    return figures
