"""The bridge's session at the broker: connects, stays connected, sends answers in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from besnik import config
from besnik.bridge.account import Account
from besnik.bridge.connection import Connection, OnMessage
from besnik.bridge.group import backoff
from besnik.bridge.log import pairs

_log = logging.getLogger(__name__)

# Beyond so many unacknowledged ones answers wait here; some packet ids (of 65,535) stay free.
_UNACKNOWLEDGED_MAX: Final = 16_384
# The acknowledgements of a broker that has a long queue for the bridge come after that queue. No
# more answers than these wait for them, the youngest: a reader asks again, and what the site shows
# it reads from the database.
_WAITING_MAX: Final = 16_384
# A connection that held so long was a good one: the next attempt need not wait long.
_STEADY_S: Final = 10


class _Outgoing(msgspec.Struct, frozen=True):
    topic: str
    payload: bytes
    expiry_s: int | None
    deadline_s: float | None


class Link:
    """Keeps a session at the broker.

    ``on_message`` is Connection's; ``on_lost()`` is called after a connection is gone: what was not
    acknowledged comes again. ``on_ready()`` is called each time the taps are subscribed to.
    ``will`` is what the broker says on ``contract.BRIDGE_STATE`` when a connection breaks.
    """

    def __init__(
        self,
        broker: config.Broker,
        account: Account,
        will: bytes,
        on_message: OnMessage,
        on_lost: Callable[[], None],
        on_ready: Callable[[], None],
    ) -> None:
        self._broker = broker
        self._account = account
        self._will = will
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_ready = on_ready
        self._connection: Connection | None = None
        self._moved = asyncio.Event()
        self._waiting: deque[_Outgoing] = deque(maxlen=_WAITING_MAX)

    @property
    def is_connected(self) -> bool:
        """Whether there is a session at the broker now."""
        return self._connection is not None and self._connection.is_connected

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost; leave when cancelled."""
        said = ""
        delays = backoff()
        where = {"host": self._broker.host, "port": self._broker.port}
        while True:
            # A kept session sends what it holds at once, so answers may go out at once.
            connection = self._connection = Connection(
                self._account, self._will, self._on_message, self._drain
            )
            try:
                await connection.open(self._broker)
                _log.info(pairs("broker_connected", **where))
                said, since = "", time.monotonic()
                self._on_ready()
                await connection.lost.wait()
                lasted_s = time.monotonic() - since
                # Lost again and again after a moment: another bridge goes by the same name.
                _log.warning(pairs("broker_lost", **where, lasted_s=f"{lasted_s:.1f}"))
                if lasted_s > _STEADY_S:
                    delays = backoff()
            except (OSError, TimeoutError) as error:
                if said != (said := str(error) or type(error).__name__):
                    _log.warning(pairs("broker_away", **where, reason=said))
            finally:
                await self._leave()
            await asyncio.sleep(next(delays))

    def send(
        self,
        topic: str,
        payload: bytes,
        *,
        expiry_s: int | None = None,
        deadline_s: float | None = None,
    ) -> None:
        """Publish, after what was sent before, as soon as the broker has room for it.

        ``expiry_s``: the broker drops it after so many seconds. ``deadline_s``: it is not sent
        after this time (monotonic). Without a connection nothing is sent: the tap it answers
        comes again.
        """
        connection = self._connection
        if not self._waiting and connection is not None and _has_room(connection):
            if deadline_s is not None and time.monotonic() >= deadline_s:
                return
            if connection.send(topic, payload, expiry_s):
                return
        self._waiting.append(_Outgoing(topic, payload, expiry_s, deadline_s))
        self._drain()

    async def finish(self, timeout_s: float) -> None:
        """Return when the broker has acknowledged what was sent, is gone, or after a while.

        Before a disconnect: mosquitto 2.0.11 that cannot send an acknowledgement any more reads no
        further, takes the DISCONNECT for a broken line, and says the will.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._connection is not None and self._connection.unacknowledged:
                    self._moved.clear()
                    await self._moved.wait()

    def announce(self, topic: str, payload: bytes) -> None:
        """Publish retained, before whatever waits; without a connection do nothing."""
        if self._connection is not None and self._connection.is_connected:
            self._connection.send(topic, payload, None, retain=True)

    def cry(self, topic: str, payload: bytes) -> None:
        """Publish retained from another thread, while the event loop hangs (see Wire)."""
        if (connection := self._connection) is not None:
            connection.cry(topic, payload)

    async def _leave(self) -> None:
        connection = self._connection
        if connection is not None:
            # In this order: a handler that ends before the connection does would acknowledge.
            await connection.close()
            self._connection = None
            self._waiting.clear()
            self._moved.set()
            self._on_lost()

    def _drain(self) -> None:
        self._moved.set()
        if not self._waiting:
            return
        connection = self._connection
        if connection is None or not connection.is_connected:
            self._waiting.clear()
            return
        while self._waiting and self._sent(connection, self._waiting[0]):
            self._waiting.popleft()

    def _sent(self, connection: Connection, message: _Outgoing) -> bool:
        """Send a message or, if it is late, drop it; False if there is no room for it now."""
        if message.deadline_s is not None and time.monotonic() >= message.deadline_s:
            return True
        if not _has_room(connection):
            return False
        return connection.send(message.topic, message.payload, message.expiry_s)


def _has_room(connection: Connection) -> bool:
    return connection.unacknowledged < _UNACKNOWLEDGED_MAX and bool(connection.is_connected)
