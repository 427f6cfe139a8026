"""The chain a browser test looks at: a broker, the bridge and the site, each a real process."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import itertools
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import gmqtt
import msgspec

from besnik import contract, demo
from besnik.sim.control import Control, Event
from support.broker import RunningBroker, free_port
from support.counter import Counter
from support.login import session_key
from support.orm import models_on
from support.processes import Processes, Running

QUIET_TILL: Final = "till-2"
# Apart from the boots of the real firmware, which counts from 1 on the same reader.
BOOT: Final = 70001


# Playwright's event loop runs in the tests' thread, so neither asyncio nor Django can work there.
_threads = ThreadPoolExecutor(4)


class House(NamedTuple):
    """A folder and the processes that live in it."""

    folder: Path
    processes: Processes


class Chain:
    """Broker, bridge and site of one shop; each can be stopped and started again."""

    def __init__(self, house: House, broker: RunningBroker, database_url: str) -> None:
        self.broker = broker
        self.database_url = database_url
        self.port = free_port()
        self._house = house
        self._environment = {
            "BESNIK_CONFIG": str(house.folder / "besnik.toml"),
            "BESNIK_DATABASE_URL": database_url,
        }
        self._write_settings()
        _threads.submit(add_quiet_till, database_url).result()
        self.bridge = self._start("bridge")
        self.site = self._start("site")
        self.bridge.wait_for("bridge: ready")
        self.site.wait_for("site: ready")

    def url(self, path: str = "") -> str:
        """Return the address of a page."""
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def cashier(self) -> str:
        """The address of the demo till's screen."""
        return self.url(f"cashier/{demo.SHOP}/{demo.TILL}/")

    @property
    def quiet_cashier(self) -> str:
        """The address of the screen of a till where nothing happens."""
        return self.url(f"cashier/{demo.SHOP}/{QUIET_TILL}/")

    def session_key(self, role: str) -> str:
        """Return what the cookie of a browser holds in which the demo's person is logged in."""
        where = self.database_url, self._house.folder
        return _threads.submit(session_key, *where, role).result()

    def add_person(self, username: str, password: str, role: str) -> None:
        """Add somebody to the demo's staff who logs in with a password."""
        _threads.submit(_add_person, self.database_url, username, password, role).result()

    @contextlib.contextmanager
    def bridge_user(self) -> Iterator[TapSource]:
        """Somebody who may say at the broker what only the bridge may."""
        source = TapSource(self.broker, user="bridge")
        yield source
        source.close()

    def restart_bridge(self) -> None:
        """Start the bridge again."""
        self.bridge = self._start("bridge")
        self.bridge.wait_for("bridge: ready")

    def restart_site(self) -> None:
        """Start the site again on the same port."""
        self.site = self._start("site")
        self.site.wait_for("site: ready")

    def _start(self, room: str) -> Running:
        command = [sys.executable, "-m", f"besnik.{room}"]
        return self._house.processes.start(room, command, environment=self._environment)

    def _write_settings(self) -> None:
        folder = self._house.folder
        (folder / "besnik.toml").write_text(
            f'state = "{folder}"\n'
            f'[site]\nport = {self.port}\ncounter_socket = "{folder}/counter/control.sock"\n'
            f"[broker]\nport = {self.broker.port}\n"
            f'bridge_password = "{self.broker.passwords["bridge"]}"\n'
            f'site_password = "{self.broker.passwords["site"]}"\n',
            encoding="utf-8",
        )


def _add_person(database_url: str, username: str, password: str, role: str) -> None:
    with models_on(database_url):
        from besnik.store import staff
        from besnik.store.models import Program

        program = Program.objects.get()
        staff.add(program, username=username, name=username.title(), role=role, password=password)


def add_quiet_till(database_url: str) -> None:
    """Add a till without a reader: its screen always waits."""
    with models_on(database_url):
        from besnik.store.models import Shop, Till

        Till.objects.create(shop=Shop.objects.get(), slug=QUIET_TILL, name="Till 2")


def add_readers(database_url: str) -> None:
    """Add a till with a reader in each state, once; the one on line has every other fault."""
    _threads.submit(_add_readers, database_url).result()


def _add_readers(database_url: str) -> None:
    with models_on(database_url):
        from besnik.store.models import (
            Reader,
            ReaderHealth,
            ReaderInfo,
            ReaderState,
            Shop,
            Till,
        )

        till, _ = Till.objects.get_or_create(shop=Shop.objects.get(), slug="till-9", name="Till 9")
        hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        for word in ("online", "lost", "offline", "silent", "never"):
            reader, is_new = Reader.objects.get_or_create(
                slug=f"{word}-9",
                defaults={"shop": till.shop, "till": till, "name": f"R-{word.upper()}"},
            )
            if not is_new or word == "never":
                continue
            said = "online" if word == "silent" else word
            now = hour_ago if word == "silent" else dt.datetime.now(dt.UTC)
            ReaderState.objects.create(reader=reader, state=said, boot=1, since=hour_ago)
            ReaderInfo.objects.create(
                reader=reader,
                firmware="0.1.0",
                umqtt="1.3.4",
                micropython="1.27.0",
                reset_cause=3,
                boot=1,
                config_version=1,
                since=hour_ago,
            )
            ReaderHealth.objects.create(
                reader=reader,
                at=now,
                up_s=7200,
                rssi_dbm=-88,
                heap_free=5_000,
                outbox=12,
                outbox_since=hour_ago,
                outbox_dropped=3,
                reconnects=40,
                rc522_recoveries=9,
                verdict_ms=1900,
            )


class TapSource:
    """Publishes taps as the demo reader does, over a connection of its own."""

    def __init__(self, broker: RunningBroker, user: str = demo.READER) -> None:
        self._broker = broker
        self._user = user
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client: Any = None
        self.connect()

    def connect(self) -> None:
        """Connect and, as the reader, say that it is on line."""
        self._run(self._connect())
        if self._user == demo.READER:
            self.publish("state", contract.State("online", BOOT), retain=True)

    def tap(self, uid: str) -> str:
        """Publish one tap of the card with ``uid`` (upper-case hex) and return its id."""
        number = f"{BOOT}-{next(self._numbers):06d}"
        self.repeat(number, uid)
        return number

    def repeat(self, number: str, uid: str) -> None:
        """Publish the tap with this id, again if there was one."""
        self.publish("tap", contract.Tap(1, number, "uid", uid, 0, 0, 0))

    def publish(self, leaf: str, message: msgspec.Struct, *, retain: bool = False) -> None:
        """Publish a message of the demo reader with QoS 1."""
        topic = contract.topic(demo.SHOP, demo.READER, leaf)
        payload = contract.encode(message)
        self._run(self._publish(topic, payload, retain))

    def close(self) -> None:
        """Leave."""
        self._run(self._client.disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _connect(self) -> None:
        self._client = gmqtt.Client(None)
        self._client.reconnect_retries = -2  # never by itself: a test says when
        self._client.set_auth_credentials(self._user, self._broker.passwords[self._user])
        await self._client.connect(self._broker.host, self._broker.port)

    async def _publish(self, topic: str, payload: bytes, retain: bool) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain)

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class Desk:
    """A virtual counter with the reader switched on: the unmodified firmware in MicroPython."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.process = counter.start_counter()
        self.reader = counter.start_reader()

    def start_counter(self) -> None:
        """Start the counter's process again."""
        self.process = self._counter.start_counter()

    def start_reader(self) -> None:
        """Switch the reader on again."""
        self.reader = self._counter.start_reader()

    def present(self, card: str) -> None:
        """Hold a card to the reader."""
        self._do("present", card)

    def remove(self, card: str) -> None:
        """Take a card away."""
        self._do("remove", card)

    def clear(self) -> None:
        """Take every card away."""
        for card in demo.CARDS:
            self.remove(card.key)

    def watch(self, seconds: float) -> Future[list[Event]]:
        """Collect the events of the coming seconds."""
        return _threads.submit(asyncio.run, self._events(seconds))

    def _do(self, operation: str, card: str) -> None:
        _threads.submit(asyncio.run, self._ask(operation, card)).result(10)

    async def _ask(self, operation: str, card: str) -> None:
        async with await self._connect() as control:
            await control.request(operation, card=card)

    async def _events(self, seconds: float) -> list[Event]:
        found: list[Event] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), await self._connect() as control:
                async for event in control.watch():
                    found.append(event)
        return found

    async def _connect(self) -> Control:
        return await Control.connect(self._counter.control_socket)
