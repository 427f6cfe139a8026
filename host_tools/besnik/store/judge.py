"""What can only be judged in the transaction that writes: a card's counter and its speed, and
what another CRM has said of a card.
"""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from typing import Protocol

from besnik.store import counters, pace, pending
from besnik.store.hot import DecidedTap, TapKey


class CardRows(counters.CounterRows, pace.EarningRows, pending.AnswerRows, Protocol):
    """What is known of cards; read within the transaction that writes the taps."""

    def highest(self, cards: Collection[int]) -> dict[int, int | None]:
        """Return the highest accepted counter of each card row and keep others from the cards."""

    def written(self, keys: Collection[TapKey]) -> set[TapKey]:
        """Return those of the taps that are written already."""


def judge(firsts: MutableMapping[TapKey, DecidedTap], rows: CardRows) -> None:
    """Replace accepted taps whose counter is not fresh, or that come too soon, in order.

    Likewise those that wait for another CRM which has answered that it does not know the card.
    """
    firsts.update(pending.judged(firsts, rows))
    asked = {
        key: tap
        for key, tap in firsts.items()
        if counters.needs_judging(tap) or pace.needs_judging(tap)
    }
    if not asked:
        return
    # The cards first: who holds them sees every tap of theirs that anybody else wrote.
    cards = {tap.card.card for tap in asked.values() if tap.card is not None}
    highest = rows.highest(cards)
    for key in rows.written(asked):
        del asked[key]
    firsts.update(counters.judged(asked, highest, rows))
    firsts.update(pace.judged({key: firsts[key] for key in asked}, rows))
