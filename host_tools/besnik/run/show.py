"""Taps as lines for a person at a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from besnik import demo
from besnik.run.demo import Demo
from besnik.run.taps import TapSeen
from besnik.sim.signals import Seen, describe

if TYPE_CHECKING:
    from besnik.store.members import TapFile

CREDENTIAL_WIDTH = 20


def say(text: str) -> None:
    """Print at once; a terminal that has gone is no reason to leave anything undone."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = sys.stderr = open("/dev/null", "w")  # noqa: SIM115, PTH123 - until the end


def welcome(shop: Demo, took_s: float) -> str:
    """Return the addresses of the pages and how to stop."""
    till = f"cashier/{demo.SHOP}/{demo.TILL}/"
    return (
        f"besnik: the shop is open, {took_s:.1f} s after the start\n"
        f"  demo     {shop.page('demo/')}   counter and cashier side by side\n"
        f"  counter  {shop.page('counter/')}   hold a card to the reader\n"
        f"  cashier  {shop.page(till)}   see who is there\n"
        f"  Ctrl-C closes it; logs are in {shop.logs}\n"
    )


def line(tap: TapSeen, file: TapFile | None) -> str:
    """Return one tap as a line: when, what, verdict, who, light and sound, how fast."""
    member = file.member.name if file and file.member else "no member"
    parts = [verdict(tap), member, names(tap.signals), speed(tap)]
    return f"{time.strftime('%H:%M:%S')}  {tap.tap.d:{CREDENTIAL_WIDTH}}  {' · '.join(parts)}"


def verdict(tap: TapSeen) -> str:
    """Return outcome and reason, or that there is none."""
    if tap.verdict is None:
        return "no verdict"
    return f"{tap.verdict.r} ({tap.verdict.why})"


def names(signals: Sequence[Seen]) -> str:
    """Return the recognised signals in the order they were seen."""
    return ", ".join(signal.name or "?" for signal in signals) or "no signal"


def pattern(signals: Sequence[Seen]) -> str:
    """Return what was seen and heard, segment by segment, with the name it was recognised by."""
    return "; ".join(f"{each.name or '?'} = {describe(each.segments)}" for each in signals)


def speed(tap: TapSeen) -> str:
    """Return the times of a tap."""
    parts = []
    if tap.verdict_ms is not None:
        parts.append(f"verdict after {tap.verdict_ms:.1f} ms")
    if tap.light_ms is not None:
        parts.append(f"light {tap.light_ms:.0f} ms after the card")
    return ", ".join(parts) or "no times"
