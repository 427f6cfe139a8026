"""The log tells an engineer what happened and names nobody, whatever happened."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

from besnik.contract import ROOT
from support.bridge import ANA, BLANK, BORIS, BridgeRunner, CardStation, ReaderStation
from support.broker import RunningBroker
from support.cards import SunCard, ev2_card, write_keys
from support.processes import Running, wait_until
from support.store import give_card, locked_taps, refuse_taps_of, rows, without_taps_table

OWN, RANDOM, POISON, NTAG = "04E1E2E3E4E5E6", "08A1B2C3", "0477777777AA80", "04DE5F1EACC040"
LINE = re.compile(
    r"time=\S+Z?(\+00:00)? level=(info|warning|error|critical) event=\w+( \w+=(\S+|\"[^\n]*\"))*\Z"
)


async def test_nobody_is_named_after_every_kind_of_tap_and_failure(
    bridges: BridgeRunner,
    broker: RunningBroker,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
    state: Path,
) -> None:
    write_keys(state)
    give_card(database_url, "ev2", OWN, "Grace Miller")
    give_card(database_url, "ntag", NTAG, "Grace Miller")
    refuse_taps_of(database_url, POISON)
    bridge = await asyncio.to_thread(bridges.start)
    sun = SunCard(NTAG)
    evidence = [sun.address(), "e=" + "0" * 32 + "&c=" + "0" * 16]
    on_reader.lay(ev2_card(OWN))
    for uid in (ANA, BORIS, BLANK, RANDOM):
        reader.tap(uid)
    for address in (*evidence, evidence[0]):
        reader.tap(address, k="sun")
    await reader.hear_all(7)
    for answer in (on_reader.answer, on_reader.gone, lambda _command: b'{"r":"' + OWN.encode()):
        on_reader.answer = answer
        reader.tap(OWN, s=0x20)
        await reader.hear()
    await _say_what_is_wrong(broker, reader)
    reader.tap(POISON)
    with without_taps_table(database_url):
        reader.tap(ANA)
        await asyncio.to_thread(bridge.wait_for, "event=store_away")
    await reader.hear()
    with locked_taps(database_url):
        reader.tap(ANA)
        await asyncio.sleep(0.3)
        broker.restart()
    await asyncio.to_thread(
        wait_until, lambda: bridge.log.count("event=broker_connected") == 2, "it is back"
    )
    assert await asyncio.to_thread(bridge.stop, 3) == 0
    _look_through(bridge, [ANA, BORIS, BLANK, OWN, RANDOM, POISON, NTAG, *evidence], database_url)


async def _say_what_is_wrong(broker: RunningBroker, reader: ReaderStation) -> None:
    good = {"v": 1, "id": "00001-000001", "k": "uid", "d": ANA, "t": 1, "tq": 2, "q": 0}
    for changes in ({"v": 2}, {"t": ANA}, {"d": ANA.lower()}, {"k": ANA}, {"id": ANA}, {"q": 7}):
        reader.say(reader.tap_topic, json.dumps(good | changes).encode())
    for payload in (ANA.encode(), b"\xff" + ANA.encode(), ANA.encode() * 200, b'{"d":"' + b"["):
        reader.say(reader.tap_topic, payload)
    reader.say(f"{ROOT}/elsewhere/counter-1/tap", json.dumps(good).encode())
    for leaf in ("state", "info", "health"):
        reader.say(f"{ROOT}/corner/counter-1/{leaf}", ANA.encode())
    async with ReaderStation(broker, "counter-2") as stranger:
        stranger.tap(ANA)
        await asyncio.sleep(0.2)


def _look_through(bridge: Running, secrets: list[str], database_url: str) -> None:
    log = bridge.log
    people = rows(database_url, "SELECT name, ref FROM store_member")
    named = [part for name, ref in people for part in (*name.split(), ref)]
    for secret in (*secrets, *named, "00042-", "00001-"):
        assert secret.lower() not in log.lower(), secret
    events = set(re.findall(r"event=(\w+)", log))
    assert {
        "bad_input", "tap_failed", "store_away", "store_back", "relay_failed", "sun_failed",
        "broker_lost", "broker_connected", "stopped",
    } <= events  # fmt: skip
    for line in log.splitlines():
        assert line == "bridge: ready" or LINE.match(line), line
    assert "Traceback" not in log
