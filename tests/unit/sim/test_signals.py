"""Signals are recognised from pins and tones alone, and wrong ones are not taken for right ones."""

from __future__ import annotations

from typing import Any

import pytest

from besnik.sim.signals import Recogniser, Seen

PINS = {"dark": (0, 0), "red": (1, 0), "green": (0, 1), "amber": (1, 1)}

# What firmware does for each signal: (colour, tone in Hz, duration in ms).
Steps = tuple[tuple[str, int, float], ...]
READ: Steps = (("amber", 2400, 30), ("amber", 0, 30))
ACCEPTED: Steps = (("green", 2800, 180), ("green", 0, 720))
REJECTED: Steps = (("red", 400, 600), ("red", 0, 600))
UNKNOWN: Steps = (
    ("red", 1600, 100),
    ("red", 0, 50),
    ("green", 0, 50),
    ("green", 1600, 100),
    *((("red", 0, 150), ("green", 0, 150)) * 2),
)
STORED: Steps = (("amber", 0, 150), ("dark", 0, 150), ("amber", 0, 150))
FAULT: Steps = (("red", 0, 500), ("dark", 0, 1500))
PAUSE: Steps = (("dark", 0, 700),)
END: Steps = (("dark", 0, 5000),)


class Pins:
    """Plays steps and turns them into the events the counter sends."""

    def __init__(self, switch_us: int = 40, stretch: float = 1.0) -> None:
        self._now_us = 1_000_000
        self._switch_us = switch_us
        self._stretch = stretch
        self._red = self._green = self._hz = 0

    def play(self, *patterns: Steps) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        for colour, hz, duration_ms in (step for pattern in patterns for step in pattern):
            spent_us = 0
            red, green = PINS[colour]
            for role, level, was in (
                ("led_red", red, self._red),
                ("led_green", green, self._green),
            ):
                if level != was:
                    events.append({"ev": "pin", "role": role, "v": level, "t_us": self._now_us})
                    self._now_us += self._switch_us
                    spent_us += self._switch_us
            self._red, self._green = red, green
            if hz != self._hz:
                events.append({"ev": "tone", "hz": hz, "t_us": self._now_us})
                self._hz = hz
            self._now_us += round(duration_ms * 1000 * self._stretch) - spent_us
        return events


def recognise(events: list[dict[str, Any]], quiet: bool = False) -> list[Seen]:
    recogniser = Recogniser(quiet)
    return [seen for event in events for seen in recogniser.feed(event)]


def names(*patterns: Steps, quiet: bool = False, **how: Any) -> list[str | None]:
    return [seen.name for seen in recognise(Pins(**how).play(*patterns, END), quiet)]


ALL = {
    "read": READ,
    "accepted": ACCEPTED,
    "rejected": REJECTED,
    "unknown": UNKNOWN,
    "stored": STORED,
    "fault": FAULT,
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("how", [{}, {"switch_us": 4000}, {"stretch": 1.15}, {"stretch": 0.9}])
def test_each_signal_is_recognised_also_on_a_slow_machine(name: str, how: dict[str, Any]) -> None:
    again = FAULT if name == "fault" else ()
    assert names(ALL[name], again, **how)[0] == name


@pytest.mark.parametrize("verdict", ["accepted", "rejected", "unknown"])
def test_verdict_follows_read_without_a_gap_or_after_one(verdict: str) -> None:
    assert names(READ, ALL[verdict]) == ["read", verdict]
    assert names(READ, PAUSE, ALL[verdict]) == ["read", verdict]


def test_stored_is_told_apart_from_the_read_that_it_joins() -> None:
    assert names(READ, STORED) == ["read", "stored"]
    assert names(READ, PAUSE, STORED) == ["read", "stored"]


def test_several_taps_one_after_the_other() -> None:
    day = (READ, ACCEPTED, PAUSE, READ, REJECTED, PAUSE, READ, UNKNOWN, PAUSE)
    assert names(*day) == ["read", "accepted", "read", "rejected", "read", "unknown"]


def test_fault_repeats_and_gives_way() -> None:
    assert names(FAULT, FAULT, FAULT, READ, ACCEPTED) == ["fault"] * 3 + ["read", "accepted"]


WRONG: dict[str, Steps] = {
    "green without its beep": (("green", 0, 900),),
    "green with a low beep": (("green", 400, 180), ("green", 0, 720)),
    "green too short": (("green", 2800, 180), ("green", 0, 220)),
    "green too long": (("green", 2800, 180), ("green", 0, 1500)),
    "red with the high beep": (("red", 2800, 600), ("red", 0, 600)),
    "red with two low beeps": (
        ("red", 400, 300),
        ("red", 0, 100),
        ("red", 400, 300),
        ("red", 0, 500),
    ),
    "beep too long": (("green", 2800, 900),),
    "red and green, twice only": (
        ("red", 1600, 100),
        ("red", 0, 50),
        ("green", 0, 50),
        ("green", 1600, 100),
        ("red", 0, 150),
        ("green", 0, 150),
    ),
    "green before red": tuple(
        ("green" if colour == "red" else "red", hz, ms) for colour, hz, ms in UNKNOWN
    ),
    "amber once": (("amber", 0, 150),),
    "amber twice with a long beep": (("amber", 2400, 150), *STORED[1:]),
    "tick without amber": (("red", 2400, 30), ("red", 0, 30)),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_patterns_are_not_signals_of_ours(what: str) -> None:
    seen = recognise(Pins().play(WRONG[what], PAUSE, ACCEPTED, END))
    assert {each.name for each in seen[:-1]} == {None}
    assert seen[-1].name == "accepted", "what follows is recognised again"


def test_what_was_seen_is_told_segment_by_segment() -> None:
    (seen,) = recognise(Pins(switch_us=0).play(ACCEPTED, END))
    assert str(seen) == "accepted: green 180 ms + 2800 Hz, green 720 ms"
    assert seen.t_us == 1_900_000


def test_quiet_reader_makes_no_sound() -> None:
    silent: Steps = tuple((colour, 0, ms) for colour, _, ms in ACCEPTED)
    assert names(silent, quiet=True) == ["accepted"]
    assert names(ACCEPTED, quiet=True) == [None]


def test_watch_begins_in_the_middle_of_a_signal() -> None:
    recogniser = Recogniser()
    state = {"pins": {"led_red": 1, "led_green": 0}}
    recogniser.feed({"ev": "state", "state": state, "t_us": 900_000})
    off = {"ev": "pin", "role": "led_red", "v": 0, "t_us": 950_000}
    assert [seen.name for seen in recogniser.feed(off)] == [None]
    events = Pins().play(PAUSE, READ, ACCEPTED, END)
    seen = [each.name for event in events for each in recogniser.feed(event)]
    assert seen == ["read", "accepted"]


def test_other_pins_and_cards_do_not_disturb() -> None:
    events = Pins().play(ACCEPTED, END)
    events.insert(2, {"ev": "card", "card": "ana", "present": True, "t_us": 1_000_100})
    events.insert(2, {"ev": "pin", "role": "irq", "v": 1, "t_us": 1_000_100})
    assert [seen.name for seen in recognise(events)] == ["accepted"]
