"""A reader as the update contract sees it: an MQTT 3.1.1 client that loads what it is told to."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from types import TracebackType
from typing import Any, Self

from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv311

from besnik.contract import ROOT
from besnik.fleet import release
from support.broker import RunningBroker

PART = struct.Struct(">IhI")


class UpdateReader:
    """Stands where a reader stands; ``orders`` are those of the host that it has not looked at."""

    def __init__(
        self, broker: RunningBroker, slug: str = "counter-1", shop: str = "corner"
    ) -> None:
        self.orders: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._parts: asyncio.Queue[bytes] = asyncio.Queue()
        self._broker = broker
        self._slug = slug
        self._root = f"{ROOT}/{shop}/{slug}/"
        self._boot = 41
        self._client = self._new_client()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self, firmware: str = "0.1.0") -> None:
        """Come on line."""
        self._boot += 1
        self._client = self._new_client()
        subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        await self._client.connect(self._broker.host, self._broker.port, version=MQTTv311)
        for leaf in ("cmd/update", "update/part"):
            subscribed.clear()
            self._client.subscribe(self._root + leaf, qos=1)
            await asyncio.wait_for(subscribed.wait(), 5)
        info = {"fw": firmware, "umqtt": "1.7.0", "mpy": "1.29.0", "reset": 1, "cfg": 0}
        self._keep("info", {**info, "bd": self._boot})
        self._keep("state", {"s": "online", "bd": self._boot})

    async def stop(self) -> None:
        """Leave, as a reader does before it starts anew."""
        self._keep("state", {"s": "offline", "bd": self._boot})
        await asyncio.sleep(0.05)
        await self._client.disconnect()

    async def order(self, timeout_s: float = 10) -> dict[str, Any]:
        """Return the next order of the host."""
        async with asyncio.timeout(timeout_s):
            return await self.orders.get()

    def report(self, number: int, state: str, why: str = "", percent: int = 0) -> None:
        """Say how far the update is."""
        said = {"n": number, "s": state, "why": why, "p": percent}
        self._client.publish(self._root + "update/state", json.dumps(said), qos=1)

    async def part(self, number: int, piece: int, offset: int) -> bytes:
        """Ask for a part until it comes."""
        ask = json.dumps({"n": number, "f": piece, "o": offset})
        async with asyncio.timeout(10):
            while True:
                self._client.publish(self._root + "update/get", ask, qos=0)
                try:
                    answer = await asyncio.wait_for(self._parts.get(), 2)
                except TimeoutError:
                    continue
                if PART.unpack_from(answer) == (number, piece, offset):
                    return answer[PART.size :]

    async def load(self, number: int) -> dict[str, bytes]:
        """Load a whole release and return its files, each of which is what the manifest says."""
        manifest = (await self.piece(number, -1)).decode()
        files = {}
        for index, line in enumerate(manifest.splitlines()[5:]):
            _, path, size, digest = line.split()
            files[path] = data = await self.piece(number, index)
            assert (len(data), hashlib.sha256(data).hexdigest()) == (int(size), digest), path
        return files

    async def piece(self, number: int, piece: int) -> bytes:
        """Load one piece: -2 the signature, -1 the manifest, then the files."""
        data = b""
        while True:
            part = await self.part(number, piece, len(data))
            data += part
            if len(part) < release.PART_BYTES:
                return data

    def _keep(self, leaf: str, said: dict[str, Any]) -> None:
        self._client.publish(self._root + leaf, json.dumps(said), qos=1, retain=True)

    def _new_client(self) -> Client:
        client = Client(f"test-update-{self._slug}")
        client.set_auth_credentials(self._slug, self._broker.passwords[self._slug])
        client.on_message = self._hear
        return client

    def _hear(self, _client: Client, topic: str, payload: bytes, _qos: int, _extra: object) -> int:
        if topic.endswith("cmd/update"):
            self.orders.put_nowait(json.loads(payload))
        else:
            self._parts.put_nowait(payload)
        return 0
