"""Parts of a shop are killed with SIGKILL at random moments under load; every tap is counted.

Broker, bridge, site, the reader (the unmodified firmware in MicroPython at the virtual counter,
with flash and NVS that last) and on PostgreSQL the database server with all its workers, each alone
or two at once. Cards are held to the reader one after another, each its own, and what its LED and
buzzer say is written down; two more readers tap 150 times a second together and send each tap until
it is answered. After each kill the shop comes to rest and all taps so far are counted: lost is a
tap that was signalled or sent and is not in the database, doubled one that is there twice, drift
the sum of all gaps between a balance and its ledger, unanswered a tap without signal or verdict.
`BESNIK_BENCH_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from contextlib import ExitStack
from pathlib import Path

from figures import Figure
from parts import ROOT, parts

from support import chaos, database, postgres
from support.bridge import BridgeRunner
from support.broker import READERS
from support.reckoning import Count
from support.tray import LOADS

TITLE = "Kills"
KILLS_SQLITE, KILLS_POSTGRES = 60, 40
_CARDS = 1500


def measure() -> list[Figure]:
    """Kill on SQLite, then on PostgreSQL where there is one."""
    seed = int(os.environ.get("BESNIK_BENCH_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_BENCH_SEED={seed}", flush=True)
    chance = random.Random(seed)
    on_sqlite = _run(chance, KILLS_SQLITE, None)
    figures = counted(f"SQLite, {KILLS_SQLITE} kills", "taps", on_sqlite)
    bin_folder = postgres.programs()
    if bin_folder is None:
        return [*figures, Figure("PostgreSQL", "not measured: it is not installed")]
    on_postgres = _run(chance, KILLS_POSTGRES, bin_folder)
    return figures + counted(f"PostgreSQL, {KILLS_POSTGRES} kills", "taps", on_postgres)


def counted(where: str, what: str, count: Count) -> list[Figure]:
    """Return the figures of a count; what went wrong is printed."""
    for fault in count.faults:
        print(f"{where}: {fault}", flush=True)
    named = {
        "lost": count.lost,
        "counted twice": count.doubled,
        "drift of balances": count.drift,
        "neither answered nor signalled": count.unanswered,
    }
    return [
        Figure(f"{where}: {what}", f"{count.taps:,}"),
        *(Figure(f"{where}: {name}", str(n), "0", n == 0) for name, n in named.items()),
    ]


def _run(chance: random.Random, kills: int, bin_folder: Path | None) -> Count:
    with ExitStack() as stack:
        made = stack.enter_context(parts((*READERS, *LOADS)))
        extra: dict[str, tuple[chaos.Act, chaos.Act]] = {}
        url, bridges = made.url, made.bridge
        if bin_folder is not None:
            server = stack.enter_context(postgres.PostgresServer(made.processes, bin_folder))
            url = server.url
            database.prepare(url, made.processes.environment)
            bridges = BridgeRunner(made.processes, made.broker, url, made.folder)
            extra["database"] = (server.kill, server.start)
        shop = chaos.Parts(made.folder, ROOT, made.processes, made.broker, bridges)
        return asyncio.run(_kill(shop, url, chance, kills, extra))


async def _kill(
    parts: chaos.Parts,
    url: str,
    chance: random.Random,
    kills: int,
    extra: dict[str, tuple[chaos.Act, chaos.Act]],
) -> Count:
    async with chaos.opened(parts, url, _CARDS, extra) as shop:
        for number in range(1, kills + 1):
            victims = chance.sample(shop.parts, chance.choice((1, 1, 2)))
            async with shop.busy():
                await asyncio.sleep(chance.uniform(0.05, 1.2))
                for victim in victims:
                    await shop.kill(victim)
                    await asyncio.sleep(chance.choice((0, chance.uniform(0, 1.2))))
                for victim in chance.sample(victims, len(victims)):
                    await shop.start(victim)
            await shop.ready()
            await shop.quiet()
            count = await asyncio.to_thread(shop.count)
            heap = await shop.heap_free()
            print(f"{number}: {' and '.join(victims)}: {count}, heap {heap}", flush=True)
            if not count.is_clean:
                break
    return count
