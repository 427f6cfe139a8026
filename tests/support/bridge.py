"""The real bridge process, and clients that stand where readers and the site stand."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv50, MQTTv311

from besnik.contract import BRIDGE_STATE, ROOT
from besnik.sim.model.isodep_picc import Application
from support.broker import RunningBroker
from support.processes import Processes, Running

ANA, ELENI, BORIS, BLANK = "5B3C2A19", "04A1B2C3D4E580", "0487654321AB80", "04DEADBEEF1280"


class BridgeRunner:
    """Starts the bridge against a broker and a database, as often as a test likes."""

    def __init__(
        self,
        processes: Processes,
        broker: RunningBroker,
        database_url: str,
        state: Path,
        extra: str = "",
    ) -> None:
        self._processes = processes
        self.settings_file = file = state / "besnik.toml"
        file.write_text(
            f'state = "{state}"\n[broker]\nhost = "{broker.host}"\nport = {broker.port}\n'
            f'bridge_password = "{broker.passwords["bridge"]}"\n[database]\n'
            f'url = "{database_url}"\n{extra}',
            encoding="utf-8",
        )
        self._environment = {"BESNIK_CONFIG": str(file)}

    def start(
        self, *, instance: int | None = None, ready: bool = True, under: Sequence[str] = ()
    ) -> Running:
        """Start a bridge, the only one or one of several; return when it is ready, or at once.

        ``under``: a command that runs the bridge.
        """
        command = [sys.executable, "-m", "besnik.cli", "bridge"]
        if instance is not None:
            command += ["--instance", str(instance)]
        return self._processes.start(
            "bridge",
            [*under, *command],
            environment=self._environment,
            ready="bridge: ready" if ready else None,
        )


class Station:
    """An MQTT client that says what it is told and keeps what it hears, decoded."""

    def __init__(self, broker: RunningBroker, user: str, topic: str, version: int) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._broker = broker
        self._topic = topic
        self._version = version
        self._client = Client(f"test-{user}-{topic.rpartition('/')[2]}")
        self._client.set_auth_credentials(user, broker.passwords[user])
        self._client.on_message = self._hear

    async def __aenter__(self) -> Self:
        subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        await self._client.connect(self._broker.host, self._broker.port, version=self._version)
        self._client.subscribe(self._topic, qos=1)
        await asyncio.wait_for(subscribed.wait(), 5)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._client.disconnect()

    def say(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        """Publish."""
        self._client.publish(topic, payload, qos=qos, retain=retain)

    async def hear(self, timeout_s: float = 5) -> dict[str, Any]:
        """Return the next message."""
        async with asyncio.timeout(timeout_s):
            return await self.heard.get()

    async def hear_all(self, count: int, timeout_s: float = 15) -> list[dict[str, Any]]:
        """Return the next ``count`` messages."""
        async with asyncio.timeout(timeout_s):
            return [await self.heard.get() for _ in range(count)]

    def _hear(self, _client: Client, _topic: str, payload: bytes, _qos: int, _extra: object) -> int:
        self.heard.put_nowait(json.loads(payload))
        return 0


class ReaderStation(Station):
    """Stands where a reader stands: MQTT 3.1.1, taps out, verdicts in."""

    def __init__(
        self, broker: RunningBroker, slug: str = "counter-1", shop: str = "corner"
    ) -> None:
        super().__init__(broker, slug, f"{ROOT}/{shop}/{slug}/verdict", MQTTv311)
        self.tap_topic = f"{ROOT}/{shop}/{slug}/tap"
        self._numbers = itertools.count(1)

    def tap(self, uid: str, **changes: Any) -> str:
        """Send a tap of a card and return its id."""
        tap_id = f"00042-{next(self._numbers):06d}"
        tap = {"v": 1, "id": tap_id, "k": "uid", "d": uid, "t": 1_795_300_000, "tq": 2, "q": 0}
        self.say(self.tap_topic, json.dumps(tap | changes).encode())
        return str(changes.get("id", tap_id))


class StateStation(Station):
    """Stands where anybody stands who wants to know whether a bridge answers."""

    def __init__(self, broker: RunningBroker, user: str = "counter-1") -> None:
        super().__init__(broker, user, BRIDGE_STATE, MQTTv311)

    async def until(self, said: str, timeout_s: float = 5) -> dict[str, Any]:
        """Return the next message that says so; what comes before it is passed over."""
        async with asyncio.timeout(timeout_s):
            while (state := await self.heard.get())["s"] != said:
                pass
        return state


class SiteStation(Station):
    """Stands where the site stands: hears visits."""

    def __init__(self, broker: RunningBroker) -> None:
        super().__init__(broker, "site", f"{ROOT}/+/+/visit", MQTTv50)


class CardStation(Station):
    """Stands where a reader with a card on it stands when the host asks that card.

    ``answer`` makes the reader's message of a command; what it returns is sent as it is, None
    is silence. ``commands`` keeps everything the host said.
    """

    def __init__(
        self, broker: RunningBroker, slug: str = "counter-1", shop: str = "corner"
    ) -> None:
        super().__init__(broker, slug, f"{ROOT}/{shop}/{slug}/apdu/cmd", MQTTv311)
        self.rsp_topic = f"{ROOT}/{shop}/{slug}/apdu/rsp"
        self.commands: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], dict[str, Any] | bytes | None] = self.gone

    def lay(self, card: Application) -> None:
        """Put a card on the reader."""

        def answer(command: dict[str, Any]) -> dict[str, Any]:
            said = card.apdu(bytes.fromhex(command["c"]))
            return {"e": "timeout"} if said is None else {"r": said.hex().upper()}

        self.answer = answer

    @staticmethod
    def gone(_command: dict[str, Any]) -> dict[str, Any]:
        """Answer as a reader without a card does."""
        return {"e": "gone"}

    def reply(self, command: dict[str, Any], answer: dict[str, Any] | bytes) -> None:
        """Send an answer to a command."""
        if isinstance(answer, dict):
            answer = json.dumps({"tx": command["tx"], "n": command["n"], **answer}).encode()
        self.say(self.rsp_topic, answer)

    def sent(self, tap: str) -> list[str]:
        """Return the commands that were sent for a tap, ``end`` for its end."""
        return [each.get("c", "end") for each in self.commands if each["tx"] == tap]

    def _hear(self, _client: Client, _topic: str, payload: bytes, _qos: int, _extra: object) -> int:
        command = json.loads(payload)
        self.commands.append(command)
        answer = None if "end" in command else self.answer(command)
        if answer is not None:
            self.reply(command, answer)
        return 0
