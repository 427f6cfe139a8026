"""What the reader's LED and buzzer say: pin and tone events become segments and signals.

The signals are those of the house plan: read, accepted, rejected, unknown, stored, fault; and
connecting, which announces that the link holds up everything else. They are recognised from what
is seen and heard at the pins, never from what the firmware says it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

# LED amber is red and green together; the firmware switches two pins, one after the other, so a
# colour this short is between two colours.
GLITCH_MS = 25
# How far a duration may be off: a share of itself, and a fixed part. A busy machine makes it much
# longer, but hardly ever shorter.
EARLY_MS = 40
LATE_MS = 105
SLACK_SHARE = 0.2

_COLOURS = {(0, 0): "dark", (1, 0): "red", (0, 1): "green", (1, 1): "amber"}


@dataclass(frozen=True)
class Segment:
    """A span in which neither light nor tone changed; ``tone_hz`` 0 is silence."""

    colour: str
    tone_hz: int
    duration_ms: float


@dataclass(frozen=True)
class Seen:
    """A signal that has ended, at ``t_us``; ``name`` is None when it is none of ours."""

    name: str | None
    segments: tuple[Segment, ...]
    t_us: int

    def __str__(self) -> str:
        return f"{self.name or 'no signal of ours'}: {describe(self.segments)}"


@dataclass(frozen=True)
class Tone:
    """A beep: when it begins after the light, its pitch, and how long it sounds."""

    offset_ms: float
    hz: int
    duration_ms: float


@dataclass(frozen=True)
class Pattern:
    """Lights in turn and the tones that go with them."""

    names: tuple[str, ...]
    lights: tuple[tuple[str, int], ...]
    tones: tuple[Tone, ...] = ()


_TICK = Tone(0, 2400, 30)
_STORED = (("dark", 150), ("amber", 150))
PATTERNS = (
    Pattern(("read",), (("amber", 60),), (_TICK,)),
    Pattern(("accepted",), (("green", 900),), (Tone(0, 2800, 180),)),
    Pattern(("rejected",), (("red", 1200),), (Tone(0, 400, 600),)),
    Pattern(
        ("unknown",),
        (("red", 150), ("green", 150)) * 3,
        (Tone(0, 1600, 100), Tone(200, 1600, 100)),
    ),
    Pattern(("stored",), (("amber", 150), *_STORED)),
    # Off line the second step follows the first without a gap: one longer amber.
    Pattern(("read", "stored"), (("amber", 210), *_STORED), (_TICK,)),
    Pattern(
        ("several",),
        (("amber", 100), *(("dark", 100), ("amber", 100)) * 2),
        (Tone(0, 800, 100), Tone(200, 800, 100), Tone(400, 800, 100)),
    ),
    Pattern(("connecting",), (("amber", 400),)),
    Pattern(("fault",), (("red", 500), ("dark", 1500))),
    # For settings (firmware/provision.py).
    Pattern(("waiting",), (("red", 600), ("dark", 300), ("green", 600))),
)


def near(value_ms: float, wanted_ms: float) -> bool:
    """Return whether a duration is what was wanted, within the slack."""
    share_ms = SLACK_SHARE * wanted_ms
    return -EARLY_MS - share_ms <= value_ms - wanted_ms <= LATE_MS + share_ms


def describe(segments: tuple[Segment, ...]) -> str:
    """Return segments as text: ``green 180 ms + 2800 Hz, green 720 ms``."""
    return ", ".join(
        f"{s.colour} {s.duration_ms:.0f} ms" + (f" + {s.tone_hz} Hz" if s.tone_hz else "")
        for s in segments
    )


class Recogniser:
    """Reads the events of one reader, in order, and tells each signal when it has ended.

    ``quiet``: the reader's buzzer is switched off, so no tone is expected.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._levels = {"led_red": 0, "led_green": 0}
        self._hz = 0
        self._colour = "dark"
        self._since_us = 0
        self._tone_since_us = 0
        self._runs: list[tuple[str, int, int]] = []
        self._tones: list[tuple[int, int, int]] = []

    def feed(self, event: Mapping[str, Any]) -> list[Seen]:
        """Take one event of the control socket; return the signals that it ends."""
        kind = event["ev"]
        if kind == "state":
            self._levels.update({r: event["state"]["pins"].get(r, 0) for r in self._levels})
            self._colour, self._since_us = self._now_colour(), event["t_us"]
        elif kind == "tone":
            self._tone(event["hz"], event["t_us"])
        elif kind == "pin" and event["role"] in self._levels:
            self._levels[event["role"]] = event["v"]
            return self._light(event["t_us"])
        return []

    @property
    def is_dark(self) -> bool:
        """Whether the LED is out."""
        return self._now_colour() == "dark"

    def _now_colour(self) -> str:
        return _COLOURS[(self._levels["led_red"], self._levels["led_green"])]

    def _tone(self, hz: int, t_us: int) -> None:
        if self._hz:
            self._tones.append((self._tone_since_us, t_us, self._hz))
        self._hz, self._tone_since_us = hz, t_us

    def _light(self, t_us: int) -> list[Seen]:
        colour = self._now_colour()
        if colour == self._colour:
            return []
        ended, since_us = self._colour, self._since_us
        self._colour, self._since_us = colour, t_us
        if t_us - since_us < GLITCH_MS * 1000:
            self._since_us = since_us
            if self._runs and self._runs[-1][0] == colour and self._runs[-1][2] == since_us:
                self._since_us = self._runs.pop()[1]
            return []
        if ended == "dark" and not self._runs:
            self._tones.clear()
            return []
        self._runs.append((ended, since_us, t_us))
        return self._settle()

    def _lights(self) -> tuple[tuple[str, float], ...]:
        return tuple((colour, (end - start) / 1000) for colour, start, end in self._runs)

    def _settle(self) -> list[Seen]:
        """Match the runs so far: a whole pattern, the beginning of one, or nothing of ours."""
        seen: list[Seen] = []
        while self._runs:
            lights = self._lights()
            for pattern in PATTERNS:
                if self._is_whole(pattern, lights):
                    seen += self._matched(pattern)
                    break
            else:
                if self._could_go_on(lights):
                    break
                seen.append(self._unknown(1, self._runs[0][2]))
        return seen

    def _is_whole(self, pattern: Pattern, lights: tuple[tuple[str, float], ...]) -> bool:
        return (
            len(lights) == len(pattern.lights)
            and _begins(pattern, lights)
            and self._sounds_like(pattern)
        )

    def _could_go_on(self, lights: tuple[tuple[str, float], ...]) -> bool:
        return any(len(p.lights) > len(lights) and _begins(p, lights) for p in PATTERNS)

    def _sounds_like(self, pattern: Pattern) -> bool:
        start_us, end_us = self._runs[0][1], self._runs[-1][2]
        heard = [t for t in self._tones if t[0] < end_us and t[1] > start_us]
        if self._hz and self._tone_since_us < end_us - GLITCH_MS * 1000:
            heard.append((self._tone_since_us, end_us, self._hz))
        wanted = () if self._quiet else pattern.tones
        return len(heard) == len(wanted) and all(
            hz == tone.hz
            and near((begin - start_us) / 1000, tone.offset_ms)
            and near((end - begin) / 1000, tone.duration_ms)
            for (begin, end, hz), tone in zip(heard, wanted, strict=True)
        )

    def _matched(self, pattern: Pattern) -> list[Seen]:
        end_us = self._runs[-1][2]
        segments = self._segments(self._runs)
        self._forget(len(self._runs))
        return [Seen(name, segments, end_us) for name in pattern.names]

    def _unknown(self, count: int, t_us: int) -> Seen:
        segments = self._segments(self._runs[:count])
        self._forget(count)
        return Seen(None, segments, t_us)

    def _forget(self, count: int) -> None:
        end_us = self._runs[count - 1][2]
        del self._runs[:count]
        while self._runs and self._runs[0][0] == "dark":
            del self._runs[0]
        self._tones = [tone for tone in self._tones if tone[1] > end_us]

    def _segments(self, runs: list[tuple[str, int, int]]) -> tuple[Segment, ...]:
        """Cut the runs where a tone begins or ends."""
        tones = [*self._tones]
        if self._hz:
            tones.append((self._tone_since_us, runs[-1][2], self._hz))
        segments: list[Segment] = []
        for colour, start_us, end_us in runs:
            inside = {t for begin, end, _ in tones for t in (begin, end) if start_us < t < end_us}
            cuts = [start_us, *sorted(inside), end_us]
            for left, right in pairwise(cuts):
                hz = next((h for begin, end, h in tones if begin <= left < end), 0)
                segments.append(Segment(colour, hz, (right - left) / 1000))
        return tuple(s for s in segments if s.duration_ms >= 1)


def _begins(pattern: Pattern, lights: tuple[tuple[str, float], ...]) -> bool:
    return all(
        colour == wanted and near(duration_ms, wanted_ms)
        for (colour, duration_ms), (wanted, wanted_ms) in zip(lights, pattern.lights, strict=False)
    )
