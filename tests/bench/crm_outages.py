"""Worker and CRM of a shop go down at random while cards are held to a reader; all is counted.

The CRM is one of the tests' own, a process that writes each event down as often as it is told of
it. Half of the people are customers there whom Besnik does not know, half are members here whom the
CRM does not know. The faults: the worker is killed, the CRM is killed, dies between writing and
answering, stands still for up to two seconds, answers 429 with Retry-After, 401, or nonsense; an
owner presses the test button after each. Lost is an event of the ledger that the CRM has not,
doubled one that it has twice, uncounted a tap without an entry when everything is at rest.
`BESNIK_BENCH_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import time

from figures import Figure, at_most
from parts import Parts, parts

from support import database, postgres
from support.bridge import BridgeRunner, ReaderStation
from support.crm_reckoning import Told
from support.orm import models_on
from support.paper_crm import PaperServer
from support.worker import Workers

TITLE = "Another CRM that goes down"
FAULTS_SQLITE, FAULTS_POSTGRES = 28, 14
PEOPLE, TIMES = 60, 3
_VERDICT_LIMIT_MS = 300


def measure() -> list[Figure]:
    """Break things on SQLite, then on PostgreSQL where there is one."""
    seed = int(os.environ.get("BESNIK_BENCH_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_BENCH_SEED={seed}", flush=True)
    chance = random.Random(seed)
    with parts() as made:
        figures = _run(f"SQLite, {FAULTS_SQLITE} faults", made, made.url, chance, FAULTS_SQLITE)
    bin_folder = postgres.programs()
    if bin_folder is None:
        return [*figures, Figure("PostgreSQL", "not measured: it is not installed")]
    with parts() as made, postgres.PostgresServer(made.processes, bin_folder) as server:
        database.prepare(server.url, made.processes.environment)
        where = f"PostgreSQL, {FAULTS_POSTGRES} faults"
        return figures + _run(where, made, server.url, chance, FAULTS_POSTGRES)


def _run(where: str, made: Parts, url: str, chance: random.Random, count: int) -> list[Figure]:
    bridges = BridgeRunner(made.processes, made.broker, url, made.folder)
    paper = PaperServer(made.processes, made.folder / "paper.sqlite3")
    paper.start()
    bridges.start()
    with models_on(url):
        told, slowest_ms = asyncio.run(_break(made, bridges, paper, url, chance, count))
    for fault in told.wrong:
        print(f"{where}: {fault}", flush=True)
    named = {
        "events lost": told.lost,
        "events told twice": told.doubled,
        "taps uncounted": told.uncounted,
        "events that say something else": len(told.wrong),
    }
    return [
        Figure(f"{where}: taps", f"{told.taps:,}"),
        Figure(f"{where}: events", f"{told.events:,}"),
        *(Figure(f"{where}: {name}", str(n), "0", n == 0) for name, n in named.items()),
        at_most(f"{where}: slowest of 95 % of verdicts", slowest_ms, _VERDICT_LIMIT_MS, "ms"),
    ]


async def _break(
    made: Parts,
    bridges: BridgeRunner,
    paper: PaperServer,
    url: str,
    chance: random.Random,
    count: int,
) -> tuple[Told, float]:
    from support.crm_chaos import Chaos, connect, people
    from support.in_store import in_store

    source = await in_store(connect, paper)
    cards = await in_store(people, source, paper, PEOPLE // 2, PEOPLE // 2)
    workers = Workers(made.processes, bridges, paper)
    chaos = await in_store(Chaos, workers, paper, source, chance)
    faults = [chance.choice(list(chaos.faults)) for _ in range(count)]
    async with ReaderStation(made.broker) as reader:
        await chaos.go(faults, reader, cards, TIMES)
    told = await in_store(chaos.rest, url, 300)
    waits = sorted(chaos.waits_ms)
    return told, waits[int(len(waits) * 0.95)]
