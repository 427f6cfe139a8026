"""The chain a browser test looks at: a broker, the bridge and the site, each a real process."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import threading
from pathlib import Path
from typing import Any, Final

import gmqtt
import msgspec

from besnik import contract, demo
from besnik.sim import reader
from support.broker import RunningBroker, free_port
from support.processes import Processes, Running


class Chain:
    """Broker, bridge and site of one shop; each can be stopped and started again."""

    def __init__(
        self, state: Path, processes: Processes, broker: RunningBroker, database_url: str
    ) -> None:
        self.broker = broker
        self.port = free_port()
        self.state = state
        self._processes = processes
        self._environment = {
            "BESNIK_CONFIG": str(state / "besnik.toml"),
            "BESNIK_DATABASE_URL": database_url,
        }
        self.counter_socket = state / "counter" / "control.sock"
        self._write_settings()
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

    def restart_site(self) -> None:
        """Start the site again on the same port."""
        self.site = self._start("site")
        self.site.wait_for("site: ready")

    def _start(self, room: str) -> Running:
        command = [sys.executable, "-m", f"besnik.{room}"]
        return self._processes.start(room, command, environment=self._environment)

    def _write_settings(self) -> None:
        (self.state / "besnik.toml").write_text(
            f'state = "{self.state}"\n'
            f'[site]\nport = {self.port}\ncounter_socket = "{self.counter_socket}"\n'
            f"[broker]\nport = {self.broker.port}\n"
            f'bridge_password = "{self.broker.passwords["bridge"]}"\n'
            f'site_password = "{self.broker.passwords["site"]}"\n',
            encoding="utf-8",
        )


class TapSource:
    """Publishes taps as the demo reader does, over a connection of its own."""

    def __init__(self, broker: RunningBroker) -> None:
        self._broker = broker
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client: Any = None
        self.connect()

    def connect(self) -> None:
        """Connect and say that the reader is on line."""
        self._run(self._connect())
        self.publish("state", contract.State("online", 1), retain=True)

    def tap(self, uid: str) -> None:
        """Publish one tap of the card with ``uid`` (upper-case hex)."""
        number = f"00001-{next(self._numbers):06d}"
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
        self._client.set_auth_credentials(demo.READER, self._broker.passwords[demo.READER])
        await self._client.connect(self._broker.host, self._broker.port)

    async def _publish(self, topic: str, payload: bytes, retain: bool) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain)

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class Counter:
    """The virtual counter and the reader on it: the unmodified firmware in MicroPython."""

    PINS: Final = {"cs": 5, "rst": 22, "led_green": 26, "led_red": 25, "buzzer": 27}

    def __init__(
        self, state: Path, processes: Processes, broker: RunningBroker, root: Path
    ) -> None:
        self.folder = state / "counter"
        self._processes = processes
        self._flash = state / "flash"
        self._nvs = state / "nvs.json"
        reader.stage(self._flash, self._settings(broker), root)
        self.folder.mkdir()
        cards = [{"key": card.key, "label": card.label, "uid": card.uid} for card in demo.CARDS]
        (self.folder / "cards.json").write_text(json.dumps(cards), encoding="utf-8")
        (self.folder / "pins.json").write_text(json.dumps(self.PINS), encoding="utf-8")
        self.start_counter()
        self.start_reader()

    def start_counter(self) -> None:
        """Start the process that models chip, cards, light and buzzer."""
        command = [sys.executable, "-m", "besnik.sim.counter", "--folder", self.folder]
        files = ["--cards", self.folder / "cards.json", "--pins", self.folder / "pins.json"]
        self.counter = self._processes.start("counter", [*command, *files], ready="counter: ready")

    def start_reader(self) -> None:
        """Start the reader's process."""
        command, environment = reader.command(
            self._flash, spi_socket=self.folder / "spi.sock", nvs=self._nvs, heap="1M"
        )
        self.reader = self._processes.start(
            "reader", command, environment=environment, folder=self._flash
        )

    def _settings(self, broker: RunningBroker) -> dict[str, Any]:
        return {
            "shop": demo.SHOP,
            "reader": demo.READER,
            "wifi": {"ssid": "demo"},
            "broker": {
                "host": broker.host,
                "port": broker.port,
                "plain": True,
                "password": broker.passwords[demo.READER],
            },
        }
