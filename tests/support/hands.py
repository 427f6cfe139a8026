"""Somebody who stands at a virtual counter: lays cards there, breaks things, looks and listens."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_ANSWER_S = 10
_STEADY_S = 0.15
_PATIENCE_S = 1.0
_COLOURS = {(1, 0): "r", (0, 1): "g", (1, 1): "a", (0, 0): "n"}


class Hands:
    """A person at the counter whose control socket is ``control``.

    As `besnik.fleet.doctor.person.Person`: answers what can be seen and heard on the pins, and
    lays ``card`` there, if there is one, when asked to; takes it away when told, unless they do not
    listen. ``told`` is what was said to them.
    """

    def __init__(self, control: Path, card: str | None = None) -> None:
        self.listens = True
        self._control = control
        self._card = card
        self._last = (0, 0, 0)
        self.told: list[str] = []

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Do one thing at the counter (`besnik.sim.desk`) and return what it answers."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_ANSWER_S)
            line.connect(str(self._control))
            line.sendall(json.dumps({"n": 1, "op": op, **arguments}).encode() + b"\n")
            with line.makefile() as answers:
                answer: dict[str, Any] = json.loads(answers.readline())
        assert answer["ok"], answer
        return answer

    def tell(self, text: str) -> None:
        """Listen, and do so."""
        self.told.append(text)
        if self._card and text.startswith("Lay a card"):
            self.ask("present", card=self._card)
        elif self._card and self.listens and text.startswith("Take the card away"):
            self.ask("remove", card=self._card)

    def draw(self, lines: Sequence[str]) -> None:
        """Look at it."""
        self.told += lines

    def choose(self, question: str, _answers: Mapping[str, str]) -> str | None:
        """Look at the light, or listen to the buzzer."""
        red, green, tone_hz = self._perceived()
        if "hear" in question:
            return "y" if tone_hz else "n"
        return _COLOURS[(red, green)]

    def _perceived(self) -> tuple[int, int, int]:
        """Return what is lit and heard when it has changed, or has not for a second.

        What a reader does at its pins is seen a little later than it says so, one pin by one.
        """
        began = changed = time.monotonic()
        now = self._last
        while time.monotonic() - changed < _STEADY_S:
            seen = self._look()
            if seen != now:
                now, changed = seen, time.monotonic()
            elif now == self._last and time.monotonic() - began < _PATIENCE_S:
                changed = time.monotonic()
            time.sleep(0.02)
        self._last = now
        return now

    def _look(self) -> tuple[int, int, int]:
        state = self.ask("state")
        return state["pins"]["led_red"], state["pins"]["led_green"], state["tone_hz"]
