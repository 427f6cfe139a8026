"""What a SUN counter is worth: a rising one is fresh, any other is a replay unless it waited.

The card raises its counter at every read, so each value is one read. The highest accepted one
is kept with the card; it is compared and raised in the transaction that writes the tap.

A tap that waited in a reader's outbox may come after newer taps of its card. It is the one tap
whose counter may be lower: it counts if no tap of the card ever had that counter. Then it is
no proof of freshness, and is written as tier D: it earns and never redeems.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol

from msgspec.structs import replace

from besnik.store.hot import DecidedTap, TapKey

# A card that was read so often between two taps is worth a look, and nobody's outbox is so old.
GAP_MAX: Final = 1000

CardCounter = tuple[int, int]  # card row, counter


class CounterRows(Protocol):
    """What is known of counters; read within the transaction that writes the taps."""

    def used(self, counters: Collection[CardCounter]) -> set[CardCounter]:
        """Return those of the counters that a tap of their card has."""


def judged(
    taps: Mapping[TapKey, DecidedTap], highest: Mapping[int, int | None], rows: CounterRows
) -> dict[TapKey, DecidedTap]:
    """Return what those of the taps that have a counter are worth; the taps are in order.

    ``highest`` are the highest accepted counters of their cards.
    """
    highest = dict(highest)
    asked = {key: tap for key, tap in taps.items() if needs_judging(tap)}
    worth: dict[TapKey, DecidedTap] = {}
    used = rows.used({_of(tap) for tap in asked.values() if tap.queued})
    for key, tap in asked.items():
        card, counter = _of(tap)
        last = highest[card]
        if last is None or counter > last:
            highest[card] = counter
            worth[key] = replace(tap, counter_gap=0 if last is None else counter - last)
        elif tap.queued and 0 < last - counter <= GAP_MAX and _of(tap) not in used:
            worth[key] = replace(tap, tier="D")
        else:
            worth[key] = replace(tap, tier="D", outcome="rejected", reason="replayed", entry=None)
        used.add(_of(tap))
    return worth


def needs_judging(tap: DecidedTap) -> bool:
    """Whether the verdict on a tap depends on counters."""
    return tap.counter is not None and tap.card is not None and tap.outcome == "accepted"


def raised(taps: Mapping[TapKey, DecidedTap], written: Iterable[TapKey]) -> dict[int, int]:
    """Return the highest accepted counter of each card among the taps that were written."""
    highest: dict[int, int] = {}
    for key in written:
        if needs_judging(taps[key]):
            card, counter = _of(taps[key])
            highest[card] = max(counter, highest.get(card, counter))
    return highest


def _of(tap: DecidedTap) -> CardCounter:
    assert tap.card is not None
    assert tap.counter is not None
    return tap.card.card, tap.counter
