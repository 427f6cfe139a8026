"""Worker and CRM of a shop go down at random while cards are held to a reader; all is counted.

The CRM is one of the tests' own, a process that writes each event down as often as it is told of
it. Half of the people are customers there whom Besnik does not know, half are members here whom the
CRM does not know; of their visits only the first ones earn a stamp. The faults: the worker is
killed, the CRM is killed, dies between writing and answering, stands still for up to two seconds,
answers 429 with Retry-After, 401, or nonsense, and a known customer is entered there a second time;
an owner presses the test button after each. Lost is an event of the ledger that the CRM has not,
doubled one that it has twice, uncounted a tap of nobody when everything is at rest.

*Verdicts*: after each tap another shop's reader gets one, whose bridge has no CRM and the same kind
of database on the same machine at the same moment: the ratio of their p95 is what faults cost.
`BESNIK_BENCH_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice

from crm_parts import p95, tapped
from figures import Figure, at_most
from parts import Parts, parts

from besnik.loyalty.rules import Cap
from support import database, postgres
from support.bridge import ANA, BridgeRunner, ReaderStation
from support.crm_reckoning import Told
from support.orm import models_on
from support.paper_crm import PaperServer
from support.published import STAMP, publish
from support.worker import Workers

TITLE = "Another CRM that goes down"
FAULTS_SQLITE, FAULTS_POSTGRES = 28, 14
PEOPLE, TIMES_SQLITE, TIMES_POSTGRES = 60, 30, 15
RATIO = 1.2
_PENDING_MS = 300
_PAUSE_S = 0.08
_EARNING = 3
_WRITE_MAX = 20


def measure() -> list[Figure]:
    """Break things on SQLite, then on PostgreSQL where there is one."""
    seed = int(os.environ.get("BESNIK_BENCH_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_BENCH_SEED={seed}", flush=True)
    chance = random.Random(seed)
    with parts() as made, parts() as calm:
        run = _Run("SQLite", made, made.url, calm, calm.url)
        figures = run.go(chance, FAULTS_SQLITE, TIMES_SQLITE)
    bin_folder = postgres.programs()
    if bin_folder is None:
        return [*figures, Figure("PostgreSQL", "not measured: it is not installed")]
    with parts() as made, parts() as calm, _server(made) as url, _server(calm) as calm_url:
        run = _Run("PostgreSQL", made, url, calm, calm_url)
        return figures + run.go(chance, FAULTS_POSTGRES, TIMES_POSTGRES)


@contextmanager
def _server(made: Parts) -> Iterator[str]:
    bin_folder = postgres.programs()
    assert bin_folder is not None
    with postgres.PostgresServer(made.processes, bin_folder) as server:
        database.prepare(server.url, made.processes.environment)
        yield server.url


class _Run:
    """A shop whose CRM fails, and a calm one without."""

    def __init__(self, where: str, made: Parts, url: str, calm: Parts, calm_url: str) -> None:
        self._where, self._made, self._url, self._calm = where, made, url, calm
        self._bridges = BridgeRunner(made.processes, made.broker, url, made.folder)
        self._calm_bridges = BridgeRunner(calm.processes, calm.broker, calm_url, calm.folder)
        cap = Cap(id="some", unit="stamp", most=_EARNING, per="ever")
        for each in (url, calm_url):
            publish(each, STAMP, cap)
        self._waits_ms: list[float] = []
        self._pending_ms: list[float] = []
        self._calm_ms: list[float] = []

    def go(self, chance: random.Random, faults: int, times: int) -> list[Figure]:
        paper = PaperServer(self._made.processes, self._made.folder / "paper.sqlite3")
        paper.start()
        self._bridges.start()
        self._calm_bridges.start()
        with models_on(self._url):
            told = asyncio.run(self._break(paper, chance, faults, times))
        return self._figures(f"{self._where}, {faults} faults", told)

    async def _break(
        self, paper: PaperServer, chance: random.Random, count: int, times: int
    ) -> Told:
        from support.crm_chaos import Chaos, connect, people
        from support.in_store import in_store

        source = await in_store(connect, paper, _WRITE_MAX)
        cards = await in_store(people, source, paper, PEOPLE // 2, PEOPLE // 2)
        workers = Workers(self._made.processes, self._bridges, paper)
        chaos = await in_store(Chaos, workers, paper, source, chance)
        names = [*islice(cycle(chaos.faults), count)]
        chance.shuffle(names)
        async with (
            ReaderStation(self._made.broker) as reader,
            ReaderStation(self._calm.broker) as other,
        ):

            async def calm() -> None:
                self._calm_ms.append(await tapped(other, ANA, "ok"))

            await chaos.go(names, reader, cards, times, pause_s=_PAUSE_S, beside=calm)
        self._waits_ms, self._pending_ms = chaos.waits_ms, chaos.pending_ms
        return await in_store(chaos.rest, self._url, 300)

    def _figures(self, where: str, told: Told) -> list[Figure]:
        for fault in told.wrong:
            print(f"{where}: {fault}", flush=True)
        named = {
            "events lost": told.lost,
            "events told twice": told.doubled,
            "taps uncounted": told.uncounted,
            "events that say something else": len(told.wrong),
        }
        mine, calm = p95(self._waits_ms), p95(self._calm_ms)
        slowest = p95(self._pending_ms)
        return [
            Figure(f"{where}: taps", f"{told.taps:,}"),
            Figure(f"{where}: events", f"{told.events:,}"),
            *(Figure(f"{where}: {name}", str(n), "0", n == 0) for name, n in named.items()),
            Figure(f"{where}: tap to verdict, p95, known card", f"{mine:.1f} ms"),
            Figure(f"{where}: the same moments, a shop without CRM", f"{calm:.1f} ms"),
            at_most(f"{where}: ratio of the p95", mine / calm, RATIO, "", 2),
            at_most(f"{where}: card that only the CRM knows, p95", slowest, _PENDING_MS, "ms"),
        ]
