"""The worker's place at the broker: it hears of visits, and says them again once they are settled.

Nothing depends on it: what it misses is in the database, where the worker looks by the clock too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

import gmqtt

from besnik import config, contract

_log = logging.getLogger(__name__)

VISITS: Final = f"{contract.ROOT}/+/+/visit"
_USER: Final = "bridge"
_CLIENT_ID: Final = "besnik-crm"
_KEEPALIVE_S: Final = 10
_RETRY_S: Final = 1.0
_CONNECT_TIMEOUT_S: Final = 5.0


class Ear:
    """A connection that is made again for ever. ``on_visit`` is called with each visit."""

    def __init__(self, broker: config.Broker, on_visit: Callable[[contract.Visit], None]) -> None:
        self._broker = broker
        self._on_visit = on_visit
        self._client: Any = None

    async def run(self) -> None:
        """Connect and listen until cancelled."""
        said = ""
        while True:
            lost = asyncio.Event()
            client = self._made(lost)
            try:
                await asyncio.wait_for(
                    client.connect(self._broker.host, self._broker.port, keepalive=_KEEPALIVE_S),
                    _CONNECT_TIMEOUT_S,
                )
                client.subscribe(gmqtt.Subscription(VISITS, qos=0))
                self._client, said = client, ""
                await lost.wait()
            except (OSError, TimeoutError, gmqtt.mqtt.handler.MQTTConnectError) as error:
                if said != (said := str(error) or "no answer"):
                    _log.warning("broker %s:%d: %s", self._broker.host, self._broker.port, said)
            finally:
                self._client = None
                with contextlib.suppress(OSError):
                    await client.disconnect()
            await asyncio.sleep(_RETRY_S)

    def say(self, visit: contract.Visit) -> None:
        """Tell the pages of a visit's till that there is news; nobody, without a connection."""
        if self._client is not None:
            topic = contract.topic(visit.shop, visit.reader, "visit")
            self._client.publish(topic, contract.encode(visit), qos=0)

    def _made(self, lost: asyncio.Event) -> Any:
        client = gmqtt.Client(_CLIENT_ID, clean_session=True, logger=logging.getLogger("gmqtt"))
        client.set_auth_credentials(_USER, self._broker.bridge_password)
        client.reconnect_retries = -2  # this loop reconnects: gmqtt gives up on a refusal for good
        client.on_message = self._heard
        client.on_disconnect = lambda *_: lost.set()
        return client

    def _heard(self, _client: Any, topic: str, payload: bytes, *_: Any) -> int:
        try:
            self._on_visit(contract.decode(payload, contract.Visit))
        except contract.ContractError as error:
            _log.warning("dropped a message on %.80s: %s", topic, error)
        return 0
