"""The live hub: who is woken by what, and what is dropped."""

from __future__ import annotations

import logging

import pytest

from besnik import contract
from besnik.site.hub import Hub

VISIT = contract.encode(
    contract.Visit(1, "00001-000001", "corner", "counter-1", None, "rejected", "unknown")
)


def state(word: str, boot: int) -> bytes:
    return contract.encode(contract.State(word, boot))  # type: ignore[arg-type]  # any word


async def test_a_visit_wakes_the_pages_of_its_reader_only() -> None:
    hub = Hub()
    with hub.watch(frozenset({"counter-1"})) as one, hub.watch(frozenset({"counter-2"})) as two:
        hub.heard("besnik/v1/corner/counter-1/visit", VISIT)
        assert await one.news(0.05)
        assert not await one.news(0.01)
        assert not await two.news(0.01)


async def test_many_visits_wake_a_slow_page_once() -> None:
    hub = Hub()
    with hub.watch(frozenset({"counter-1"})) as page:
        for _ in range(10_000):
            hub.heard("besnik/v1/corner/counter-1/visit", VISIT)
        assert await page.news(0.05)
        assert not await page.news(0.01)


async def test_a_page_that_left_is_forgotten() -> None:
    hub = Hub()
    with hub.watch(frozenset({"counter-1"})) as page:
        pass
    hub.poke("counter-1")
    assert not await page.news(0.01)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("besnik/v1/corner/counter-1/visit", b"\xff\xfe"),
        ("besnik/v1/corner/counter-1/visit", b'{"v":2}'),
        ("besnik/v1/corner/counter-1/visit", b"[" * 100_000),
        ("besnik/v1/corner/counter-1/state", b'{"s":"dancing","bd":1}'),
        ("besnik/v1/Corner/counter-1/visit", VISIT),
        ("other/topic", VISIT),
    ],
)
async def test_what_breaks_the_contract_is_logged_and_wakes_nobody(
    topic: str, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Hub()
    caplog.set_level(logging.WARNING, "besnik.site.hub")
    with hub.watch(frozenset({"counter-1"})) as page:
        hub.heard(topic, payload)
        assert not await page.news(0.01)
    assert "dropped a message" in caplog.text


def test_a_reader_is_on_line_by_its_last_word() -> None:
    hub = Hub()
    topic = "besnik/v1/corner/counter-1/state"
    assert not hub.reader_online("counter-1")
    hub.heard(topic, state("online", 7))
    assert hub.reader_online("counter-1")
    hub.heard(topic, state("lost", 7))
    assert not hub.reader_online("counter-1")


def test_the_late_will_of_an_earlier_boot_does_not_bury_the_new_one() -> None:
    hub = Hub()
    topic = "besnik/v1/corner/counter-1/state"
    hub.heard(topic, state("online", 8))
    hub.heard(topic, state("lost", 7))
    assert hub.reader_online("counter-1")
    hub.heard(topic, state("offline", 8))
    assert not hub.reader_online("counter-1")


def test_a_reader_whose_memory_was_wiped_can_come_back() -> None:
    hub = Hub()
    topic = "besnik/v1/corner/counter-1/state"
    hub.heard(topic, state("online", 800))
    hub.heard(topic, state("online", 1))
    hub.heard(topic, state("lost", 1))
    assert not hub.reader_online("counter-1")


def test_a_late_will_does_not_bury_a_goodbye_either() -> None:
    hub = Hub()
    topic = "besnik/v1/corner/counter-1/state"
    hub.heard(topic, state("offline", 8))
    hub.heard(topic, state("lost", 7))
    hub.heard(topic, state("online", 8))
    assert hub.reader_online("counter-1")


def test_who_is_away_is_told() -> None:
    hub = Hub()
    assert hub.sight == "broker"
    hub.connected = True
    assert hub.sight == "bridge"
    for word, sight in (("online", "live"), ("offline", "bridge"), ("lost", "bridge")):
        hub.heard(contract.BRIDGE_STATE, state(word, 1))
        assert hub.sight == sight


async def test_a_bridge_that_leaves_wakes_every_page() -> None:
    hub = Hub()
    with hub.watch(frozenset()) as one, hub.watch(None) as all_of_them:
        hub.heard(contract.BRIDGE_STATE, state("lost", 1))
        assert await one.news(0.05)
        assert await all_of_them.news(0.05)
        hub.heard("besnik/v1/corner/counter-1/visit", VISIT)
        assert await all_of_them.news(0.05)
        assert not await one.news(0.01)
