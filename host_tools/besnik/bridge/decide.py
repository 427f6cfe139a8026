"""The verdict on a tap, from what it proved and whose card it is."""

from __future__ import annotations

import datetime as dt

import msgspec

from besnik.contract import Outcome, Reason
from besnik.credentials.assess import Credential
from besnik.loyalty.ledger import Entry
from besnik.loyalty.visits import Bounds
from besnik.store.hot import KnownCard, KnownReader


class Decision(msgspec.Struct, frozen=True):
    """A verdict, and the entry it makes in the ledger, if any, within ``bounds``."""

    outcome: Outcome
    reason: Reason
    entry: Entry | None = None
    bounds: Bounds | None = None


def decide(
    credential: Credential, card: KnownCard | None, reader: KnownReader, at: dt.datetime
) -> Decision:
    """Return the verdict for a credential at ``reader`` at ``at``; ``card`` None is unknown.

    A SUN counter that is not fresh, a card that comes too soon, and one that the program's other
    CRM does not know either, are found when the tap is written, not here.
    """
    if credential.tier == "X":
        # Evidence that failed is answered like a card nobody knows: it tells a forger nothing.
        return Decision("rejected", "random_id" if credential.ref.kind == "uid" else "unknown")
    if card is None:
        if reader.asks_crm:
            return Decision("accepted", "pending")
        return Decision("rejected", "unknown")
    if card.state != "active":
        return Decision("rejected", "blocked")
    entry = reader.rules.accrue(card.member, reader.shop, at, card.level)
    if entry is None:
        return Decision("accepted", "ok")
    bounds = reader.rules.bounds(reader.shop, at, card.level)
    return Decision("accepted", "ok", entry, bounds)
