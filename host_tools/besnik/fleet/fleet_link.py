"""The host's line to the readers about their updates, as the broker's user ``fleet``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable
from typing import Any, Final

import gmqtt
import msgspec
from gmqtt.mqtt.handler import MQTTConnectError, MQTTError

from besnik import broker, config, contract

_log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 10
RETRY_S: Final = 1.0
CONNECT_TIMEOUT_S: Final = 5.0
_ASK: Final = "update/get"
_PART: Final = "update/part"
_ORDER: Final = "cmd/update"
_KINDS: Final[dict[str, type[contract.UpdateState | contract.State | contract.Info]]] = {
    "update/state": contract.UpdateState,
    "state": contract.State,
    "info": contract.Info,
}
# The broker repeats state and info, and readers ask again for parts: only this must arrive.
_QOS: Final = {_ASK: 0, "update/state": 1, "state": 1, "info": 1}

Message = contract.UpdateState | contract.State | contract.Info


class Said(msgspec.Struct, frozen=True):
    """What a reader said of itself; ``retained``: it may have been long ago."""

    shop: str
    reader: str
    message: Message
    retained: bool = False


class FleetLink:
    """Answers ``update/get`` from ``part``, hands what readers say to ``hear``, sends orders.

    ``part(shop, reader, ask)`` returns bytes, or None to leave it unanswered. ``changed(is_up)``
    is told when the connection is there, and when it is lost.
    """

    def __init__(
        self,
        address: config.Broker,
        password: str,
        part: Callable[[str, str, contract.UpdateAsk], bytes | None],
        hear: Callable[[Said], None],
        changed: Callable[[bool], None],
    ) -> None:
        self._address = address
        self._password = password
        self._part = part
        self._hear = hear
        self._changed = changed
        self._client: Any = None
        self._was_ready = False

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost, for ever."""
        said = ""
        while True:
            lost = asyncio.Event()
            client = self._new_client(lost)
            try:
                await self._connect(client)
                said = ""
                await lost.wait()
                _log.warning("the broker closed the connection; connecting again")
            except (OSError, TimeoutError, MQTTError) as error:
                problem = _problem(error)
                if problem != said:
                    where = f"{self._address.host}:{self._address.port}"
                    _log.warning("broker %s: %s; retrying", where, problem)
                said = problem
            finally:
                self._client = None
                self._changed(False)
                with contextlib.suppress(OSError):
                    await client.disconnect()
            await asyncio.sleep(RETRY_S)

    def order(self, shop: str, reader: str, order: contract.UpdateOrder, expiry_s: int) -> bool:
        """Tell a reader; False if there is no connection to do so."""
        if self._client is None:
            return False
        topic = contract.topic(shop, reader, _ORDER)
        text = contract.encode(order)
        self._client.publish(topic, text, qos=1, message_expiry_interval=expiry_s)
        return True

    async def _connect(self, client: Any) -> None:
        granted = asyncio.Event()
        client.on_subscribe = lambda *_: granted.set()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await client.connect(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
            every = f"{contract.ROOT}/+/+"
            client.subscribe(
                [gmqtt.Subscription(f"{every}/{leaf}", qos=qos) for leaf, qos in _QOS.items()]
            )
            await granted.wait()
        self._client = client
        self._changed(True)
        if not self._was_ready:
            print("fleet: ready", flush=True)
            self._was_ready = True

    def _new_client(self, lost: asyncio.Event) -> Any:
        client = gmqtt.Client(None, clean_session=True, logger=_log.getChild("gmqtt"))
        client.set_auth_credentials(broker.FLEET, self._password)
        # This loop reconnects, not gmqtt: its own reconnect gives up on a refusal for good.
        client.reconnect_retries = -2
        client.on_message = self._take
        client.on_disconnect = lambda *_: lost.set()
        return client

    def _take(
        self, client: Any, topic: str, payload: bytes, _qos: int, properties: dict[str, Any]
    ) -> int:
        try:
            address = contract.parse_topic(topic)
            if address.leaf == _ASK:
                self._give(client, address, contract.decode(payload, contract.UpdateAsk))
            elif payload:
                message = contract.decode(payload, _KINDS[address.leaf])
                retained = bool(properties.get("retain"))
                self._hear(Said(address.shop, address.reader, message, retained))
        except contract.ContractError as error:
            _log.warning("dropped a message on %.80s: %s", topic, error)
        return 0

    def _give(self, client: Any, address: contract.Address, ask: contract.UpdateAsk) -> None:
        data = self._part(address.shop, address.reader, ask)
        if data is not None:
            header = struct.pack(contract.PART_HEADER, ask.n, ask.f, ask.o)
            topic = contract.topic(address.shop, address.reader, _PART)
            client.publish(topic, header + data, qos=0)


def _problem(error: Exception) -> str:
    if isinstance(error, MQTTConnectError):
        return (
            f"it does not let the user {broker.FLEET} in: restart besnik broker, which learns its "
            "password from the state folder"
        )
    return str(error) or "no answer"
