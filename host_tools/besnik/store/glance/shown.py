"""The lines of a glance. Amounts are whole numbers of their unit, money in minor units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.money import Currency
from besnik.loyalty.texts.catalogue import Message


class BalanceLine(msgspec.Struct, frozen=True):
    """What can be spent of one unit now, comes later, is held for a sale, and is owed."""

    unit: Unit
    active: int
    pending: int = 0
    reserved: int = 0
    negative: int = 0


class ChipLine(msgspec.Struct, frozen=True):
    """A reward that can be had now for ``cost`` of ``unit``; ``mine``: it is this member's own."""

    reward: str
    title: str
    cost: int
    unit: Unit
    mine: bool


class SaleShown(msgspec.Struct, frozen=True):
    """A purchase: when, what it cost, what it earned by unit, in which shop."""

    id: int
    receipt: str
    at: dt.datetime
    amount_minor: int
    earned: Mapping[Unit, int]
    shop: str


class HoldLine(msgspec.Struct, frozen=True):
    """What is reserved for a sale until ``until``; ``title`` is empty for a free amount.

    ``name`` is the hold's own; a coupon costs nothing.
    """

    name: str
    title: str
    amount: int
    unit: Unit
    off_minor: int
    until: dt.datetime


class Offer(msgspec.Struct, frozen=True):
    """A coupon of this member alone; ``tail`` is the end of its code."""

    title: str
    tail: str
    until: dt.datetime | None


class GiftLine(msgspec.Struct, frozen=True):
    """A benefit with a title of its own on the member's card, and who gave it."""

    title: str
    source: str


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """The member at the counter. ``level`` 0 is the first tier; ``tier`` empty: there are none.

    ``worth_minor`` is what the balance is worth by the best reward, None if no reward says so;
    ``money_minor`` is stored value, None where the member has no such wallet. ``flags`` are
    services to give; ``phone_tail`` the last digits of the phone, all that a cashier sees of it.
    """

    ref: str
    name: str
    language: str
    status: str
    currency: Currency
    level: int
    tier: str
    flags: tuple[str, ...]
    balances: tuple[BalanceLine, ...]
    worth_minor: int | None
    money_minor: int | None
    chips: tuple[ChipLine, ...]
    alert: Message | None
    offers: tuple[Offer, ...]
    last_visit: dt.datetime | None
    sales: tuple[SaleShown, ...]
    favourite: str
    motive: str
    tags: tuple[str, ...]
    notes: tuple[str, ...]
    gifts: tuple[GiftLine, ...]
    phone_tail: str
    holds: tuple[HoldLine, ...]

    @property
    def main(self) -> BalanceLine | None:
        """Return the balance that is said first."""
        return self.balances[0] if self.balances else None
