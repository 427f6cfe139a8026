"""One connection to the broker, as gmqtt gives it, bent to acknowledge late.

A tap is acknowledged after its handler returned, never before: gmqtt sends the PUBACK with the
code the coroutine returned (``gmqtt/mqtt/handler.py``, ``__handle_publish_callback``), provided
that ``optimistic_acknowledgement`` is off and the handler is a coroutine function.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

from gmqtt import Client, Message, Subscription
from gmqtt.mqtt.constants import PubAckReasonCode
from gmqtt.mqtt.handler import MQTTError
from gmqtt.storage import PersistentStorage

from besnik import config, contract
from besnik.bridge.account import Account

# With QoS 0: nothing of these waits for a bridge that is away. Readers say them again, or the
# broker does for them: state and info are retained.
REPORTS: Final = tuple(f"{contract.ROOT}/+/+/{leaf}" for leaf in ("state", "info", "health"))
USER: Final = "bridge"
# Taps the broker sends before the first is acknowledged: what the bridge holds at most. The rest
# waits at the broker.
RECEIVE_MAXIMUM: Final = 1024
# As the broker's own limit (broker.py).
_PACKET_BYTES_MAX: Final = 64 * 1024
# A bridge that is cut off without a word is missed by the broker after 1.5 times this.
_KEEPALIVE_S: Final = 10
_CONNECT_TIMEOUT_S: Final = 5
_CLOSE_TIMEOUT_S: Final = 1
_REFUSED: Final = 128
_SEND_NO_RETAINED: Final = 2  # MQTT 5.0, 3.8.3.1: retain handling

OnMessage = Callable[[str, bytes, bool], Awaitable[None]]


class BrokerError(OSError):
    """The broker does not let the bridge in, or hung up on it."""


class _InFlight(PersistentStorage):  # type: ignore[misc]  # gmqtt has no types
    """gmqtt's store of messages the broker has not acknowledged; tells when one leaves it."""

    def __init__(self, on_room: Callable[[], None]) -> None:
        super().__init__()
        self._on_room = on_room

    def remove_message_by_mid(self, mid: int) -> None:
        """Forget an acknowledged message."""
        super().remove_message_by_mid(mid)
        self._on_room()


class Connection(Client):  # type: ignore[misc]  # gmqtt has no types
    """One connection: a lost one stays lost, so its late PUBACKs never reach the next one.

    There they could acknowledge another tap, because the broker's packet ids start anew.
    ``on_message(topic, payload, redelivered)`` is awaited for each message before it is
    acknowledged and must not raise; ``on_room()`` is called when the broker takes more.
    ``lost`` is set when the connection is gone.
    """

    def __init__(
        self, account: Account, will: bytes, on_message: OnMessage, on_room: Callable[[], None]
    ) -> None:
        super().__init__(
            account.client_id,
            clean_session=False,
            optimistic_acknowledgement=False,
            persistent_storage=_InFlight(on_room),
            will_message=Message(contract.BRIDGE_STATE, will, qos=1, retain=True),
            session_expiry_interval=account.session_expiry_s,
            receive_maximum=RECEIVE_MAXIMUM,
            maximum_packet_size=_PACKET_BYTES_MAX,
        )
        self.lost = asyncio.Event()
        self._topics = account.topics
        self._listener = on_message
        self._granted: asyncio.Queue[tuple[int, ...] | None] = asyncio.Queue()
        self.on_message = self._hear
        self.on_disconnect = self._gone
        self.on_subscribe = self._subscribed

    async def open(self, broker: config.Broker) -> None:
        """Connect and subscribe to what readers say; OSError or TimeoutError if that fails.

        Taps that the kept session holds can be heard before this returns.
        """
        self.set_auth_credentials(USER, broker.bridge_password)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                # asyncio sets TCP_NODELAY on every TCP connection; without it a tap takes 44 ms.
                await self.connect(broker.host, broker.port, keepalive=_KEEPALIVE_S)
                self.subscribe(
                    [
                        Subscription(topic, qos=1, retain_handling_options=_SEND_NO_RETAINED)
                        for topic in self._topics
                    ]
                    # With QoS 0 no old word waits for a bridge that comes, and none waits behind
                    # taps that the bridge holds.
                    + [
                        Subscription(
                            contract.BRIDGE_STATE, retain_handling_options=_SEND_NO_RETAINED
                        )
                    ]
                    + [Subscription(topic, qos=0) for topic in REPORTS]
                )
                codes = await self._granted.get()
        except MQTTError as error:
            raise BrokerError(str(error)) from error
        if codes is None:
            raise BrokerError("the broker hung up")
        if max(codes) >= _REFUSED:
            raise BrokerError(
                f"the broker refuses {USER!r} the subscription of {' or '.join(self._topics)}"
            )

    async def close(self) -> None:
        """Leave in order; the session and what is not acknowledged stay at the broker."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self.disconnect()

    def send(
        self, topic: str, payload: bytes, expiry_s: int | None, *, retain: bool = False
    ) -> bool:
        """Publish with QoS 1; False if the broker has no room now (its Receive Maximum)."""
        extra = {} if expiry_s is None else {"message_expiry_interval": expiry_s}
        try:
            self.publish(topic, payload, qos=1, retain=retain, **extra)
        except OverflowError:  # how gmqtt says that it is out of packet ids
            return False
        return True

    async def reconnect(self, delay: bool = False) -> None:
        """Do nothing: the link makes a new connection."""

    async def _hear(
        self, _client: Client, topic: str, payload: bytes, _qos: int, properties: dict[str, Any]
    ) -> int:
        await self._listener(topic, payload, bool(properties["dup"]))
        return int(PubAckReasonCode.SUCCESS)

    def _gone(self, *_: object) -> None:
        self.lost.set()
        self._granted.put_nowait(None)

    def _subscribed(self, _client: Client, _mid: int, codes: tuple[int, ...], _x: object) -> None:
        self._granted.put_nowait(codes)
