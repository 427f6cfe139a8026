"""Taps of cards that are unknown here, where the program's other CRM may know them.

They are accepted as pending, and wait in CrmPending until the CRM has said whose the card is.
What it said lately of the card counts at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Final, Protocol

from msgspec.structs import replace

from besnik.store.hot import DecidedTap, TapKey

# That a card is nobody's there, or more than one's, is believed for so long: whoever is entered
# there, or whose card is corrected, is not turned away for longer.
UNOWNED_FOR: Final = dt.timedelta(seconds=60)
WAITING: Final = "waiting"

# Reader row and the card's number.
AnswerKey = tuple[int, str]


class AnswerRows(Protocol):
    """What another CRM has said; read within the transaction that writes the taps."""

    def unowned(self, keys: Collection[AnswerKey], now: dt.datetime) -> set[AnswerKey]:
        """Return those of the cards that are nobody's, or more than one's, as of lately."""


def judged(taps: Mapping[TapKey, DecidedTap], rows: AnswerRows) -> dict[TapKey, DecidedTap]:
    """Return those of the taps that are refused, because the CRM has answered already."""
    waiting = {key: tap for key, tap in taps.items() if tap.reason == "pending"}
    if not waiting:
        return {}
    sought = {(tap.reader, tap.ref.data) for tap in waiting.values()}
    unowned = rows.unowned(sought, max(tap.received_at for tap in waiting.values()))
    return {
        key: replace(tap, outcome="rejected", reason="unknown")
        for key, tap in waiting.items()
        if (tap.reader, tap.ref.data) in unowned
    }
