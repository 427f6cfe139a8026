"""Every user, every topic, both ways: nobody says or hears more than the access list grants."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.contract import BRIDGE_STATE
from support.broker import RunningBroker
from support.ear import Ear, settled
from support.processes import Processes
from support.secure_broker import SecureBroker

# Who may write and who hears each leaf of a reader's topics; "own" is that reader alone.
RIGHTS = {
    "tap": ({"own"}, {"bridge", "monitor"}),
    "state": ({"own", "bridge"}, {"bridge", "site", "monitor", "fleet"}),
    "info": ({"own"}, {"bridge", "site", "monitor", "fleet"}),
    "health": ({"own"}, {"bridge", "site", "monitor", "fleet"}),
    "log": ({"own"}, {"bridge", "monitor"}),
    "cmd/result": ({"own"}, {"own", "bridge", "monitor", "fleet"}),
    "cmd/reboot": (set(), {"own", "monitor"}),
    "cmd/doctor": ({"fleet"}, {"own", "monitor"}),
    "cmd/update": ({"fleet"}, {"own", "monitor"}),
    "update/get": ({"own"}, {"monitor", "fleet"}),
    "update/part": ({"fleet"}, {"own", "monitor"}),
    "update/state": ({"own"}, {"site", "monitor", "fleet"}),
    "verdict": ({"bridge"}, {"own", "monitor"}),
    "config": ({"bridge"}, {"own", "monitor"}),
    "apdu/cmd": ({"bridge"}, {"own", "monitor"}),
    "apdu/rsp": ({"own"}, {"bridge", "monitor"}),
    "visit": ({"bridge"}, {"bridge", "site", "monitor"}),
}
# Topics that are nobody's, at the place of a leaf.
NO_LEAVES = ("", "tap/", "tap/more", "cmd", "cmd/", "cmd/reboot/now", "apdu", "update", "other")
READERS = ("counter-1", "counter-2", "counter-10", "counter", "till")  # some begin like others
SHOPS = ("corner", "station")
ELSEWHERE = (
    "besnik/v1",
    "besnik/v1/bridge",
    "besnik/v1/corner/counter-1",
    "besnik/v1/corner/counter-1/x/tap",
    "besnik/v2/corner/counter-1/tap",
    "tap",
)


def owner_of(topic: str) -> tuple[str, str]:
    """Return reader and leaf of a topic, both empty if it is nobody's."""
    parts = topic.split("/", 4)
    return (parts[3], parts[4]) if len(parts) == 5 and parts[1] == "v1" else ("", "")


def writers(topic: str) -> set[str]:
    if topic == BRIDGE_STATE:
        return {"bridge"}
    reader, leaf = owner_of(topic)
    return {reader if name == "own" else name for name in RIGHTS.get(leaf, (set(), set()))[0]}


def hearers(topic: str) -> set[str]:
    if topic == BRIDGE_STATE:
        return {"bridge", "site", "monitor", "fleet", *READERS}
    reader, leaf = owner_of(topic)
    return {reader if name == "own" else name for name in RIGHTS.get(leaf, (set(), set()))[1]}


def topics() -> list[str]:
    leaves = itertools.product(SHOPS, READERS, [*RIGHTS, *NO_LEAVES])
    return [BRIDGE_STATE, *ELSEWHERE, *("/".join(("besnik/v1", *each)) for each in leaves)]


@pytest.fixture(params=["certificate", "password"])
async def ears(
    request: pytest.FixtureRequest,
    mosquitto: besnik_broker.Mosquitto,
    state: Path,
    processes: Processes,
) -> AsyncIterator[dict[str, Ear]]:
    """Every user, connected; the readers by certificate or, on a plain broker, by password."""
    ears: dict[str, Ear] = {}
    if request.param == "certificate":
        secure = SecureBroker(mosquitto, state, processes)
        # Each says it is the bridge, with the bridge's password: its certificate decides.
        ears |= {reader: Ear(secure, "bridge", door=secure.door(reader)) for reader in READERS}
        broker: RunningBroker = secure
    else:
        broker = RunningBroker(mosquitto, state / "broker", processes, READERS)
        ears |= {reader: Ear(broker, reader) for reader in READERS}
    ears |= {user: Ear(broker, user) for user in besnik_broker.HOST_USERS}
    broker.start()
    for ear in ears.values():
        await ear.connect()
    yield ears
    for ear in ears.values():
        await ear.close()


async def test_everyone_hears_and_says_exactly_what_the_access_list_grants(
    ears: dict[str, Ear],
) -> None:
    for ear in ears.values():
        await ear.hear("#")
    for (user, ear), topic in itertools.product(ears.items(), topics()):
        ear.say(topic, user)
    await settled(list(ears.values()))

    for user, ear in ears.items():
        expected = {
            (topic, writer)
            for topic in topics()
            for writer in writers(topic)
            if user in hearers(topic)
        }
        assert set(ear.heard) == expected, user


async def test_nobody_hears_what_the_broker_says_of_itself(ears: dict[str, Ear]) -> None:
    for ear in ears.values():
        await ear.hear("$SYS/#")
    await settled(list(ears.values()))
    assert [ear.heard for ear in ears.values()] == [[]] * len(ears)
