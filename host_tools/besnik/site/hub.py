"""The live hub: one MQTT connection per site process, fanned out to every open page.

A page is told *that* something happened at its readers, never what: it then reads the newest
tap from the database. So a page needs no queue that could overflow, a lost message costs
nothing once the next one comes, and after any gap one look at the database catches up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any, Final, Literal

import gmqtt

from besnik import config, contract

_log = logging.getLogger(__name__)

LEAVES: Final = ("visit", "state", "info", "health", "update/state")
TOPICS: Final = (*(f"{contract.ROOT}/+/+/{leaf}" for leaf in LEAVES), contract.BRIDGE_STATE)
KEEPALIVE_S: Final = 10
RETRY_S: Final = 1.0
CONNECT_TIMEOUT_S: Final = 5.0
# The broker sends what it retains right behind the acknowledgement of a subscription.
SETTLE_S: Final = 0.1

Sight = Literal["live", "broker", "bridge"]


class Watch:
    """One page's ear: set when a watched reader, or the connection itself, has news.

    ``readers`` are slugs; None watches all of them. It may be changed while it is watched.
    """

    def __init__(self, readers: frozenset[str] | None) -> None:
        self.readers = readers
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Say that there is news; several before the page looks count as one."""
        self._news.set()

    async def news(self, timeout_s: float) -> bool:
        """Wait for news; False when ``timeout_s`` passed without any."""
        try:
            await asyncio.wait_for(self._news.wait(), timeout_s)
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Hub:
    """Keeps the connection to the broker and wakes the pages.

    ``connected`` tells whether the broker is heard right now; ``closing`` asks open streams to
    end because the server is stopping.
    """

    def __init__(self) -> None:
        self.connected = False
        self.closing = False
        self._readers: dict[str, contract.State] = {}
        self._bridge: contract.State | None = None
        self._watches: set[Watch] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self, broker: config.Broker) -> None:
        """Begin to connect, and to reconnect for ever; returns at once."""
        self.closing = False
        self._task = asyncio.create_task(self._run(broker), name="live hub")

    def close_streams(self) -> None:
        """Ask every open page to end its stream."""
        self.closing = True
        self._wake()

    async def stop(self) -> None:
        """End the streams and the connection."""
        self.close_streams()
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextlib.contextmanager
    def watch(self, readers: frozenset[str] | None) -> Iterator[Watch]:
        """Register interest in ``readers`` (slugs; None: all) while the block runs."""
        watch = Watch(readers)
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    def poke(self, reader: str) -> None:
        """Have the pages that watch ``reader`` look again: something changed beside a tap."""
        self._wake(reader)

    def reader_online(self, reader: str) -> bool:
        """Tell whether a reader's last word was that it is on line."""
        state = self._readers.get(reader)
        return state is not None and state.s == "online"

    @property
    def sight(self) -> Sight:
        """Return ``live``, or who is away: ``broker``, or the ``bridge`` that answers taps."""
        if not self.connected:
            return "broker"
        return "live" if self._bridge and self._bridge.s == "online" else "bridge"

    def heard(self, topic: str, payload: bytes) -> None:
        """Take one message from the broker; one that breaks the contract is logged and dropped."""
        try:
            if topic == contract.BRIDGE_STATE:
                self._bridge = contract.decode(payload, contract.State) if payload else None
                self._wake()
                return
            address = contract.parse_topic(topic)
            if address.leaf == "state" and payload:
                self._note_state(address.reader, contract.decode(payload, contract.State))
            elif address.leaf == "visit":
                contract.decode(payload, contract.Visit)
        except contract.ContractError as error:
            _log.warning("dropped a message on %.80s: %s", topic, error)
            return
        self._wake(address.reader)

    def _note_state(self, reader: str, state: contract.State) -> None:
        known = self._readers.get(reader)
        if known is None or state.follows(known):
            self._readers[reader] = state

    def _wake(self, reader: str | None = None) -> None:
        for watch in self._watches:
            if reader is None or watch.readers is None or reader in watch.readers:
                watch.wake()

    def _set_connected(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            self._wake()

    async def _run(self, broker: config.Broker) -> None:
        said = ""
        while True:
            lost, subscribed = asyncio.Event(), asyncio.Event()
            client = self._client(broker, lost)
            client.on_subscribe = lambda *_, event=subscribed: event.set()
            try:
                await asyncio.wait_for(
                    client.connect(broker.host, broker.port, keepalive=KEEPALIVE_S),
                    CONNECT_TIMEOUT_S,
                )
                client.subscribe([gmqtt.Subscription(name, qos=1) for name in TOPICS])
                await asyncio.wait_for(subscribed.wait(), CONNECT_TIMEOUT_S)
                await asyncio.sleep(SETTLE_S)
                said = ""
                self._set_connected(True)
                await lost.wait()
                _log.warning("the broker closed the connection; connecting again")
            except (OSError, TimeoutError, gmqtt.mqtt.handler.MQTTConnectError) as error:
                problem = str(error) or "no answer"
                if problem != said:
                    _log.warning("broker %s:%d: %s; retrying", broker.host, broker.port, problem)
                said = problem
            finally:
                self._set_connected(False)
                self._readers.clear()
                self._bridge = None
                with contextlib.suppress(OSError):
                    await client.disconnect()
            await asyncio.sleep(RETRY_S)

    def _client(self, broker: config.Broker, lost: asyncio.Event) -> Any:
        client = gmqtt.Client(None, clean_session=True, logger=_log.getChild("gmqtt"))
        client.set_auth_credentials("site", broker.site_password)
        # This loop reconnects, not gmqtt: its own reconnect gives up on a refusal for good.
        client.reconnect_retries = -2
        client.on_message = self._on_message
        client.on_disconnect = lambda *_: lost.set()
        return client

    def _on_message(self, _client: Any, topic: str, payload: bytes, *_: Any) -> int:
        self.heard(topic, payload)
        return 0


hub = Hub()
