"""What was found out about one part of a reader, and what a technician does about it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Part = Literal[
    "settings",
    "wiring",
    "antenna",
    "lights",
    "Wi-Fi",
    "clock",
    "certificate",
    "broker",
    "bridge",
    "CRM",
]
State = Literal["ok", "wrong", "skipped"]
_WIDTH: Final = 12
_WORDS: Final[dict[State, str]] = {"ok": "ok", "wrong": "WRONG", "skipped": "-"}


class Finding(msgspec.Struct, frozen=True):
    """One part, how it is, and ``do``: what to do about it, empty when nothing is to be done."""

    part: Part
    state: State
    says: str
    do: str = ""

    def lines(self) -> list[str]:
        """Return the finding as it is printed."""
        head = f"{self.part:{_WIDTH}} {_WORDS[self.state]:6} {self.says}"
        return [head, f"{'':{_WIDTH}} do:    {self.do}"] if self.do else [head]


def ok(part: Part, says: str, do: str = "") -> Finding:
    """Return that a part is well; ``do`` is advice."""
    return Finding(part, "ok", says, do)


def wrong(part: Part, says: str, do: str) -> Finding:
    """Return what is wrong with a part."""
    return Finding(part, "wrong", says, do)


def skipped(part: Part, says: str, do: str = "") -> Finding:
    """Return why a part was not looked at."""
    return Finding(part, "skipped", says, do)


def summary(findings: list[Finding]) -> str:
    """Return the last line: which part to begin with."""
    bad = [finding for finding in findings if finding.state == "wrong"]
    if not bad:
        left = [finding.part for finding in findings if finding.state == "skipped"]
        return "nothing is wrong" + (f"; not looked at: {', '.join(left)}" if left else "")
    first, *others = bad
    rest = f", then {', '.join(other.part for other in others)}" if others else ""
    return f"begin with: {first.part}{rest}"
