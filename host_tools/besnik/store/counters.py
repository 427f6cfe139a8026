"""What a SUN counter is worth: a rising one is fresh, any other is a replay unless it waited.

The card raises its counter at every read, so each value is one read. The highest accepted one
is kept with the card; it is compared and raised in the transaction that writes the tap.

A tap that waited in a reader's outbox may come after newer taps of its card. It is the one tap
whose counter may be lower: it counts if no tap of the card ever had that counter. Then it is
no proof of freshness, and is written as tier D: it earns and never redeems.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import Final, Protocol

from msgspec.structs import replace

from besnik.store.hot import DecidedTap, TapKey

# A card that was read so often between two taps is worth a look, and nobody's outbox is so old.
GAP_MAX: Final = 1000

CardCounter = tuple[int, int]  # card row, counter


class CounterRows(Protocol):
    """What is known of counters; read within the transaction that writes the taps."""

    def highest(self, cards: Collection[int]) -> dict[int, int | None]:
        """Return the highest accepted counter of each card row and keep others from raising it."""

    def written(self, keys: Collection[TapKey]) -> set[TapKey]:
        """Return those of the taps that are written already."""

    def used(self, counters: Collection[CardCounter]) -> set[CardCounter]:
        """Return those of the counters that a tap of their card has."""


def judge(firsts: MutableMapping[TapKey, DecidedTap], rows: CounterRows) -> None:
    """Replace accepted taps whose counter is not fresh by what they are worth, in order."""
    asked = {key: tap for key, tap in firsts.items() if needs_judging(tap)}
    if not asked:
        return
    # The cards first: who holds them sees every tap of theirs that anybody else wrote.
    highest = rows.highest({_of(tap)[0] for tap in asked.values()})
    for key in rows.written(asked):
        del asked[key]
    used = rows.used({_of(tap) for tap in asked.values() if tap.queued})
    for key, tap in asked.items():
        card, counter = _of(tap)
        last = highest[card]
        if last is None or counter > last:
            highest[card] = counter
            firsts[key] = replace(tap, counter_gap=0 if last is None else counter - last)
        elif tap.queued and 0 < last - counter <= GAP_MAX and _of(tap) not in used:
            firsts[key] = replace(tap, tier="D")
        else:
            firsts[key] = replace(tap, tier="D", outcome="rejected", reason="replayed", entry=None)
        used.add(_of(tap))


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
