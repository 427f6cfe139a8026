"""Tap to verdict for one reader, against a responder that does no work.

One MQTT 3.1.1 client sends a tap at QoS 1, waits for its verdict and sends the next. The bridge
(SQLite, an fsync before every answer, whole ledger written) and a responder in Python that answers
each tap at once without a database take turns in the same run, each on a mosquitto of its own, with
the same client and MQTT library. Median over all rounds.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from figures import Figure, at_most
from gmqtt import Client
from parts import Parts, parts

from besnik.contract import Tap, Verdict, decode, encode, parse_topic, topic
from support.bridge import ANA, ReaderStation

TITLE = "Tap to verdict"
ROUNDS = 5
TAPS = 200
_LIMIT_MS = 20


class NoOp:
    """Answers every tap with `accepted` and does nothing else."""

    def __init__(self, parts: Parts) -> None:
        self._broker = parts.broker
        self._client = Client("bridge-no-op")
        self._client.set_auth_credentials("bridge", parts.broker.passwords["bridge"])
        self._client.on_message = self._answer

    async def start(self) -> None:
        """Connect and subscribe."""
        subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        await self._client.connect(self._broker.host, self._broker.port)
        self._client.subscribe("besnik/v1/+/+/tap", qos=1)
        await subscribed.wait()

    async def stop(self) -> None:
        """Leave."""
        await self._client.disconnect()

    def _answer(self, client: Client, name: str, payload: bytes, _qos: int, _more: object) -> int:
        address = parse_topic(name)
        tap = decode(payload, Tap)
        verdict = encode(Verdict(tap.id, "accepted", "ok"))
        client.publish(topic(address.shop, address.reader, "verdict"), verdict, qos=1)
        return 0


def measure() -> list[Figure]:
    """Take turns between bridge and no-op responder, each on a broker of its own."""
    with parts() as shop, parts() as floor:
        shop.bridge.start()
        bridge_ms, no_op_ms = asyncio.run(_rounds(shop, floor))
    ours, least = statistics.median(bridge_ms), statistics.median(no_op_ms)
    p95 = statistics.quantiles(bridge_ms, n=20)[-1]
    return [
        at_most("tap to verdict, p50, one reader", ours, _LIMIT_MS, "ms", 2),
        Figure("tap to verdict, p95, one reader", f"{p95:.2f} ms"),
        Figure("the same with a no-op responder, p50", f"{least:.2f} ms"),
        Figure("ratio of the medians (bridge : no-op)", f"{ours / least:.1f}"),
    ]


async def _rounds(shop: Parts, floor: Parts) -> tuple[list[float], list[float]]:
    no_op = NoOp(floor)
    await no_op.start()
    bridge_ms: list[float] = []
    no_op_ms: list[float] = []
    for number in range(1, ROUNDS + 1):
        bridge_ms += await _closed_loop(shop, number)
        no_op_ms += await _closed_loop(floor, number)
    await no_op.stop()
    return bridge_ms, no_op_ms


async def _closed_loop(shop: Parts, boot: int) -> list[float]:
    taken: list[float] = []
    async with ReaderStation(shop.broker) as reader:
        for number in range(TAPS):
            began = time.perf_counter()
            tap_id = reader.tap(ANA, id=f"{boot:05d}-{number:06d}")
            verdict = await reader.hear()
            taken.append((time.perf_counter() - began) * 1000)
            assert (verdict["id"], verdict["r"]) == (tap_id, "accepted"), verdict
    return taken
