"""100,000 customers taken over from a real Tryton, and somebody who taps beside it.

`besnik crm import` of 10,000 customers, then of 100,000, with taps before, meanwhile and after:
before and after is what the taps are held against. Memory is the process's peak. CRM and shop share
the machine.
"""

from __future__ import annotations

import asyncio
import threading
import time
from types import TracebackType
from typing import Self

from crm_parts import Side, p95, side, tapped
from figures import Figure, at_most

from support.bridge import ANA, ReaderStation
from support.crm_visits import new_card
from support.store import rows

TITLE = "Customers taken over"
FEW, MANY = 10_000, 100_000
MORE_MB = 20
RATIO, FINE_MS = 2, 20
_BETWEEN_S = 0.1
_QUIET_S = 20.0


def measure() -> list[Figure]:
    """Take over a few, then many; somebody taps meanwhile."""
    with side(crm=True) as shop:
        assert shop.tryton is not None
        shop.connect()
        shop.parts.bridge.start()
        shop.tryton.add_many([new_card() for _ in range(FEW)])
        few_s, few_mb = shop.take_over()
        shop.tryton.add_many([new_card() for _ in range(MANY - FEW)])
        with _Taps(shop) as taps:
            time.sleep(_QUIET_S)
            taps.turn()
            taken_s, many_mb = shop.take_over()
            taps.turn()
            time.sleep(_QUIET_S)
        before_ms, busy_ms, after_ms = taps.taken_ms
        ((members,),) = rows(shop.parts.url, "SELECT count(*) FROM store_crmlink")
    quiet_ms = p95([*before_ms, *after_ms])
    return [
        Figure(
            f"import of {MANY:,} customers: members made",
            f"{members:,}",
            f"{MANY:,}",
            members == MANY,
        ),
        Figure(f"import of {FEW:,}, nobody taps", f"{few_s:.0f} s"),
        Figure(
            f"import of {MANY - FEW:,} more, {MANY:,} looked at, taps meanwhile", f"{taken_s:.0f} s"
        ),
        Figure(f"import of {FEW:,}: peak of memory", f"{few_mb:.0f} MB"),
        at_most(f"import of {MANY:,}: peak of memory beyond that", many_mb - few_mb, MORE_MB, "MB"),
        Figure("tap to verdict before and after it, p95", f"{quiet_ms:.1f} ms"),
        at_most(
            "tap to verdict while it imports, p95",
            p95(busy_ms),
            max(RATIO * quiet_ms, FINE_MS),
            "ms",
            1,
        ),
    ]


class _Taps:
    """Somebody taps as long as this is entered; ``taken_ms`` by turn."""

    def __init__(self, shop: Side) -> None:
        self.taken_ms: list[list[float]] = [[]]
        self._shop = shop
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._tap()))

    def turn(self) -> None:
        """From now on it is something else that the taps are beside."""
        self.taken_ms.append([])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    async def _tap(self) -> None:
        async with ReaderStation(self._shop.parts.broker) as reader:
            while not self._stop.is_set():
                taken_ms = await tapped(reader, ANA, "ok")
                self.taken_ms[-1].append(taken_ms)
                await asyncio.sleep(_BETWEEN_S)
