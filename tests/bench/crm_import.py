"""100,000 customers taken over from Tryton, for the benchmark of `crm.py`."""

from __future__ import annotations

import asyncio
import threading

from crm_parts import Side, p95, side, tapped
from figures import Figure, at_most

from support.bridge import ANA, ReaderStation
from support.crm_visits import new_card
from support.store import rows

FEW, MANY = 10_000, 100_000
MORE_MB = 20
_BETWEEN_S = 0.1


def imports() -> list[Figure]:
    """Take over a few, then many; somebody taps meanwhile."""
    with side(crm=True) as shop:
        assert shop.tryton is not None
        shop.connect()
        shop.parts.bridge.start()
        shop.tryton.add_many([new_card() for _ in range(FEW)])
        _, few_mb = shop.take_over()
        shop.tryton.add_many([new_card() for _ in range(MANY - FEW)])
        stop = threading.Event()
        taken_ms: list[float] = []
        tapping = threading.Thread(target=lambda: taken_ms.extend(asyncio.run(_tap(shop, stop))))
        tapping.start()
        try:
            taken_s, many_mb = shop.take_over()
        finally:
            stop.set()
            tapping.join()
        ((members,),) = rows(shop.parts.url, "SELECT count(*) FROM store_crmlink")
    return [
        Figure(
            f"import of {MANY:,} customers: members made",
            f"{members:,}",
            f"{MANY:,}",
            members == MANY,
        ),
        Figure(f"import of {MANY - FEW:,} more, {MANY:,} looked at", f"{taken_s:.0f} s"),
        Figure(f"import of {FEW:,}: peak of memory", f"{few_mb:.0f} MB"),
        at_most(f"import of {MANY:,}: peak of memory beyond that", many_mb - few_mb, MORE_MB, "MB"),
        Figure("tap to verdict while it imports, p95", f"{p95(taken_ms):.0f} ms"),
    ]


async def _tap(shop: Side, stop: threading.Event) -> list[float]:
    taken: list[float] = []
    async with ReaderStation(shop.parts.broker) as reader:
        while not stop.is_set():
            taken.append(await tapped(reader, ANA, "ok"))
            await asyncio.sleep(_BETWEEN_S)
    return taken
