"""Whatever dies, each tap counts once: bridge, broker, database, in any order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.bridge import ANA, ELENI, BridgeRunner, ReaderStation, SiteStation
from support.broker import RunningBroker
from support.processes import Running, wait_until
from support.store import (
    assert_ledger_adds_up,
    execute,
    locked_taps,
    rows,
    without_taps_table,
)

COUNT = "SELECT count(*) FROM store_tap"
ENTRIES = "SELECT count(*) FROM store_entry"


async def printed(bridge: Running, text: str) -> None:
    await asyncio.to_thread(bridge.wait_for, text)


async def test_a_killed_bridge_loses_no_tap_it_had_not_acknowledged(
    bridges: BridgeRunner, reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    first = bridges.start()
    with locked_taps(database_url):
        taps = [reader.tap(ANA if number % 2 else ELENI) for number in range(40)]
        await asyncio.sleep(0.3)
        first.kill()
    assert rows(database_url, COUNT) == [(0,)]
    await asyncio.to_thread(bridges.start)
    assert [verdict["id"] for verdict in await reader.hear_all(40)] == taps
    assert {visit["tap"] for visit in await site.hear_all(40)} == set(taps)
    assert rows(database_url, ENTRIES) == [(40,)]
    assert_ledger_adds_up(database_url)


async def test_taps_that_came_while_no_bridge_ran_are_kept(
    bridges: BridgeRunner, reader: ReaderStation, database_url: str
) -> None:
    assert await asyncio.to_thread(bridges.start().stop) == 0
    taps = [reader.tap(ANA) for _ in range(5)]
    await asyncio.sleep(0.2)
    await asyncio.to_thread(bridges.start)
    assert [verdict["id"] for verdict in await reader.hear_all(5)] == taps


async def test_a_visit_that_was_written_but_never_shown_is_shown_after_a_restart(
    bridges: BridgeRunner, reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    """Killed between the commit and the answer: the broker sends the tap again, marked so."""
    first = bridges.start()
    with locked_taps(database_url):
        tap = reader.tap(ANA)
        await asyncio.sleep(0.3)
        first.kill()
    reader_row = "(SELECT id FROM store_reader WHERE slug = 'counter-1')"
    execute(
        database_url,
        "INSERT INTO store_tap (reader_id, tap_id, kind, data, tier, outcome, reason, read_at,"
        f" clock_quality, queued, received_at) VALUES ({reader_row}, '{tap}', 'uid', '{ANA}', 'D',"
        " 'rejected', 'blocked', 0, 0, FALSE, '2026-11-21 10:00:00')",
    )
    await asyncio.to_thread(bridges.start)
    assert await reader.hear() == {"id": tap, "r": "rejected", "why": "blocked"}
    assert (await site.hear())["tap"] == tap
    assert rows(database_url, ENTRIES) == [(0,)]


async def test_kills_at_any_moment_lose_and_double_nothing(
    bridges: BridgeRunner, reader: ReaderStation, database_url: str
) -> None:
    """The reader sends each tap until it has a verdict, as its outbox does."""
    seed = int(os.environ.get("BESNIK_TEST_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_TEST_SEED={seed}")
    chance = random.Random(seed)
    bridge = bridges.start()
    unanswered: dict[str, float] = {}
    answered: set[str] = set()

    async def listen() -> None:
        while True:
            tap = (await reader.hear(60))["id"]
            answered.add(tap)
            unanswered.pop(tap, None)

    listener = asyncio.create_task(listen())
    loop = asyncio.get_running_loop()
    sent = 0
    for _ in range(5):
        until = loop.time() + chance.uniform(0.05, 0.4)
        while loop.time() < until:
            unanswered[reader.tap(ANA)] = loop.time()
            sent += 1
            await asyncio.sleep(chance.uniform(0, 0.004))
        bridge.kill()
        bridge = await asyncio.to_thread(bridges.start)
    async with asyncio.timeout(30):
        while unanswered:
            for tap, at in list(unanswered.items()):
                if loop.time() - at > 0.5:
                    unanswered[tap] = loop.time()
                    reader.tap(ANA, id=tap, q=1)
            await asyncio.sleep(0.05)
    listener.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listener
    assert len(answered) == sent
    assert rows(database_url, COUNT) == rows(database_url, ENTRIES) == [(sent,)]
    assert (sent,) in rows(database_url, "SELECT balance FROM store_account")
    assert_ledger_adds_up(database_url)


async def test_a_broker_that_is_not_there_yet_is_waited_for_and_said_once(
    bridges: BridgeRunner, broker: RunningBroker, database_url: str
) -> None:
    broker.stop()
    bridge = bridges.start(ready=False)
    await printed(bridge, "event=broker_away")
    await asyncio.sleep(1.5)
    assert bridge.alive
    assert bridge.log.count("event=broker_away") == 1
    assert "bridge: ready" not in bridge.log
    broker.start()
    await printed(bridge, "bridge: ready")
    async with ReaderStation(broker) as reader:
        reader.tap(ANA)
        assert (await reader.hear())["r"] == "accepted"


@pytest.mark.parametrize("end", [RunningBroker.stop, RunningBroker.kill])
async def test_a_broker_that_comes_back_finds_the_bridge_again(
    bridge: Running, broker: RunningBroker, database_url: str, end: Callable[[RunningBroker], None]
) -> None:
    end(broker)
    await printed(bridge, "event=broker_lost")
    broker.start()
    await asyncio.to_thread(
        wait_until, lambda: bridge.log.count("event=broker_connected") == 2, "the bridge is back"
    )
    async with ReaderStation(broker) as reader:
        reader.tap(ANA)
        assert (await reader.hear())["r"] == "accepted"
    assert bridge.log.count("bridge: ready") == 1
    assert rows(database_url, ENTRIES) == [(1,)]


async def test_a_broker_that_takes_few_messages_at_once_gets_them_in_turn(
    bridges: BridgeRunner, broker: RunningBroker, state: Path, database_url: str
) -> None:
    """MQTT 5 lets a broker limit what is under way (Receive Maximum); mosquitto's default is 20."""
    configuration = state / "broker/mosquitto.conf"
    text = configuration.read_text()
    assert "max_inflight_messages 0" in text
    configuration.write_text(text.replace("max_inflight_messages 0", "max_inflight_messages 3"))
    broker.restart()
    await asyncio.to_thread(bridges.start)
    async with ReaderStation(broker) as reader, SiteStation(broker) as site:
        with locked_taps(database_url):
            taps = [reader.tap(ANA) for _ in range(60)]
            await asyncio.sleep(0.3)
        assert {verdict["id"] for verdict in await reader.hear_all(60)} == set(taps)
        assert {visit["tap"] for visit in await site.hear_all(60)} == set(taps)


async def test_a_refused_password_is_said(bridges: BridgeRunner, broker: RunningBroker) -> None:
    file = bridges.settings_file
    file.write_text(file.read_text().replace("bridge_password = ", 'bridge_password = "no" # '))
    bridge = bridges.start(ready=False)
    await printed(bridge, "event=broker_away")
    assert "ot authorized" in bridge.log or "ot authorised" in bridge.log
    assert bridge.alive


async def test_an_outage_of_the_database_loses_nothing_and_is_said_once(
    bridge: Running, reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    with without_taps_table(database_url):
        taps = [reader.tap(ANA) for _ in range(20)]
        await printed(bridge, "event=store_away")
        await asyncio.sleep(1)
        assert reader.heard.empty()
    assert {verdict["id"] for verdict in await reader.hear_all(20)} == set(taps)
    assert [visit["tap"] for visit in await site.hear_all(20)] == taps
    assert bridge.log.count("event=store_away") == bridge.log.count("event=store_back") == 1
    assert rows(database_url, ENTRIES) == [(20,)]
    assert_ledger_adds_up(database_url)


async def test_a_verdict_comes_within_five_seconds_or_never(
    bridge: Running, reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    with without_taps_table(database_url):
        late = reader.tap(ANA)
        await asyncio.sleep(5.1)
    assert (await site.hear(10))["tap"] == late
    assert rows(database_url, ENTRIES) == [(1,)]
    assert reader.heard.empty()
    reader.tap(ANA, id=late, q=1)
    assert await reader.hear() == {"id": late, "r": "accepted", "why": "ok"}
    assert rows(database_url, ENTRIES) == [(1,)]


async def test_a_bridge_told_to_leave_in_an_outage_leaves_and_the_tap_counts_later(
    bridges: BridgeRunner, bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    with without_taps_table(database_url):
        tap = reader.tap(ANA)
        await printed(bridge, "event=store_away")
        assert await asyncio.to_thread(bridge.stop, 3) == 0
    await asyncio.to_thread(bridges.start)
    assert (await reader.hear())["id"] == tap
    assert rows(database_url, ENTRIES) == [(1,)]


async def test_a_bridge_told_to_leave_while_the_database_hangs_leaves(
    bridges: BridgeRunner, bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    with locked_taps(database_url):
        tap = reader.tap(ANA)
        await asyncio.sleep(0.3)
        assert await asyncio.to_thread(bridge.stop, 3) == 0
    await asyncio.to_thread(bridges.start)
    assert (await reader.hear())["id"] == tap
    assert rows(database_url, ENTRIES) == [(1,)]


async def test_a_database_without_tables_at_the_start_is_said_and_waited_for(
    bridges: BridgeRunner, broker: RunningBroker, database_url: str
) -> None:
    execute(database_url, "ALTER TABLE store_reader RENAME TO hidden_reader")
    bridge = bridges.start()
    assert "event=store_away" in bridge.log
    execute(database_url, "ALTER TABLE hidden_reader RENAME TO store_reader")
    async with ReaderStation(broker) as reader:
        reader.tap(ANA)
        assert (await reader.hear())["r"] == "accepted"


async def test_a_setting_that_cannot_be_used_is_named(bridges: BridgeRunner) -> None:
    file = bridges.settings_file
    for wrong, named in (("port = 0", "broker.port"), ('url = "mysql://x"', "database.url")):
        key = wrong.split(maxsplit=1)[0]
        good = file.read_text()
        file.write_text(
            "\n".join(wrong if line.startswith(key) else line for line in good.split("\n"))
        )
        bridge = bridges.start(ready=False)
        assert await asyncio.to_thread(bridge.wait) == 2
        assert named in bridge.log
        assert "Traceback" not in bridge.log
        file.write_text(good)
