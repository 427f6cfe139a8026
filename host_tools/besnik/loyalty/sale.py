"""What a sale is to a program: lines, tenders, where and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final

import msgspec

MOST_MINOR: Final = 10**12
MOST_QUANTITY: Final = 10**6


class SaleError(ValueError):
    """A line that is no sale; the text says what a line is."""


class Line(msgspec.Struct, frozen=True):
    """One line of a receipt: what it costs in all after discounts, for ``quantity`` items.

    ``reward``: a gift or a discount of the program itself; it never earns.
    """

    id: str
    amount_minor: int
    quantity: int = 1
    category: str = ""
    reward: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.amount_minor <= MOST_MINOR or not 1 <= self.quantity <= MOST_QUANTITY:
            raise SaleError(
                f"line {self.id}: {self.quantity} x, {self.amount_minor} in all; a line has 1 item"
                " or more and costs 0 or more, and what comes back is a refund of its sale"
            )


class Tender(msgspec.Struct, frozen=True):
    """One way the sale was paid: "cash", "card", "house_card", ..."""

    kind: str
    amount_minor: int


class Sale(msgspec.Struct, frozen=True):
    """A sale at ``at`` (aware) in ``shop``, over ``channel`` ("shop", "online", a partner)."""

    at: dt.datetime
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...] = ()
    shop: str = ""
    channel: str = "shop"

    def earning_minor(self, categories: Collection[str] = ()) -> int:
        """Return what the lines that earn cost, of ``categories`` if any are named."""
        return sum(line.amount_minor for line in self.earning(categories))

    def earning(self, categories: Collection[str] = ()) -> list[Line]:
        """Return the lines that earn, of ``categories`` if any are named."""
        return [
            line
            for line in self.lines
            if not line.reward and (not categories or line.category in categories)
        ]

    def without(self, returned: Collection[str]) -> Sale:
        """Return the sale as if the lines ``returned`` (ids) had not been bought."""
        kept = tuple(line for line in self.lines if line.id not in returned)
        return msgspec.structs.replace(self, lines=kept)


def simple_sale(amount_minor: int, at: dt.datetime, tender: str = "cash", shop: str = "") -> Sale:
    """Return a sale of one amount, as a cashier types it."""
    lines = (Line("1", amount_minor),)
    return Sale(at, lines, (Tender(tender, amount_minor),), shop)
