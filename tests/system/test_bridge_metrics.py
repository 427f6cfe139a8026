"""What Prometheus reads of a bridge is what happened, under the names that are documented."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.bridge import ANA, BLANK, BORIS, BridgeRunner, CardStation, ReaderStation
from support.broker import RunningBroker, free_port
from support.cards import ev2_card, write_keys
from support.processes import Processes
from support.store import give_card, locked_taps

OWN = "04E1E2E3E4E5E6"
Samples = dict[tuple[str | None, ...], float]


def read(port: int) -> tuple[str, Samples]:
    """Return the page, and each sample by its name and the values of its labels, sorted by key."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        page = answer.read().decode()
    return page, {
        (sample.name, *map(sample.labels.get, sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def bridges(
    processes: Processes, broker: RunningBroker, database_url: str, state: Path, port: int
) -> BridgeRunner:
    extra = f"[bridge]\nmetrics_port = {port}\n"
    return BridgeRunner(processes, broker, database_url, state, extra)


async def test_everything_that_happens_is_counted(
    bridges: BridgeRunner,
    broker: RunningBroker,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
    state: Path,
    port: int,
    root: Path,
) -> None:
    write_keys(state)
    give_card(database_url, "ev2", OWN, "Grace Miller")
    bridge = await asyncio.to_thread(bridges.start)
    tap = reader.tap(ANA)
    reader.tap(ANA, id=tap)
    reader.tap(BORIS)
    reader.tap(BLANK)
    await reader.hear_all(4)
    for card in (ev2_card(OWN), None):
        on_reader.answer = on_reader.gone
        if card:
            on_reader.lay(card)
        reader.tap(OWN, s=0x20)
        await reader.hear()
    reader.say(reader.tap_topic, b"garbage")
    reader.say("besnik/v1/elsewhere/counter-1/tap", b"x" * 2000)
    with locked_taps(database_url):
        waiting = [reader.tap(ANA) for _ in range(3)]
        await asyncio.sleep(2.8)
        _, now = await asyncio.to_thread(read, port)
        assert now["besnik_store_away",] == now["besnik_broker_connected",] == 1
        assert now["besnik_taps_waiting",] == len(waiting)
    await reader.hear_all(3)
    page, seen = await asyncio.to_thread(read, port)
    assert {key[1:]: value for key, value in seen.items() if key[0] == "besnik_taps_total"} == {
        ("ok", "accepted"): 6,
        ("blocked", "rejected"): 1,
        ("unknown", "rejected"): 1,
        ("error", "rejected"): 1,
    }
    assert seen["besnik_taps_repeated_total",] == 1
    assert seen["besnik_tap_seconds_count",] == 9
    assert seen["besnik_tap_seconds_sum",] > 2.8
    assert seen["besnik_batch_taps_count",] == seen["besnik_commit_seconds_count",] >= 4
    assert seen["besnik_bad_input_total", "not_json"] == 1
    assert seen["besnik_bad_input_total", "too_large"] == 1
    assert seen["besnik_bad_input_total", "unknown_reader"] == 0
    assert seen["besnik_relay_talks_total", "proved"] == 1
    assert seen["besnik_relay_talks_total", "unanswered"] == 1
    assert seen["besnik_taps_waiting",] == 0
    assert seen["process_resident_memory_bytes",] > 1e6
    for secret in (ANA, BORIS, BLANK, OWN, "Grace", "00042-", "counter-1"):
        assert secret not in page
    documented = set(re.findall(r"^\| `(besnik_\w+)", (root / "docs/bridge.md").read_text(), re.M))
    assert {re.sub(r"_(bucket|sum|count)$", "", key[0]) for key in seen} - documented == {
        name for (name, *_) in seen if name.startswith("process_")
    }
    assert await asyncio.to_thread(bridge.stop, 3) == 0


def test_a_port_that_is_taken_is_named(bridges: BridgeRunner, broker: RunningBroker) -> None:
    file = bridges.settings_file
    lines = file.read_text().split("\n")
    file.write_text(
        "\n".join(
            f"metrics_port = {broker.port}" if "metrics_port" in line else line for line in lines
        )
    )
    bridge = bridges.start(ready=False)
    assert bridge.wait() == 2
    assert f"bridge.metrics_port: 127.0.0.1:{broker.port} cannot be served" in bridge.log
    assert "Traceback" not in bridge.log
