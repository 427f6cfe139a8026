"""50,000 taps come while the database is locked: what the bridge holds, and how it catches up.

The memory is the bridge's resident set, over that of an idle bridge that has answered one tap:
the most of it while the taps come, and while they are settled. mosquitto keeps the rest.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import Final

from figures import Figure, at_most
from parts import Parts, parts

from support.bridge import ANA, ReaderStation
from support.processes import Running
from support.store import locked_taps, rows

TITLE = "Backlog"
TAPS: Final = 50_000
_ENTRIES: Final = "SELECT count(*) FROM store_entry"
_AT_ONCE: Final = 2000
_LIMIT_S: Final = 120


def measure() -> list[Figure]:
    """Lock, tap, unlock, count."""
    # The reader leaves before it has acknowledged all verdicts; gmqtt says so of each.
    logging.getLogger("gmqtt").setLevel(logging.ERROR)
    with parts() as made:
        return asyncio.run(_measure(made, made.bridge.start()))


async def _measure(made: Parts, bridge: Running) -> list[Figure]:
    async with ReaderStation(made.broker) as reader:
        reader.tap(ANA)
        await reader.hear()
        idle_mb = _rss_mb(bridge)
        with locked_taps(made.url):
            for number in range(TAPS):
                reader.tap(ANA)
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(2)
            held_mb = _rss_mb(bridge)
        began_s, top_mb, count = time.monotonic(), held_mb, 0
        while count <= TAPS and time.monotonic() - began_s < _LIMIT_S:
            await asyncio.sleep(0.1)
            top_mb = max(top_mb, _rss_mb(bridge))
            [(count,)] = await asyncio.to_thread(rows, made.url, _ENTRIES)
        taken_s = time.monotonic() - began_s
    return [
        Figure("idle bridge", f"{idle_mb:.0f} MB", "≤ 80 MB", idle_mb <= 80),
        at_most("more while the taps come", held_mb - idle_mb, 20, "MB"),
        at_most("more while they are settled", top_mb - idle_mb, 60, "MB"),
        Figure("taps that count once", f"{count - 1:,}", f"{TAPS:,}", count - 1 == TAPS),
        Figure("time to settle them", f"{taken_s:.1f} s"),
    ]


def _rss_mb(process: Running) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
