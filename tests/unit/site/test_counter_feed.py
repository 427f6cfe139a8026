"""The counter's feed, from a real counter process."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from besnik.sim.control import ControlError
from besnik.sim.signals import Seen, Segment
from besnik.site import counter, signals
from besnik.site.views.counter import Teller
from support.processes import Processes, Running


@pytest.fixture
def folder(state: Path) -> Path:
    (state / "cards.json").write_text(
        json.dumps([{"key": "ana", "label": "Ana's card", "uid": "5B3C2A19"}])
    )
    (state / "pins.json").write_text('{"cs": 5, "rst": 22, "led_green": 26, "led_red": 25}')
    return state


def start(processes: Processes, folder: Path) -> Running:
    files = ["--cards", folder / "cards.json", "--pins", folder / "pins.json"]
    command = [sys.executable, "-m", "besnik.sim.counter", "--folder", folder, *files]
    return processes.start("counter", command, ready="counter: ready")


async def until(feed: AsyncIterator[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the next event of a kind, passing over ticks and what else there is."""
    for _ in range(40):
        event = await anext(feed)
        if event["ev"] == kind:
            return event
    raise AssertionError(f"no {kind} in the feed")


async def test_the_feed_waits_for_a_counter_follows_it_and_survives_its_end(
    processes: Processes, folder: Path
) -> None:
    path = str(folder / "control.sock")
    feed = counter.feed(path)
    assert await anext(feed) == {"ev": "away"}
    process = start(processes, folder)
    cards = await until(feed, "cards")
    assert [(card["key"], card["present"]) for card in cards["cards"]] == [("ana", False)]
    assert (await until(feed, "state"))["state"]["connected"] is False
    await counter.move(path, "ana", present=True)
    event = await until(feed, "card")
    assert (event["card"], event["present"]) == ("ana", True)
    assert (await until(feed, "tick"))["connected"] is False
    process.kill()
    await until(feed, "away")
    start(processes, folder)
    await until(feed, "state")
    await feed.aclose()


async def test_a_card_that_is_not_in_the_tray_cannot_be_moved(
    processes: Processes, folder: Path
) -> None:
    start(processes, folder)
    with pytest.raises(ControlError, match="must be one of ana"):
        await counter.move(str(folder / "control.sock"), "bob", present=True)


def told(teller: Teller, event: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return name and data of the page's events for one event of the feed."""
    lines = [line.decode().strip().split("\n") for line in teller.tell(event)]
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in lines
    ]


def state(connected: bool) -> dict[str, Any]:
    pins = {"led_green": 0, "led_red": 0}
    return {"ev": "state", "t_us": 0, "state": {"connected": connected, "pins": pins}}


def test_a_page_is_told_of_a_change_of_the_link_once() -> None:
    teller = Teller("en")
    assert told(teller, {"ev": "away"}) == [("link", "away")]
    assert told(teller, {"ev": "away"}) == []
    assert [name for name, _ in told(teller, state(False))] == ["link", "pins"]
    tick = {"ev": "tick", "connected": True}
    assert told(teller, tick) == [("link", "live")]
    assert told(teller, tick) == []


def test_a_tone_comes_with_its_pitch_in_the_page_s_digits() -> None:
    event = {"ev": "tone", "hz": 2800, "t_us": 5}
    assert told(Teller("fa"), event) == [("tone", {**event, "text": "۲۸۰۰ هرتز"})]


def test_lights_and_tones_are_recognised_as_a_signal_and_named() -> None:
    teller = Teller("el")
    told(teller, state(True))
    events = [
        {"ev": "pin", "role": "led_green", "v": 1, "t_us": 1_000_000},
        {"ev": "tone", "hz": 2800, "t_us": 1_000_000},
        {"ev": "tone", "hz": 0, "t_us": 1_180_000},
        {"ev": "pin", "role": "led_green", "v": 0, "t_us": 1_900_000},
    ]
    last = [told(teller, event) for event in events][-1]
    assert [name for name, _ in last] == ["pin", "signal"]
    assert 'data-signal="accepted"' in last[1][1]
    assert "Έγινε δεκτή" in last[1][1]
    assert "πράσινο 180 ms + 2800 Hz · πράσινο 720 ms" in last[1][1]


def test_what_is_no_signal_of_ours_is_called_that() -> None:
    seen = Seen(None, (Segment("dark", 0, 12.4),), 0)
    with translation.override("en"):
        assert signals.name(seen) == "No signal of a reader"
        assert signals.parts(seen) == ["off 12 ms"]
