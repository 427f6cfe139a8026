"""What a tap costs as members and stored taps grow, on SQLite.

Batches of 128 taps of random cards go through the bridge's desk (credential, lookup, rules, whole
ledger, commit at `synchronous=FULL`), 40 batches at each size of the shop; the median batch. What
is stored before is put in by plain SQL, indexes last. `BESNIK_BENCH_LONG=1` adds 10,000,000 stored
taps (some minutes, 6 GB of disk).
"""

from __future__ import annotations

import asyncio
import os
import statistics
from typing import Final

import population
from figures import Figure
from parts import prepared_database
from settling import Settling

TITLE = "A growing shop"
BATCH: Final = 128
BATCHES: Final = 40
MEMBERS: Final = (1_000, 10_000, 100_000, 1_000_000)
TAPS: Final = (100_000, 1_000_000, 10_000_000)
_LONG: Final = "BESNIK_BENCH_LONG"


def measure() -> list[Figure]:
    """Let one shop grow."""
    costs_us: dict[str, float] = {}
    with prepared_database() as url:
        there = 0
        for boot, members in enumerate(MEMBERS, 1):
            population.add_cards(url, there, members - 1)
            there = members
            costs_us[f"{members:,} members"] = _cost_us(url, boot, members)
        stored = 0
        for boot, taps in enumerate(TAPS, 1 + len(MEMBERS)):
            if taps > TAPS[1] and not os.environ.get(_LONG):
                break
            population.add_taps(url, stored, taps - 1)
            stored = taps
            costs_us[f"{there:,} members, {taps:,} taps before"] = _cost_us(url, boot, there)
    least = costs_us[f"{MEMBERS[0]:,} members"]
    return [
        Figure(f"a tap, {size}", f"{cost:.0f} µs, {cost / least:.1f} times the first")
        for size, cost in costs_us.items()
    ]


def _cost_us(url: str, boot: int, cards: int) -> float:
    return asyncio.run(_median_us(url, boot, cards))


async def _median_us(url: str, boot: int, cards: int) -> float:
    async with Settling(url, boot) as settling:
        taken = [await settling.seconds(BATCH, cards) for _ in range(BATCHES)]
    return statistics.median(taken) / BATCH * 1e6
