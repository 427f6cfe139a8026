"""The broker as it ships: who may say and hear what, and what a restart keeps."""

from __future__ import annotations

import asyncio
import stat
import time
from collections import defaultdict
from pathlib import Path

import pytest
from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv50

from besnik import broker as besnik_broker
from besnik.contract import BRIDGE_STATE
from support.broker import READERS, RunningBroker

QUIET_S = 0.3

# Who may write and who hears each leaf of a reader's topics; "own" is that reader alone.
RIGHTS = {
    "tap": ({"own"}, {"bridge", "monitor"}),
    "state": ({"own", "bridge"}, {"bridge", "site", "monitor"}),
    "info": ({"own"}, {"bridge", "site", "monitor"}),
    "health": ({"own"}, {"bridge", "site", "monitor"}),
    "log": ({"own"}, {"bridge", "monitor"}),
    "cmd/result": ({"own"}, {"own", "bridge", "monitor"}),
    "cmd/reboot": (set(), {"own", "monitor"}),
    "verdict": ({"bridge"}, {"own", "monitor"}),
    "config": ({"bridge"}, {"own", "monitor"}),
    "apdu/cmd": ({"bridge"}, {"own", "monitor"}),
    "apdu/rsp": ({"own"}, {"bridge", "monitor"}),
    "visit": ({"bridge"}, {"site", "monitor"}),
}


class Ear:
    """A client that says things and keeps everything it hears as (topic, text)."""

    def __init__(self, broker: RunningBroker, user: str, client_id: str = "") -> None:
        self.heard: list[tuple[str, str]] = []
        self.answers_taps = False
        self._broker = broker
        self._client = Client(
            client_id or f"test-{user}",
            clean_session=not client_id,
            session_expiry_interval=3600 if client_id else 0,
        )
        self._client.set_auth_credentials(user, broker.passwords.get(user, "wrong"))
        self._client.on_message = self._hear
        self._client.set_config({"reconnect_retries": 0})

    def _hear(self, _client: Client, topic: str, payload: bytes, _qos: int, _extra: object) -> int:
        self.heard.append((topic, payload.decode()))
        if self.answers_taps:
            self.say(topic.replace("/tap", "/verdict"), "y")
        return 0

    async def connect(self) -> None:
        await self._client.connect(self._broker.host, self._broker.port, version=MQTTv50)

    async def hear(self, topic: str) -> None:
        subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.subscribe(topic, qos=1)
        await asyncio.wait_for(subscribed.wait(), 5)

    def say(self, topic: str, text: str, *, retain: bool = False) -> None:
        self._client.publish(topic, text, qos=1, retain=retain)

    async def close(self) -> None:
        await self._client.disconnect()


async def settled(ears: list[Ear]) -> None:
    """Return when nobody has heard anything new for a while."""
    for _ in range(50):
        before = [len(ear.heard) for ear in ears]
        await asyncio.sleep(QUIET_S)
        if before == [len(ear.heard) for ear in ears]:
            return
    raise AssertionError("the clients still hear new messages")


def named(names: set[str], reader: str) -> set[str]:
    return {reader if name == "own" else name for name in names}


async def test_everyone_hears_and_says_exactly_what_the_access_list_grants(
    broker: RunningBroker,
) -> None:
    ears = {user: Ear(broker, user) for user in broker.passwords}
    for ear in ears.values():
        await ear.connect()
        await ear.hear("#")
    for reader in READERS:
        for leaf in RIGHTS:
            for user, ear in ears.items():
                ear.say(f"besnik/v1/corner/{reader}/{leaf}", user)
    await settled(list(ears.values()))

    expected = defaultdict(set)
    for reader in READERS:
        for leaf, (writers, hearers) in RIGHTS.items():
            for hearer in named(hearers, reader):
                expected[hearer] |= {
                    (f"besnik/v1/corner/{reader}/{leaf}", writer)
                    for writer in named(writers, reader)
                }
    for user, ear in ears.items():
        assert set(ear.heard) == expected[user], user
        await ear.close()


async def test_everyone_hears_whether_a_bridge_is_there_and_only_the_bridge_says_so(
    broker: RunningBroker,
) -> None:
    ears = {user: Ear(broker, user) for user in broker.passwords}
    for ear in ears.values():
        await ear.connect()
        await ear.hear(BRIDGE_STATE)
    for user, ear in ears.items():
        ear.say(BRIDGE_STATE, user)
    await settled(list(ears.values()))
    for user, ear in ears.items():
        assert ear.heard == [(BRIDGE_STATE, "bridge")], user
        await ear.close()


@pytest.mark.parametrize("user", ["", "stranger", "bridge"])
async def test_nobody_enters_without_the_right_password(broker: RunningBroker, user: str) -> None:
    broker.passwords["bridge"] = "not the password"
    refused = Ear(broker, user)
    with pytest.raises(Exception, match="135"):  # MQTT 5: not authorised
        await refused.connect()


async def test_a_restart_keeps_retained_messages_and_queued_taps(broker: RunningBroker) -> None:
    bridge = Ear(broker, "bridge", client_id="bridge-1")
    await bridge.connect()
    await bridge.hear("besnik/v1/+/+/tap")
    await bridge.close()
    monitor, reader = Ear(broker, "monitor"), Ear(broker, "counter-1")
    await monitor.connect()
    await monitor.hear("#")
    await reader.connect()
    reader.say("besnik/v1/corner/counter-1/state", "online", retain=True)
    for number in range(2000):
        reader.say("besnik/v1/corner/counter-1/tap", str(number))
    await settled([monitor])
    await monitor.close()
    await reader.close()

    broker.restart()

    bridge = Ear(broker, "bridge", client_id="bridge-1")
    await bridge.connect()
    await bridge.hear("besnik/v1/+/+/state")
    await settled([bridge])
    await bridge.close()
    taps = [text for topic, text in bridge.heard if topic.endswith("/tap")]
    assert taps == [str(number) for number in range(2000)]
    assert ("besnik/v1/corner/counter-1/state", "online") in bridge.heard


async def test_small_messages_do_not_wait_for_delayed_acknowledgements(
    broker: RunningBroker,
) -> None:
    reader, bridge = Ear(broker, "counter-1"), Ear(broker, "bridge")
    await reader.connect()
    await bridge.connect()
    await reader.hear("besnik/v1/corner/counter-1/verdict")
    await bridge.hear("besnik/v1/+/+/tap")
    bridge.answers_taps = True

    fastest_s = min([await round_trip_s(reader) for _ in range(20)])

    # Without TCP_NODELAY at the broker every single one takes 40 ms and more.
    assert fastest_s < 0.02
    await reader.close()
    await bridge.close()


async def round_trip_s(reader: Ear) -> float:
    """Say a tap, return how long it took to hear the verdict."""
    count = len(reader.heard)
    began_s = time.perf_counter()
    reader.say("besnik/v1/corner/counter-1/tap", "x")
    while len(reader.heard) == count:
        await asyncio.sleep(0.0005)
        assert time.perf_counter() - began_s < 5
    return time.perf_counter() - began_s


def test_secrets_are_for_their_owner_alone_and_survive(tmp_path: Path) -> None:
    first = besnik_broker.passwords(tmp_path, ["bridge", "counter-1"])
    again = besnik_broker.passwords(tmp_path, ["bridge", "counter-1", "counter-2"])
    assert again.items() > first.items()
    assert len(set(again.values())) == 3
    besnik_broker.configure(tmp_path, port=1883, accounts=again)
    for name in ("passwords", "passwords.json", "access"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert not any(secret in (tmp_path / "passwords").read_text() for secret in again.values())


def test_a_user_that_is_no_topic_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(besnik_broker.BrokerError, match=r"'\+' must match"):
        besnik_broker.configure(tmp_path, port=1883, accounts={"+": "x"})
