"""An MQTT 5 client that says and hears anything the broker lets it."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from typing import Protocol

from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv50

QUIET_S = 0.3


class Doors(Protocol):
    """What an ear has to know of a broker: where its listener for passwords is, and these."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def passwords(self) -> Mapping[str, str]: ...


class Ear:
    """A client that says things and keeps everything it hears as (topic, text)."""

    def __init__(
        self,
        broker: Doors,
        user: str,
        client_id: str = "",
        door: tuple[int, ssl.SSLContext] | None = None,
    ) -> None:
        """``door``: port and TLS of another listener than the one for passwords."""
        self.heard: list[tuple[str, str]] = []
        self.answers_taps = False
        self._host = broker.host
        self._port, self._tls = door or (broker.port, False)
        self._client = Client(
            client_id or f"test-{user}",
            clean_session=not client_id,
            session_expiry_interval=3600 if client_id else 0,
        )
        self._client.set_auth_credentials(user, broker.passwords.get(user, "wrong"))
        self._client.on_message = self._hear
        self._client.set_config({"reconnect_retries": 0})

    def _hear(self, _client: Client, topic: str, payload: bytes, _qos: int, _extra: object) -> int:
        self.heard.append((topic, payload.decode()))
        if self.answers_taps:
            self.say(topic.replace("/tap", "/verdict"), "y")
        return 0

    async def connect(self) -> None:
        try:
            await self._client.connect(self._host, self._port, ssl=self._tls, version=MQTTv50)
        except Exception:
            await self.close()  # gmqtt leaves the socket of a refused connection open
            raise

    async def hear(self, topic: str) -> None:
        subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.subscribe(topic, qos=1)
        await asyncio.wait_for(subscribed.wait(), 5)

    def say(self, topic: str, text: str, *, retain: bool = False) -> None:
        self._client.publish(topic, text, qos=1, retain=retain)

    async def close(self) -> None:
        await self._client.disconnect()


async def settled(ears: list[Ear]) -> None:
    """Return when nobody has heard anything new for a while."""
    for _ in range(50):
        before = [len(ear.heard) for ear in ears]
        await asyncio.sleep(QUIET_S)
        if before == [len(ear.heard) for ear in ears]:
            return
    raise AssertionError("the clients still hear new messages")


async def round_trip_s(reader: Ear) -> float:
    """Say a tap of counter-1, return how long it took to hear the verdict."""
    count = len(reader.heard)
    began_s = time.perf_counter()
    reader.say("besnik/v1/corner/counter-1/tap", "x")
    while len(reader.heard) == count:
        await asyncio.sleep(0.0005)
        assert time.perf_counter() - began_s < 5, "no verdict"
    return time.perf_counter() - began_s
