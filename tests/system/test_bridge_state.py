"""What readers hear of the bridge: whether taps are answered now, whatever died."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from gmqtt.mqtt.constants import MQTTv311

from besnik.contract import BRIDGE_STATE
from support.bridge import ANA, BridgeRunner, ReaderStation, StateStation, Station
from support.broker import RunningBroker
from support.processes import Running
from support.store import locked_taps, rows, without_table


@pytest.fixture
async def state_of(broker: RunningBroker) -> AsyncIterator[StateStation]:
    """Hears what is said of the bridge, from before any bridge was there."""
    async with StateStation(broker) as station:
        yield station


async def test_birth_goodbye_and_will_are_retained(
    bridges: BridgeRunner, broker: RunningBroker, state_of: StateStation
) -> None:
    before = int(time.time())
    bridge = bridges.start()
    birth = await state_of.hear()
    assert birth["s"] == "online"
    assert before <= birth["bd"] <= time.time()
    assert await asyncio.to_thread(bridge.stop, 3) == 0
    assert await state_of.until("offline") == {"s": "offline", "bd": birth["bd"]}
    bridge = await asyncio.to_thread(bridges.start)
    second = await state_of.hear()
    assert second["s"] == "online"
    bridge.kill()
    assert await state_of.until("lost") == {"s": "lost", "bd": second["bd"]}
    assert state_of.heard.empty()
    async with Station(broker, "counter-2", BRIDGE_STATE, MQTTv311) as late:
        assert await late.hear() == {"s": "lost", "bd": second["bd"]}


@pytest.mark.parametrize(
    "wrong", [b'{"s":"lost","bd":1}', b'{"s":"offline","bd":99999999999}', b"", b"{"]
)
async def test_whatever_else_is_said_a_bridge_that_answers_corrects(
    bridge: Running, broker: RunningBroker, wrong: bytes
) -> None:
    """A late will is one such; it cannot be told from these."""
    async with Station(broker, "bridge", "besnik/v1/+/+/nothing", MQTTv311) as other:
        other.say(BRIDGE_STATE, wrong, retain=True)
        await asyncio.sleep(0.3)
    async with StateStation(broker) as reader:
        assert (await reader.hear())["s"] == "online"


async def test_while_the_database_is_locked_readers_are_told_and_the_bridge_stays(
    bridge: Running, broker: RunningBroker, reader: ReaderStation, database_url: str
) -> None:
    async with StateStation(broker) as state_of:
        assert (await state_of.hear())["s"] == "online"
        with locked_taps(database_url):
            start = time.monotonic()
            taps = [reader.tap(ANA) for _ in range(5)]
            assert (await state_of.hear())["s"] == "offline"
            assert 1.5 < time.monotonic() - start < 3.5
            assert reader.heard.empty()
        assert (await state_of.hear(10))["s"] == "online"
    assert [verdict["id"] for verdict in await reader.hear_all(5)] == taps
    assert bridge.log.count("event=broker_connected") == 1
    assert "event=broker_lost" not in bridge.log
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(5,)]


async def test_a_lock_while_nobody_taps_is_noticed(
    bridge: Running, state_of: StateStation, database_url: str
) -> None:
    assert (await state_of.hear())["s"] == "online"
    with locked_taps(database_url):
        assert (await state_of.hear(8))["s"] == "offline"
    assert (await state_of.hear())["s"] == "online"


async def test_a_database_that_goes_while_nobody_taps_is_noticed(
    bridge: Running, state_of: StateStation, database_url: str
) -> None:
    assert (await state_of.hear())["s"] == "online"
    with without_table(database_url, "store_reader"):
        assert (await state_of.hear())["s"] == "offline"
    assert (await state_of.hear())["s"] == "online"


async def test_a_bridge_without_its_database_is_born_offline(
    bridges: BridgeRunner, state_of: StateStation, database_url: str
) -> None:
    with without_table(database_url, "store_reader"):
        bridge = await asyncio.to_thread(bridges.start)
        assert (await state_of.hear())["s"] == "offline"
        assert await asyncio.to_thread(bridge.stop, 3) == 0
        assert (await state_of.hear())["s"] == "offline"
