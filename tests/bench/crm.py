"""A real Tryton behind the shop, slow and dead; nothing of it is seen at a till.

*Verdicts*: a bridge whose program has a Tryton that answers in 2 s (a proxy holds up each way by
1 s), with the worker asking and telling, and a bridge without any CRM take turns: one reader, one
tap after another, each a known card. Then cards that only Tryton knows are tapped, each once.
*Requests*: 1,000 customers, taken over from Tryton, tap ten times a second in all; every request
that Tryton logs is counted. First right after the import, then as on any later day, where what is
known of each customer is of another age, then as in the morning, where all of it is old. *Outages*:
while customers tap, known ones and new ones, Tryton is killed, stopped, or behind a line that is
slow or silent, and the worker is killed, at random; then all is held against the notes in Tryton.
`BESNIK_BENCH_SEED` repeats a run. CRM and shop share the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from crm_parts import Side, p95, side, tapped
from crm_tryton import outages
from figures import Figure, at_most

from support.bridge import ANA, ReaderStation
from support.crm_visits import new_card
from support.proxy import Proxy
from support.store import rows
from support.tryton_shop import states, until

TITLE = "The shop's own CRM"
ROUNDS = 6
TAPS = 100
UNKNOWN = 50
RATIO = 1.2
PENDING_MS = 300
REQUEST_PER_TAPS = 50
CUSTOMERS = 1000
TAPS_PER_S = 10
SECONDS = 120
_WAY_S = 1.0
_FRESH_S = 900
_NIGHT_S = 43_200


def measure() -> list[Figure]:
    """Measure one after another."""
    return [*_verdicts(), *_requests(), *outages()]


def _verdicts() -> list[Figure]:
    with side(crm=True) as shop, side(crm=False) as plain:
        assert shop.tryton is not None
        with Proxy(shop.tryton.port) as line:
            shop.connect(f"http://127.0.0.1:{line.port}")
            return asyncio.run(_compare(shop, plain, line))


async def _compare(shop: Side, plain: Side, line: Proxy) -> list[Figure]:
    assert shop.tryton is not None
    card, unknown = new_card(), [new_card() for _ in range(UNKNOWN)]
    shop.tryton.add("Regular", card)
    for number, new in enumerate(unknown):
        shop.tryton.add(f"New {number}", new)
    shop.start()
    plain.start()
    with_crm: list[float] = []
    without: list[float] = []
    async with (
        ReaderStation(shop.parts.broker) as reader,
        ReaderStation(plain.parts.broker) as other,
    ):
        reader.tap(card)
        await until(lambda: states(shop.parts.url) == ["counted"], "the regular is known")
        await reader.hear()
        line.delay_s = _WAY_S
        for _ in range(ROUNDS):
            with_crm += [await tapped(reader, card, "ok") for _ in range(TAPS)]
            without += [await tapped(other, ANA, "ok") for _ in range(TAPS)]
        pending = [await tapped(reader, new, "pending") for new in unknown]
        began = time.monotonic()
        query = "SELECT count(*) FROM store_crmpending WHERE state = 'counted'"
        await until(lambda: rows(shop.parts.url, query) == [(1 + UNKNOWN,)], "all are known", 120)
        known_s = time.monotonic() - began
    what = "tap to verdict, p95, card of a known customer"
    return [
        Figure(f"{what}, CRM that answers in 2 s", f"{p95(with_crm):.2f} ms"),
        Figure(f"{what}, no CRM", f"{p95(without):.2f} ms"),
        at_most(
            "ratio of the p95 (with CRM : without)", p95(with_crm) / p95(without), RATIO, "", 2
        ),
        Figure("ratio of the medians", f"{_median(with_crm) / _median(without):.2f}"),
        at_most(
            "card that only the CRM knows: pending, slowest", max(pending), PENDING_MS, "ms", 1
        ),
        Figure(
            f"after the last of {UNKNOWN} such cards, until all are counted", f"{known_s:.1f} s"
        ),
    ]


def _requests() -> list[Figure]:
    with side(crm=True) as shop:
        assert shop.tryton is not None
        cards = [new_card() for _ in range(CUSTOMERS)]
        shop.tryton.add_many(cards)
        shop.connect()
        shop.take_over()
        shop.start()
        first = asyncio.run(_asked(shop, cards))
        shop.age_records(_FRESH_S)
        later = asyncio.run(_asked(shop, cards))
        shop.age_records(_FRESH_S, at_least_s=_NIGHT_S)
        morning = asyncio.run(_asked(shop, cards))
    taps = TAPS_PER_S * SECONDS
    most = taps // REQUEST_PER_TAPS
    return [
        at_most(f"requests to the CRM for {taps:,} taps, after the import", first, most, ""),
        at_most(f"requests to the CRM for {taps:,} taps, on a later day", later, most, ""),
        at_most(f"requests to the CRM for {taps:,} taps, in the morning", morning, most, ""),
    ]


async def _asked(shop: Side, cards: list[str]) -> int:
    """Tap one card after another; return how many requests the CRM got."""
    before = shop.requests()
    async with ReaderStation(shop.parts.broker) as reader:
        began = time.monotonic()
        for number in range(TAPS_PER_S * SECONDS):
            reader.tap(cards[number % len(cards)], id=f"{shop.next_boot:05d}-{number:06d}")
            await asyncio.sleep(max(0.0, began + (number + 1) / TAPS_PER_S - time.monotonic()))
        await reader.hear_all(TAPS_PER_S * SECONDS)
    shop.next_boot += 1
    return shop.requests() - before


def _median(taken: list[float]) -> float:
    return statistics.median(taken)
