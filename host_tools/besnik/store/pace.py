"""How fast a card may earn (`guards.Velocity`): what comes too soon is refused, with an alert."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from besnik.loyalty.guards import Velocity, too_fast
from besnik.store.hot import DecidedTap, TapKey

ALERT: Final = "too_soon"


class EarningRows(Protocol):
    """What is known of earnings; read within the transaction that writes the taps."""

    def earnings(
        self, card: int, member: int, unit: str, since: dt.datetime
    ) -> Iterable[dt.datetime]:
        """Return when this card of the member earned ``unit`` after ``since``, in any order."""


def needs_judging(tap: DecidedTap) -> bool:
    """Whether the verdict on a tap depends on how fast its card earns."""
    return tap.velocity is not None and tap.entry is not None and tap.card is not None


def judged(taps: Mapping[TapKey, DecidedTap], rows: EarningRows) -> dict[TapKey, DecidedTap]:
    """Return the refusals of those of the taps that come too soon; the taps are in order."""
    earned: dict[int, list[dt.datetime]] = {}
    refused: dict[TapKey, DecidedTap] = {}
    for key, tap in taps.items():
        if tap.card is None or tap.entry is None or tap.velocity is None:
            continue
        at, card = tap.happened_at, tap.card
        earlier = earned.setdefault(card.card, [])
        since = at - dt.timedelta(seconds=_reach_s(tap.velocity))
        unit = tap.entry.postings[0].unit
        before = rows.earnings(card.card, card.member, unit, since)
        if too_fast(tap.velocity, [*before, *earlier], at):
            refused[key] = replace(tap, outcome="rejected", reason="too_soon", entry=None)
        else:
            earlier.append(at)
    return refused


def alert_detail(tap: DecidedTap) -> str:
    """Return what an alert says of a refused tap, as JSON: rows and its id, nobody's name."""
    card = None if tap.card is None else tap.card.card
    return msgspec.json.encode({"card": card, "reader": tap.reader, "tap": tap.tap_id}).decode()


def _reach_s(limit: Velocity) -> int:
    return max(limit.minutes * 60, limit.gap_s)
