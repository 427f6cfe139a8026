"""One connection to the broker, as gmqtt gives it, bent to acknowledge late.

A tap is acknowledged after its handler returned, never before. gmqtt leads the connection; the
messages themselves go through ``wire.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from gmqtt import Client, Message, Subscription
from gmqtt.mqtt.connection import MQTTConnection
from gmqtt.mqtt.handler import MQTTError

from besnik import config, contract
from besnik.bridge.account import Account
from besnik.bridge.wire import Wire

# With QoS 0: nothing of these waits for a bridge that is away. Readers say them again, or the
# broker does for them: state and info are retained.
REPORTS: Final = tuple(f"{contract.ROOT}/+/+/{leaf}" for leaf in ("state", "info", "health"))
USER: Final = "bridge"
# Taps the broker sends before the first is acknowledged: what the bridge holds at most. The rest
# waits at the broker.
RECEIVE_MAXIMUM: Final = 1024
# mosquitto 2.0.11 keeps to it until something is acknowledged, and then sends on and on: of 30,000
# taps that waited it had 27,000 unacknowledged. So nothing is read while the bridge holds so many.
_HELD_MAX: Final = 2 * RECEIVE_MAXIMUM
# As the broker's own limit (broker.py).
_PACKET_BYTES_MAX: Final = 64 * 1024
# A bridge that is cut off without a word is missed by the broker after 1.5 times this.
_KEEPALIVE_S: Final = 10
_CONNECT_TIMEOUT_S: Final = 5
_CLOSE_TIMEOUT_S: Final = 1
_REFUSED: Final = 128
_SEND_NO_RETAINED: Final = 2  # MQTT 5.0, 3.8.3.1: retain handling


class Delivery:
    """A message that came; whoever takes it says once when it may be acknowledged.

    ``redelivered``: the broker sent it before.
    """

    __slots__ = ("_connection", "_packet_id", "payload", "redelivered", "topic")

    def __init__(
        self,
        connection: Connection,
        topic: str,
        payload: bytes,
        packet_id: int | None,
        redelivered: bool,
    ) -> None:
        self.topic = topic
        self.payload = payload
        self.redelivered = redelivered
        self._connection = connection
        self._packet_id = packet_id

    def done(self) -> None:
        """Acknowledge it, at the broker of its own connection, if that is still there."""
        self._connection.finished(self._packet_id)


OnMessage = Callable[[Delivery], None]


class BrokerError(OSError):
    """The broker does not let the bridge in, or hung up on it."""


class Connection(Client):  # type: ignore[misc]  # gmqtt has no types
    """One connection: a lost one stays lost, so its late PUBACKs never reach the next one.

    There they could acknowledge another tap, because the broker's packet ids start anew.
    ``on_message(delivery)`` takes each message and must not raise; it is acknowledged when it is
    done. ``on_room()`` is called when the broker takes more.
    ``lost`` is set when the connection is gone.
    """

    def __init__(
        self, account: Account, will: bytes, on_message: OnMessage, on_room: Callable[[], None]
    ) -> None:
        super().__init__(
            account.client_id,
            clean_session=False,
            will_message=Message(contract.BRIDGE_STATE, will, qos=1, retain=True),
            session_expiry_interval=account.session_expiry_s,
            receive_maximum=RECEIVE_MAXIMUM,
            maximum_packet_size=_PACKET_BYTES_MAX,
        )
        self.lost = asyncio.Event()
        self._topics = account.topics
        self._listener = on_message
        self._granted: asyncio.Queue[tuple[int, ...] | None] = asyncio.Queue()
        self._on_room = on_room
        self._wire: Wire | None = None
        self._held = 0
        self.on_disconnect = self._gone
        self.on_subscribe = self._subscribed

    @property
    def unacknowledged(self) -> int:
        """How many of our messages the broker has not acknowledged yet."""
        return 0 if self._wire is None else self._wire.unacknowledged

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
        assert self._wire is not None, "nothing is sent before there is a connection"
        try:
            self._wire.publish(topic, payload, expiry_s, retain=retain)
        except OverflowError:  # how gmqtt says that it is out of packet ids
            return False
        return True

    def cry(self, topic: str, payload: bytes) -> None:
        """See Wire; without a connection do nothing."""
        if self._wire is not None:
            self._wire.cry(topic, payload)

    async def reconnect(self, delay: bool = False) -> None:
        """Do nothing: the link makes a new connection."""

    async def _create_connection(
        self, host: str, port: int, ssl: bool, clean_session: bool, keepalive: int
    ) -> MQTTConnection:
        """Do as gmqtt does, with a wire of our own."""
        handler = self._package_handler

        def wire() -> Wire:
            return Wire(
                self._take,
                self._on_room,
                connection_state=self._connection_state,
                id_generator=handler.id_generator,
            )

        loop = asyncio.get_running_loop()
        transport, self._wire = await loop.create_connection(wire, host, port, ssl=ssl or None)
        return MQTTConnection(transport, self._wire, clean_session, keepalive, handler)

    def _take(self, topic: str, payload: bytes, packet_id: int | None, redelivered: bool) -> None:
        self._held += 1
        if self._held == _HELD_MAX and self._wire is not None:
            self._wire.pause()
        self._listener(Delivery(self, topic, payload, packet_id, redelivered))

    def finished(self, packet_id: int | None) -> None:
        """Acknowledge a message that came with this packet id; None needs no acknowledgement."""
        self._held -= 1
        if self._held == RECEIVE_MAXIMUM and self._wire is not None:
            self._wire.resume()
        if packet_id is not None and self._wire is not None:
            self._wire.acknowledge(packet_id)

    def _gone(self, *_: object) -> None:
        self.lost.set()
        self._granted.put_nowait(None)

    def _subscribed(self, _client: Client, _mid: int, codes: tuple[int, ...], _x: object) -> None:
        self._granted.put_nowait(codes)
