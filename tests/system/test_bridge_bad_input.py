"""Bad input at the bridge: counted and logged with its reason, no row, and the next tap works."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv311

from support.bridge import ANA, BLANK, BridgeRunner, ReaderStation, SiteStation
from support.broker import RunningBroker
from support.processes import Running, wait_until
from support.store import assert_ledger_adds_up, execute, refuse_taps_of, rows

GOOD = {"v": 1, "id": "00001-000001", "k": "uid", "d": ANA, "t": 1, "tq": 2, "q": 0}


async def the_next_tap_works(reader: ReaderStation, database_url: str) -> None:
    """The only row there is afterwards is that tap's; nothing was said before its verdict."""
    tap = reader.tap(ANA)
    assert await reader.hear() == {"id": tap, "r": "accepted", "why": "ok"}
    assert rows(database_url, "SELECT tap_id FROM store_tap") == [(tap,)]
    assert_ledger_adds_up(database_url)


def changed(**values: object) -> bytes:
    return json.dumps(GOOD | values).encode()


@pytest.mark.parametrize(
    ("payload", "logged"),
    [
        (b"garbage", "reason=not_json"),
        (b"", "reason=not_json"),
        (b'{"later":' + b"[" * 1000, "reason=not_json"),
        (b"\xff\xfe" + changed(), "reason=not_utf8"),
        (changed(v=2), "reason=version"),
        (changed(t="now"), "reason=fields count=1 at=$.t"),
        (changed(t=10**40), "reason=fields count=1 at=$.t"),
        (changed(d=ANA.lower()), "reason=fields count=1 at=$.d"),
        (b"[]", "reason=fields count=1 at=$"),
        (b"7" * 60_000, "reason=too_large"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value.replace(" ", "_"),
)
async def test_a_payload_that_is_no_tap(
    bridge: Running, reader: ReaderStation, database_url: str, payload: bytes, logged: str
) -> None:
    reader.say(reader.tap_topic, payload)
    await the_next_tap_works(reader, database_url)
    assert f"event=bad_input {logged}" in bridge.log


async def test_who_sends_ten_megabytes_is_hung_up_on_and_nobody_waits(
    bridge: Running, broker: RunningBroker, reader: ReaderStation, database_url: str
) -> None:
    """More than the broker takes never reaches the bridge: the broker's log says whose it was."""
    other = Client("other", clean_session=True)
    other.set_auth_credentials("counter-2", broker.passwords["counter-2"])
    other.set_config({"reconnect_retries": 0})
    await other.connect(broker.host, broker.port, version=MQTTv311)
    other.publish("besnik/v1/corner/counter-2/tap", b"7" * 10_000_000, qos=1)
    start = time.monotonic()
    await the_next_tap_works(reader, database_url)
    assert time.monotonic() - start < 0.5
    await asyncio.to_thread(
        wait_until, lambda: "other disconnected due to oversize" in broker.log, "it is hung up on"
    )
    await other.disconnect()


async def test_a_reader_nobody_knows(
    bridge: Running, broker: RunningBroker, reader: ReaderStation, database_url: str
) -> None:
    async with ReaderStation(broker, "counter-2") as stranger:
        stranger.tap(ANA)
        await the_next_tap_works(reader, database_url)
        assert stranger.heard.empty()
    assert "event=bad_input reason=unknown_reader count=1 reader=counter-2" in bridge.log


async def test_a_reader_in_the_name_of_another_shop(
    bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    reader.say("besnik/v1/elsewhere/counter-1/tap", changed())
    await the_next_tap_works(reader, database_url)
    assert "event=bad_input reason=wrong_shop count=1 reader=counter-1" in bridge.log


async def test_a_topic_that_is_no_readers(
    bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    reader.say("besnik/v1/The Corner/counter-1/tap", changed())
    await the_next_tap_works(reader, database_url)
    assert "event=bad_input reason=topic count=1" in bridge.log


async def test_a_readers_message_on_another_readers_topic(
    bridge: Running, broker: RunningBroker, reader: ReaderStation, database_url: str
) -> None:
    async with ReaderStation(broker, "counter-2") as other:
        other.say(reader.tap_topic, changed())
        await the_next_tap_works(reader, database_url)


async def test_a_flood_of_garbage_is_counted_but_does_not_fill_the_log(
    bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    for _ in range(300):
        reader.say(reader.tap_topic, b"garbage")
    await the_next_tap_works(reader, database_url)
    assert await asyncio.to_thread(bridge.stop) == 0
    assert bridge.log.count("event=bad_input") == 10
    assert "event=stopped taps=1 batches=1 bad_input_not_json=300" in bridge.log


async def test_bad_input_between_good_taps_harms_no_batch(
    bridge: Running, reader: ReaderStation, site: SiteStation, database_url: str
) -> None:
    taps = []
    for _ in range(30):
        taps.append(reader.tap(ANA))
        reader.say("besnik/v1/elsewhere/counter-1/tap", changed())
        reader.say(reader.tap_topic, b"\xff")
    assert [verdict["id"] for verdict in await reader.hear_all(30)] == taps
    await site.hear_all(30)
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(30,)]
    assert_ledger_adds_up(database_url)


async def test_a_tap_the_database_refuses_harms_no_other(
    bridge: Running, reader: ReaderStation, database_url: str
) -> None:
    """It is not answered, so the reader keeps it, and counts when the fault is mended."""
    refuse_taps_of(database_url, BLANK)
    first, refused, last = reader.tap(ANA), reader.tap(BLANK), reader.tap(ANA)
    assert {verdict["id"] for verdict in await reader.hear_all(2)} == {first, last}
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(2,)]
    assert "event=tap_failed reason=IntegrityError" in bridge.log or "=CheckViolation" in bridge.log
    assert BLANK not in bridge.log
    if database_url.startswith("sqlite"):
        execute(database_url, "DROP TRIGGER refuse")
    else:
        execute(database_url, "ALTER TABLE store_tap DROP CONSTRAINT store_tap_data_check")
    reader.tap(BLANK, id=refused)
    assert await reader.hear() == {"id": refused, "r": "rejected", "why": "unknown"}
    assert_ledger_adds_up(database_url)


async def test_a_retained_tap_is_not_taken_again_at_each_start(
    bridges: BridgeRunner, reader: ReaderStation
) -> None:
    first = bridges.start()
    reader.say(reader.tap_topic, changed(), retain=True)
    assert (await reader.hear())["r"] == "accepted"
    assert await asyncio.to_thread(first.stop) == 0
    await asyncio.to_thread(bridges.start)
    tap = reader.tap(ANA)
    assert (await reader.hear())["id"] == tap
