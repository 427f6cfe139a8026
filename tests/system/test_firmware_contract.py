"""The contract on the firmware's side, held to the messages that the host's tests read too."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv50

from besnik import contract
from besnik.run.taps import READ
from support.bridge import Station
from support.broker import RunningBroker
from support.counter import Counter
from support.customer import Customer

MESSAGES: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[1] / "contract/messages.json").read_text(encoding="utf-8")
)
READER = "besnik/v1/corner/counter-1"
RECORDED_ID = "00042-001337"
KINDS = {"tap": contract.Tap, "state": contract.State, "info": contract.Info}


def recorded(leaf: str, *, ok: bool = True) -> list[dict[str, Any]]:
    return [message for message in MESSAGES if message["leaf"] == leaf and message["ok"] == ok]


def assert_as_recorded(leaf: str, said: dict[str, Any]) -> None:
    """What the reader said is understood, with the keys and types of a recorded message."""
    contract.decode(json.dumps(said).encode(), KINDS[leaf])
    shapes = [
        {key: type(value) for key, value in json.loads(each["text"]).items()}
        for each in recorded(leaf)
    ]
    assert {key: type(value) for key, value in said.items()} in shapes


class Host(Station):
    """Stands where the bridge stands; ``verdict`` is what it says to a tap, with the tap's id."""

    verdict: str | None = None

    def _hear(self, client: Client, topic: str, payload: bytes, qos: int, extra: object) -> int:
        if self.verdict is not None:
            tap_id = json.loads(payload)["id"]
            self.say(f"{READER}/verdict", self.verdict.replace(RECORDED_ID, tap_id).encode())
        return super()._hear(client, topic, payload, qos, extra)


@pytest.fixture
async def host(broker: RunningBroker, counter: Counter) -> AsyncIterator[Host]:
    """The host of a reader that is switched on."""
    async with Host(broker, "bridge", f"{READER}/tap", MQTTv50) as station:
        counter.start_reader()
        async with Station(broker, "monitor", f"{READER}/state", MQTTv50) as watcher:
            while (state := await watcher.hear(20))["s"] != "online":
                pass
        assert_as_recorded("state", state)
        yield station


async def test_the_reader_says_taps_as_recorded(host: Host, customer: Customer) -> None:
    seen: set[str] = set()
    for card, uid in (("ana", 8), ("eleni", 14), ("dariush", 20)):
        assert await customer.taps(card, signals=2) == [READ, "stored"]

        # Nobody answers, so the taps before this one come again.
        while (tap := await host.hear())["id"] in seen:
            pass
        seen.add(tap["id"])
        assert_as_recorded("tap", tap)
        assert len(tap["d"]) == uid
        assert len(json.dumps(tap, separators=(",", ":"))) <= contract.TAP_MAX_BYTES


async def test_the_reader_tells_what_it_is_made_of(broker: RunningBroker, host: Host) -> None:
    async with Station(broker, "monitor", f"{READER}/info", MQTTv50) as watcher:
        assert_as_recorded("info", await watcher.hear())


@pytest.mark.parametrize("message", recorded("verdict"), ids=lambda message: message["what"])
async def test_the_reader_shows_a_recorded_verdict(
    message: dict[str, Any], host: Host, customer: Customer
) -> None:
    host.verdict = message["text"]
    assert await customer.taps("ana") == [READ, message["shows"]]


async def test_the_reader_ignores_what_is_no_verdict(host: Host, customer: Customer) -> None:
    wrong = [each["text"] for each in recorded("verdict", ok=False)]
    for text in (*wrong, "", "{", "[]", "null"):
        host.verdict = text
        assert await customer.taps("ana") == [READ, "stored"], text
