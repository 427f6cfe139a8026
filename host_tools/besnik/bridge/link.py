"""The bridge's session at the broker: connects, stays connected, hears taps, sends answers.

A tap is acknowledged after its handler returned, never before: gmqtt sends the PUBACK with the
code the coroutine returned (``gmqtt/mqtt/handler.py``, ``__handle_publish_callback``), provided
that ``optimistic_acknowledgement`` is off and the handler is a coroutine function.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from gmqtt import Client, Subscription
from gmqtt.mqtt.constants import PubAckReasonCode
from gmqtt.mqtt.handler import MQTTError
from gmqtt.storage import PersistentStorage

from besnik import config, contract
from besnik.bridge.group import backoff
from besnik.bridge.log import pairs

_log = logging.getLogger(__name__)

TAPS: Final = f"{contract.ROOT}/+/+/tap"
CLIENT_ID: Final = "besnik-bridge"
USER: Final = "bridge"
SESSION_EXPIRY_S: Final = 7 * 24 * 3600
# Taps the broker sends before the first is acknowledged, so also the largest batch.
RECEIVE_MAXIMUM: Final = 1024
# Above the largest message somebody may send by mistake, so that it is counted and not
# dropped by the broker in silence; far below what could fill the memory.
_PACKET_BYTES_MAX: Final = 16 * 1024 * 1024
_KEEPALIVE_S: Final = 30
_CONNECT_TIMEOUT_S: Final = 5
_CLOSE_TIMEOUT_S: Final = 1
# A connection that held so long was a good one: the next attempt need not wait long.
_STEADY_S: Final = 10
_REFUSED: Final = 128
_TAKEN_OVER: Final = 0x8E  # another client came with the same id
_SEND_NO_RETAINED: Final = 2  # MQTT 5.0, 3.8.3.1: retain handling

OnTap = Callable[[str, bytes, bool], Awaitable[None]]


class _Outgoing(msgspec.Struct, frozen=True):
    topic: str
    payload: bytes
    expiry_s: int | None
    deadline_s: float | None


class _InFlight(PersistentStorage):  # type: ignore[misc]  # gmqtt has no types
    """gmqtt's store of messages the broker has not acknowledged; tells when one leaves it."""

    def __init__(self, on_room: Callable[[], None]) -> None:
        super().__init__()
        self._on_room = on_room

    def remove_message_by_mid(self, mid: int) -> None:
        """Forget an acknowledged message."""
        super().remove_message_by_mid(mid)
        self._on_room()


class _Connection(Client):  # type: ignore[misc]  # gmqtt has no types
    """One connection: a lost one stays lost, so its late PUBACKs never reach the next one.

    There they could acknowledge another tap, because the broker's packet ids start anew.
    ``lost`` is set when it is gone, ``reason`` is what the broker said of that; ``granted``
    gets the codes of a SUBACK, or None if the connection is lost first.
    """

    def __init__(self, on_room: Callable[[], None]) -> None:
        super().__init__(
            CLIENT_ID,
            clean_session=False,
            optimistic_acknowledgement=False,
            persistent_storage=_InFlight(on_room),
            session_expiry_interval=SESSION_EXPIRY_S,
            receive_maximum=RECEIVE_MAXIMUM,
            maximum_packet_size=_PACKET_BYTES_MAX,
        )
        self.lost = asyncio.Event()
        self.reason = "closed"
        self.granted: asyncio.Queue[tuple[int, ...] | None] = asyncio.Queue()
        self.on_disconnect = self._gone
        self.on_subscribe = self._subscribed

    def _gone(self, _client: Client, packet: bytes, _error: object = None) -> None:
        if packet and not self.lost.is_set():
            code = packet[0]  # MQTT 5.0, 3.14.2.1
            self.reason = "session_taken_over" if code == _TAKEN_OVER else f"0x{code:02x}"
        self.lost.set()
        self.granted.put_nowait(None)

    def _subscribed(self, _client: Client, _mid: int, codes: tuple[int, ...], _x: object) -> None:
        self.granted.put_nowait(codes)

    async def reconnect(self, delay: bool = False) -> None:
        """Do nothing: Link makes a new connection."""


class Link:
    """Keeps a session at the broker. ``on_tap(topic, payload, redelivered)`` is awaited for
    each message before it is acknowledged; it must not raise. ``on_lost()`` is called after a
    connection is gone: what was not acknowledged will come again.
    """

    def __init__(
        self,
        broker: config.Broker,
        on_tap: OnTap,
        on_lost: Callable[[], None],
        on_ready: Callable[[], None],
    ) -> None:
        self._broker = broker
        self._on_tap = on_tap
        self._on_lost = on_lost
        self._on_ready = on_ready
        self._connection: _Connection | None = None
        self._waiting: deque[_Outgoing] = deque()

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost, until cancelled."""
        said = ""
        delays = backoff()
        where = {"host": self._broker.host, "port": self._broker.port}
        while True:
            try:
                connection = await self._connect()
            except (OSError, MQTTError, TimeoutError) as error:
                if said != (said := str(error) or type(error).__name__):
                    _log.warning(pairs("broker_away", **where, reason=said))
                await asyncio.sleep(next(delays))
                continue
            _log.info(pairs("broker_connected", **where))
            self._on_ready()
            since = time.monotonic()
            await connection.lost.wait()
            _log.warning(pairs("broker_lost", **where, reason=connection.reason))
            await _close(connection)
            self._forget()
            said = ""
            if time.monotonic() - since > _STEADY_S:
                delays = backoff()
            await asyncio.sleep(next(delays))

    async def close(self) -> None:
        """Leave the broker in order; the session and what is not acknowledged stay there."""
        connection = self._connection
        if connection is not None:
            await _close(connection)
            self._forget()

    def send(
        self,
        topic: str,
        payload: bytes,
        *,
        expiry_s: int | None = None,
        deadline_s: float | None = None,
    ) -> None:
        """Publish with QoS 1, in order, as soon as the broker has room for it.

        ``expiry_s``: the broker drops it after so many seconds. ``deadline_s``: it is not sent
        after this time (monotonic). Without a connection nothing is sent: the tap it answers
        comes again.
        """
        if self._connection is None:
            return
        self._waiting.append(_Outgoing(topic, payload, expiry_s, deadline_s))
        self._drain()

    def _drain(self) -> None:
        connection = self._connection
        while connection is not None and self._waiting:
            message = self._waiting[0]
            if message.deadline_s is None or time.monotonic() < message.deadline_s:
                extra = {}
                if message.expiry_s is not None:
                    extra["message_expiry_interval"] = message.expiry_s
                try:
                    connection.publish(message.topic, message.payload, qos=1, **extra)
                except OverflowError:
                    # As many unacknowledged messages as the broker takes (its Receive
                    # Maximum): gmqtt runs out of packet ids. Goes on in _InFlight.
                    return
            self._waiting.popleft()

    async def _connect(self) -> _Connection:
        connection = _Connection(self._drain)
        connection.set_auth_credentials(USER, self._broker.bridge_password)
        connection.on_message = self._hear
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                # asyncio sets TCP_NODELAY on every TCP connection; without it a tap takes 44 ms.
                await connection.connect(
                    self._broker.host, self._broker.port, keepalive=_KEEPALIVE_S
                )
                # A kept session sends what it holds at once, so answers may go out at once.
                self._connection = connection
                connection.subscribe(
                    Subscription(TAPS, qos=1, retain_handling_options=_SEND_NO_RETAINED)
                )
                codes = await connection.granted.get()
            if codes is None:
                raise ConnectionResetError("the broker hung up")
            if max(codes) >= _REFUSED:
                raise MQTTError(f"the broker refuses {USER!r} the subscription of {TAPS}")
        except BaseException:
            # In this order: a handler that ends before the connection does would acknowledge.
            await _close(connection)
            self._forget()
            raise
        return connection

    def _forget(self) -> None:
        self._connection = None
        self._waiting.clear()
        self._on_lost()

    async def _hear(
        self, _client: Client, topic: str, payload: bytes, _qos: int, properties: dict[str, Any]
    ) -> int:
        await self._on_tap(topic, payload, bool(properties["dup"]))
        return int(PubAckReasonCode.SUCCESS)


async def _close(connection: Client) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await connection.disconnect()
