"""Sees a new reader come on line at the broker, and its first tap be answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

import gmqtt
from gmqtt.mqtt.handler import MQTTConnectError

from besnik import contract
from besnik.broker import SITE
from besnik.config import Broker

_CONNECT_S: Final = 5
_LEAVES: Final[dict[str, type[contract.State | contract.Visit]]] = {
    "state": contract.State,
    "visit": contract.Visit,
}

_Message = TypeVar("_Message", contract.State, contract.Visit)


class RefusedError(RuntimeError):
    """The broker does not take the site's password."""


class Watcher:
    """A connection as the site's user; hears one reader's state and the answers to its taps."""

    def __init__(self, address: Broker, shop: str, reader: str) -> None:
        self._address = address
        self._topics = [f"{contract.ROOT}/{shop}/{reader}/{leaf}" for leaf in _LEAVES]
        self._heard: asyncio.Queue[contract.State | contract.Visit] = asyncio.Queue()
        self._subscribed = asyncio.Event()
        self._client = gmqtt.Client(None, clean_session=True)
        self._client.set_auth_credentials(SITE, address.site_password)
        self._client.on_message = self._hear
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._subscribed.set()

    async def connect(self) -> None:
        """Connect; what the broker kept of the time before is not heard.

        RefusedError, OSError, TimeoutError.
        """
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._client.connect(self._address.host, self._address.port)
                await self._subscribed.wait()
        except MQTTConnectError as error:
            raise RefusedError(str(error)) from error

    async def online(self, timeout_s: float) -> contract.State | None:
        """Return the reader's birth, None if it does not come within ``timeout_s``."""
        return await self._next(contract.State, timeout_s, lambda state: state.s == "online")

    async def visit(self, timeout_s: float) -> contract.Visit | None:
        """Return the next answer of the bridge to a tap of the reader, None if there is none."""
        return await self._next(contract.Visit, timeout_s, lambda _: True)

    async def close(self) -> None:
        """Leave."""
        await self._client.disconnect()

    async def _next(
        self, kind: type[_Message], timeout_s: float, is_it: Callable[[_Message], bool]
    ) -> _Message | None:
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    message = await self._heard.get()
                    if isinstance(message, kind) and is_it(message):
                        return message
        except TimeoutError:
            return None

    def _subscribe(self, client: Any, *_: object) -> None:
        client.subscribe([gmqtt.Subscription(topic, qos=1) for topic in self._topics])

    def _hear(
        self, _client: Any, topic: str, payload: bytes, _qos: int, properties: dict[str, Any]
    ) -> int:
        if properties.get("retain"):
            return 0
        kind = _LEAVES[contract.parse_topic(topic).leaf]
        self._heard.put_nowait(contract.decode(payload, kind))
        return 0
