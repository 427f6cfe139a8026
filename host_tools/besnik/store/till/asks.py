"""What is asked of the till: one struct for each verb, as the API reads it from JSON.

Amounts of money are minor units; times are aware. What is left out is not asked for.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from besnik.loyalty.sale import MOST_MINOR, MOST_QUANTITY

Name = Annotated[str, Meta(min_length=1, max_length=40)]
Text = Annotated[str, Meta(max_length=120)]
Minor = Annotated[int, Meta(ge=0, le=MOST_MINOR)]
Amount = Annotated[int, Meta(ge=1, le=MOST_MINOR)]
Moment = Annotated[dt.datetime, Meta(tz=True)]


class _Ask(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    pass


class Who(_Ask, frozen=True):
    """A member, named in exactly one way.

    ``member``: the public reference. ``phone``: as typed. ``card``: a UID in hex, a printed code or
    what a scanner reads from a member's phone. ``tap``: the row of a tap in this shop.
    """

    member: Annotated[str, Meta(max_length=12)] = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    card: Annotated[str, Meta(max_length=200)] = ""
    tap: int | None = None


class Approval(_Ask, frozen=True):
    """A member of staff who agrees, by user name and PIN."""

    username: Name
    pin: Annotated[str, Meta(min_length=1, max_length=12)]


class Item(_Ask, frozen=True):
    """A line of a receipt: what ``quantity`` items cost in all, after discounts.

    ``id`` is the till's own. ``reward``: a gift of the program, which earns nothing.
    """

    id: Annotated[str, Meta(min_length=1, max_length=48)]
    amount_minor: Minor
    quantity: Annotated[int, Meta(ge=1, le=MOST_QUANTITY)] = 1
    title: Annotated[str, Meta(max_length=80)] = ""
    category: Annotated[str, Meta(max_length=40)] = ""
    reward: bool = False


class Payment(_Ask, frozen=True):
    """One way a sale was paid: cash, card, house_card, wallet."""

    kind: Annotated[str, Meta(min_length=1, max_length=16)]
    amount_minor: Minor


class Search(_Ask, frozen=True):
    """Who is meant by ``text``: phone, name, reference, card, code; or who is ``present``."""

    text: Annotated[str, Meta(max_length=200)] = ""
    present: bool = False


class Inquire(_Ask, frozen=True):
    """What a member has; ``at`` another moment than now, ``language`` of the texts."""

    who: Who
    at: Moment | None = None
    language: str = ""


class Basket(_Ask, frozen=True, kw_only=True):
    """What is bought: ``lines``, or one ``amount_minor`` as a cashier types it."""

    lines: tuple[Item, ...] = ()
    amount_minor: Amount | None = None
    channel: Annotated[str, Meta(min_length=1, max_length=16)] = "shop"
    at: Moment | None = None


class Preview(Basket, frozen=True):
    """What a sale would earn; ``tenders`` are the ways it may be paid that are of interest.

    ``tap`` is the visit it would belong to: what the reader gave for that is not given again.
    """

    who: Who | None = None
    tap: int | None = None
    tenders: tuple[Annotated[str, Meta(max_length=16)], ...] = ()


class Accrue(Basket, frozen=True):
    """A sale that was paid. ``who`` None: nobody said whose it is.

    ``tap`` is the visit it belongs to. ``holds`` are committed with it, and ``redemptions`` that
    were made before belong to it. ``buyer`` is what the till knows a stranger by.
    """

    receipt: Name
    tenders: tuple[Payment, ...] = ()
    who: Who | None = None
    tap: int | None = None
    holds: tuple[Name, ...] = ()
    redemptions: tuple[int, ...] = ()
    buyer: Annotated[str, Meta(max_length=64)] = ""


class Attach(_Ask, frozen=True):
    """Whose the receipt is, said later; ``tap``: the visit it belongs to."""

    receipt: Name
    who: Who | None = None
    tap: int | None = None
    shop: Annotated[str, Meta(max_length=16)] = ""


class Move(_Ask, frozen=True):
    """The receipt was booked for the wrong member: it is this one's."""

    receipt: Name
    to: Who
    reason: Text = ""
    shop: Annotated[str, Meta(max_length=16)] = ""
    approval: Approval | None = None


class Signup(_Ask, frozen=True):
    """A new member. ``card`` or ``tap`` (of an unknown card) is theirs from now on."""

    name: Annotated[str, Meta(max_length=400)]
    language: Annotated[str, Meta(max_length=5)] = "en"
    phone: Annotated[str, Meta(max_length=40)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    birthday: dt.date | None = None
    card: Annotated[str, Meta(max_length=40)] = ""
    tap: int | None = None
    consents: tuple[Agreement, ...] = ()


class Agreement(_Ask, frozen=True):
    """A yes or no to one purpose, and the sentence that was read."""

    purpose: Annotated[str, Meta(max_length=16)]
    given: bool
    text: Annotated[str, Meta(max_length=500)]


class Redeem(_Ask, frozen=True):
    """One of: a ``reward``, an ``amount`` of ``unit``, a ``coupon``; on the receipt ``lines``.

    ``approval`` is needed where a card can be copied and nobody was found by phone.
    """

    who: Who
    reward: Annotated[str, Meta(max_length=40)] = ""
    amount: Amount | None = None
    unit: Name = "point"
    coupon: Annotated[str, Meta(max_length=40)] = ""
    lines: tuple[Item, ...] = ()
    approval: Approval | None = None


class Commit(_Ask, frozen=True):
    """The sale of a hold was paid."""

    hold: Name


class Release(_Ask, frozen=True):
    """The sale of a hold will not be paid."""

    hold: Name
    reason: Text = ""


class Reverse(_Ask, frozen=True):
    """One of: an ``entry``, a ``receipt``'s sale, a ``redemption``; after a minute say why."""

    entry: int | None = None
    receipt: Annotated[str, Meta(max_length=40)] = ""
    redemption: int | None = None
    shop: Annotated[str, Meta(max_length=16)] = ""
    reason: Text = ""
    approval: Approval | None = None


class Refund(_Ask, frozen=True):
    """The ``lines`` (ids) of a receipt that came back; none named: all that are left."""

    receipt: Name
    lines: tuple[Annotated[str, Meta(max_length=48)], ...] = ()
    shop: Annotated[str, Meta(max_length=16)] = ""
    reason: Text = ""


class Transfer(_Ask, frozen=True):
    """``amount`` of ``unit`` from ``who`` to another member."""

    who: Who
    to: Who
    amount: Amount
    unit: Name = "point"
    approval: Approval | None = None


class Goodwill(_Ask, frozen=True):
    """``amount`` given away by a cashier, and why."""

    who: Who
    amount: Amount
    reason: Text
    unit: Name = "point"
    approval: Approval | None = None


class TopUp(_Ask, frozen=True):
    """Money put on the card."""

    who: Who
    amount_minor: Amount
    reference: Text = ""


class Pay(_Ask, frozen=True):
    """Money paid from the card."""

    who: Who
    amount_minor: Amount
    reference: Text = ""
    approval: Approval | None = None


class BuyMembership(_Ask, frozen=True):
    """The program's paid membership, bought from today on or after the one that runs."""

    who: Who


class EndMembership(_Ask, frozen=True):
    """The paid membership is given back today, that day still used."""

    who: Who
    reason: Text = ""


class GiveCoupon(_Ask, frozen=True):
    """A coupon for ``reward``: for one member alone, or for whoever brings it (``who`` None)."""

    reward: Name
    who: Who | None = None
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None
