"""Tryton, the line to it and the worker fail at random under taps: part of the bench `crm.py`.

After each tap another shop gets one, which has no CRM, on the same machine at the same moment.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from crm_parts import Side, p95, side, tapped
from figures import Figure, at_most

from support.bridge import ANA, ReaderStation
from support.crm_visits import new_card
from support.proxy import Proxy
from support.store import assert_ledger_adds_up, rows
from support.tryton import TrytonServer
from support.tryton_shop import told, until

OUTAGES = 20
KNOWN = 20
RATIO = 1.2
DRAINED_S = 600
_BETWEEN_S = 0.05
_NEW_EVERY = 10
_STATES = "SELECT state, count(*) FROM store_crmpending GROUP BY state"


def outages() -> list[Figure]:
    """Tap without, then through outages; wait until Tryton knows all of it, and count."""
    seed = int(os.environ.get("BESNIK_BENCH_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_BENCH_SEED={seed}", flush=True)
    with side(crm=True) as shop, side(crm=False) as plain:
        assert shop.tryton is not None
        with Proxy(urlsplit(shop.tryton.url).port or 0) as line:
            shop.connect(f"http://127.0.0.1:{line.port}")
            return asyncio.run(_Run(shop, shop.tryton, line, plain, random.Random(seed)).go())


class _Run:
    def __init__(
        self, shop: Side, tryton: TrytonServer, line: Proxy, plain: Side, chance: random.Random
    ) -> None:
        self._shop, self._tryton, self._line, self._plain = shop, tryton, line, plain
        self._chance = chance
        self._taps = 0
        # Of cards that are known here, of those that only Tryton knows, and of the plain shop.
        self._known_ms: list[float] = []
        self._pending_ms: list[float] = []
        self._plain_ms: list[float] = []
        self._known = [new_card() for _ in range(KNOWN)]
        self._new = [new_card() for _ in range(OUTAGES * 40)]

    async def go(self) -> list[Figure]:
        self._tryton.add_many([*self._known, *self._new])
        self._shop.start()
        self._plain.start()
        async with (
            ReaderStation(self._shop.parts.broker) as reader,
            ReaderStation(self._plain.parts.broker) as other,
        ):
            for card in self._known:
                await tapped(reader, card, "pending")
            counted = [("counted", KNOWN)]
            await until(lambda: rows(self._shop.parts.url, _STATES) == counted, "all are known")
            await self._through_outages(reader, other)
        began = time.monotonic()
        await until(self._is_drained, "Tryton knows all of it", DRAINED_S)
        drained_s = time.monotonic() - began
        return self._figures(drained_s)

    async def _tap(self, reader: ReaderStation, other: ReaderStation) -> None:
        """Tap a card that is known here, now and then one that only Tryton knows."""
        await asyncio.sleep(_BETWEEN_S)
        self._taps += 1
        if self._taps % _NEW_EVERY == 0 and self._new:
            self._pending_ms.append(await tapped(reader, self._new.pop(), "pending"))
        else:
            self._known_ms.append(await tapped(reader, self._chance.choice(self._known), "ok"))
        self._plain_ms.append(await tapped(other, ANA, "ok"))

    async def _through_outages(self, reader: ReaderStation, other: ReaderStation) -> None:
        ways: list[Callable[[float], Awaitable[None]]] = [
            self._killed, self._stopped, self._slow, self._silent, self._worker_killed,
        ]  # fmt: skip
        for number in range(OUTAGES):
            way = ways[number % len(ways)]
            print(f"{number}: {way.__name__.strip('_')}", flush=True)
            outage = asyncio.create_task(self._after_a_while(way))
            while not outage.done():
                await self._tap(reader, other)
            await outage

    async def _after_a_while(self, way: Callable[[float], Awaitable[None]]) -> None:
        await asyncio.sleep(self._chance.uniform(0, 8))
        await way(self._chance.uniform(1, 14))

    async def _killed(self, seconds: float) -> None:
        await asyncio.to_thread(self._tryton.stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._tryton.start)

    async def _stopped(self, seconds: float) -> None:
        self._tryton.hold()
        await asyncio.sleep(seconds)
        self._tryton.go_on()

    async def _slow(self, seconds: float) -> None:
        self._line.delay_s = 15
        await asyncio.sleep(seconds)
        self._line.delay_s = 0

    async def _silent(self, seconds: float) -> None:
        await asyncio.to_thread(self._line.silence)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._line.restore)
        # A line that is back does not know what it carried before. Without this, a request that
        # is half there stops all of Tryton (docs/crm-tryton.md).
        await asyncio.to_thread(self._line.reset)

    async def _worker_killed(self, seconds: float) -> None:
        assert self._shop.worker is not None
        self._shop.worker.kill()
        await asyncio.sleep(seconds / 4)
        self._shop.worker = await asyncio.to_thread(self._shop.workers.start)

    def _is_drained(self) -> bool:
        if any(state == "waiting" for state, _ in rows(self._shop.parts.url, _STATES)):
            return False
        return set(self._tryton.all_events()) >= set(self._events())

    def _events(self) -> list[str]:
        return [event for events in told(self._shop.parts.url).values() for event in events]

    def _figures(self, drained_s: float) -> list[Figure]:
        url = self._shop.parts.url
        assert_ledger_adds_up(url)
        there, here = self._tryton.all_events(), self._events()
        ((accepted,),) = rows(url, "SELECT count(*) FROM store_tap WHERE outcome = 'accepted'")
        taps = KNOWN + self._taps
        lost = len(set(here) - set(there)) + abs(taps - accepted) + abs(taps - len(here))
        doubled = len(there) - len(set(there))
        what = f"{OUTAGES} outages"
        return [
            Figure(f"{what}: taps", f"{taps:,}"),
            Figure(f"{what}: visits lost", str(lost), "0", lost == 0),
            Figure(f"{what}: visits twice in the CRM", str(doubled), "0", doubled == 0),
            Figure(f"{what}: tap to verdict, p95, known card", f"{p95(self._known_ms):.1f} ms"),
            Figure(
                f"{what}: the same moments, a shop without CRM", f"{p95(self._plain_ms):.1f} ms"
            ),
            at_most(
                f"{what}: ratio of the p95", p95(self._known_ms) / p95(self._plain_ms), RATIO, "", 2
            ),
            Figure(f"{what}: card that only the CRM knows, p95", f"{p95(self._pending_ms):.0f} ms"),
            Figure(f"{what}: slowest verdict", f"{max(*self._known_ms, *self._pending_ms):.0f} ms"),
            Figure(f"{what}: after the last, until the CRM has all", f"{drained_s:.0f} s"),
        ]
