"""Listens at the broker to what reader and host say to each other, and says nothing itself."""

from __future__ import annotations

import asyncio
from typing import Any, Final, NamedTuple

import gmqtt
import msgspec

from besnik import broker, contract
from besnik.config import Broker

_KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    "tap": contract.Tap,
    "verdict": contract.Verdict,
    "visit": contract.Visit,
    "state": contract.State,
}


class Heard(NamedTuple):
    """One message: who it is about, what it says, when it came (``loop.time()``, seconds)."""

    reader: str
    message: msgspec.Struct
    at_s: float
    is_retained: bool


class Monitor:
    """A connection as the broker's user ``monitor``; what breaks the contract is not heard."""

    def __init__(self, address: Broker, password: str) -> None:
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()
        self._address = address
        self._client = gmqtt.Client(None, clean_session=True)
        self._client.set_auth_credentials(broker.MONITOR, password)
        self._client.on_message = self._hear
        self._client.on_connect = self._subscribe
        self._subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()

    async def connect(self) -> None:
        """Connect and return when everything from now on is heard; OSError, TimeoutError."""
        async with asyncio.timeout(5):
            await self._client.connect(self._address.host, self._address.port)
            await self._subscribed.wait()

    async def close(self) -> None:
        """Leave."""
        await self._client.disconnect()

    def _subscribe(self, client: Any, *_: object) -> None:
        client.subscribe(f"{contract.ROOT}/#", qos=1)

    def _hear(
        self, _client: Any, topic: str, payload: bytes, _qos: int, properties: dict[str, Any]
    ) -> int:
        now_s = asyncio.get_running_loop().time()
        try:
            address = contract.parse_topic(topic)
            kind = _KINDS[address.leaf]
            message = contract.decode(payload, kind)
        except (contract.ContractError, KeyError):
            return 0
        self.heard.put_nowait(Heard(address.reader, message, now_s, bool(properties.get("retain"))))
        return 0
