"""What a cashier is told of a member at a glance, in a constant number of indexed queries."""

from __future__ import annotations

from besnik.store.glance.history import last_visit, visits
from besnik.store.glance.read import glance
from besnik.store.glance.shown import (
    BalanceLine,
    ChipLine,
    GiftLine,
    Glance,
    HoldLine,
    Offer,
    SaleShown,
)

__all__ = [
    "BalanceLine",
    "ChipLine",
    "GiftLine",
    "Glance",
    "HoldLine",
    "Offer",
    "SaleShown",
    "glance",
    "last_visit",
    "visits",
]
