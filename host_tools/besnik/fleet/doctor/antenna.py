"""What the read rate over the gain steps says about antenna, metal and noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from besnik.fleet.doctor.finding import Finding, ok, wrong

# Of all looks: below this a customer notices that a card has to be held again.
GOOD_SHARE: Final = 0.9
# A card held to a healthy antenna is read from here on at the latest (docs/hardware.md, metal).
_WEAK_FROM_DB: Final = 43
_BAR: Final = 20


class Step(NamedTuple):
    """How often a card that lay there was read at one gain, was silent, or answered damaged."""

    gain_db: int
    read: int
    silent: int
    damaged: int

    @property
    def looks(self) -> int:
        """Return how often it was looked for."""
        return self.read + self.silent + self.damaged

    @property
    def is_good(self) -> bool:
        """Return whether a customer would notice nothing."""
        return self.read >= GOOD_SHARE * self.looks


def judge(steps: Sequence[Step], settings: Mapping[str, Any]) -> Finding:
    """Return what is wrong with the antenna; ``steps`` are in order of their gain."""
    good = [step for step in steps if step.is_good]
    if not good:
        return _never_good(steps)
    if good[0].gain_db >= _WEAK_FROM_DB:
        return wrong(
            "antenna",
            f"the signal is weak: the card is read well from {good[0].gain_db} dB on only",
            "take the antenna away from metal (20 mm, or a sheet of ferrite behind it), hold the"
            " card flat and close, and look whether the wire of the antenna's coil is broken",
        )
    used = next(step for step in steps if step.gain_db == settings["rc522.gain_db"])
    best = good[len(good) // 2]
    if not used.is_good:
        return wrong(
            "antenna",
            f"at the gain that is set, {used.gain_db} dB, a card is read {used.read} of"
            f" {used.looks} times; at {best.gain_db} dB {best.read} of {best.looks}",
            f"`besnik fleet flash {settings.get('reader', 'READER')} --set"
            f" rc522.gain_db={best.gain_db}`",
        )
    span = f"{good[0].gain_db} to {good[-1].gain_db} dB"
    says = f"a card is read {used.read} of {used.looks} times at {used.gain_db} dB; well at {span}"
    return ok("antenna", says)


def no_card(seconds: int) -> Finding:
    """Return that no card was read at any gain in the time there was."""
    return wrong(
        "antenna",
        f"no card was read at any gain within {seconds} s",
        "if one was held there: try another card, take the antenna away from metal, and look at its"
        " coil and at the solder joints between coil and chip",
    )


def _never_good(steps: Sequence[Step]) -> Finding:
    best = max(steps, key=lambda step: step.read)
    if sum(step.damaged for step in steps) > sum(step.silent for step in steps) / 4:
        return wrong(
            "antenna",
            f"answers arrive damaged: at best {best.read} of {best.looks} are read, at"
            f" {best.gain_db} dB",
            "something disturbs the field: try another supply (a good one, not a screen's USB"
            " socket), and take the reader away from screens, lamps, chargers and other readers",
        )
    return wrong(
        "antenna",
        f"the card is hardly heard: at best {best.read} of {best.looks} times, at"
        f" {best.gain_db} dB",
        "hold the card still and flat, 10 mm away; take the antenna away from metal; look at its"
        " coil and at the solder joints",
    )


def drawing(steps: Sequence[Step], gain_db: int) -> list[str]:
    """Return the read rate over the gain steps as lines of text; the one in use is marked."""
    lines = []
    for step in steps:
        full = round(_BAR * step.read / step.looks)
        damaged = round(_BAR * step.damaged / step.looks)
        bar = "█" * full + "▒" * min(damaged, _BAR - full)
        mark = " ← set" if step.gain_db == gain_db else ""
        lines.append(f"{step.gain_db:3} dB  {bar:·<{_BAR}}  {step.read:3} of {step.looks}{mark}")
    return [*lines, "        █ read   ▒ damaged   · silent"]
