"""What the till answers: one struct for each verb, as the API writes it to JSON.

Amounts by unit: points, stamps, items whole, money in minor units. ``repeat`` is true when the
same request had been done before and this is its first answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from besnik.loyalty.lots import Balances
from besnik.store.till.asks import Item


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer has."""

    repeat: bool = False


class Match(msgspec.Struct, frozen=True):
    """A member who may be meant, and ``by`` what; ``phone`` is masked, ``cards`` are tails.

    ``tap`` is the visit of somebody who is present, and ``may_redeem`` whether it may pay.
    """

    member: str
    name: str
    phone: str
    status: str
    by: str
    cards: tuple[str, ...] = ()
    tap: int | None = None
    may_redeem: bool = False


class Found(Result, frozen=True):
    """The members who may be meant, the surest first."""

    matches: tuple[Match, ...]


class RewardLine(msgspec.Struct, frozen=True):
    """A reward of the catalogue for this member.

    ``times`` it can be had now. ``full`` and ``rest``: how often the balance pays for it, and
    what is then on the way to the next. ``off_minor``: what it takes off, where that is fixed.
    """

    reward: str
    title: str
    cost: int
    unit: str
    times: int
    full: int
    rest: int
    left: int | None = None
    off_minor: int | None = None


class Tier(msgspec.Struct, frozen=True):
    """The tier held; ``missing`` to ``next`` in the plan's measure (money in minor units)."""

    level: int
    name: str
    benefits: tuple[str, ...] = ()
    until: dt.date | None = None
    next: str = ""
    missing: int | None = None


class Membership(msgspec.Struct, frozen=True):
    """A paid membership and what it gives now."""

    first_day: dt.date
    last_day: dt.date
    benefits: tuple[str, ...]


class CouponLine(msgspec.Struct, frozen=True):
    """A coupon that can be used; ``code`` is said once, to whoever it was issued by."""

    reward: str
    title: str
    tail: str
    until: dt.datetime | None = None
    code: str = ""


class Expiring(msgspec.Struct, frozen=True):
    """What runs out after ``last_day``."""

    unit: str
    last_day: dt.date
    amount: int


class Inquiry(Result, frozen=True):
    """What a member has. ``worth_minor`` is the balance in money by the best reward."""

    member: str
    name: str
    language: str
    status: str
    since: dt.datetime
    currency: str
    exponent: int
    balances: Mapping[str, Balances]
    worth_minor: int | None
    stored_minor: int
    tier: Tier | None
    membership: Membership | None
    benefits: tuple[str, ...]
    now: tuple[str, ...]
    rewards: tuple[RewardLine, ...]
    coupons: tuple[CouponLine, ...]
    expiring: tuple[Expiring, ...]
    said: str


class Part(msgspec.Struct, frozen=True):
    """What one rule added, or a cap took away."""

    rule: str
    unit: str
    amount: int


class Previewed(Result, frozen=True):
    """What a sale would earn, by way of paying and unit; ``parts`` of the first way.

    ``unusual``: the amount is far above this member's or till's last ones; ask before it is booked.
    """

    earned: Mapping[str, Mapping[str, int]]
    parts: tuple[Part, ...]
    unusual: bool = False


class Given(msgspec.Struct, frozen=True):
    """A reward that was given: ``redemption`` names it, ``entry`` is what it cost, if anything."""

    redemption: int
    reward: str
    title: str
    off_minor: int
    entry: int | None = None


class Accrued(Result, frozen=True):
    """A sale that was recorded, and what it earned; ``member`` empty: nobody's yet.

    ``coupons`` were earned by it, ``rewards`` are the holds that were committed with it. ``note``
    says why nothing was earned.
    """

    sale: int
    receipt: str
    member: str = ""
    entry: int | None = None
    earned: Mapping[str, int] = msgspec.field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    balances: Mapping[str, Balances] = msgspec.field(default_factory=dict)
    tier: str = ""
    tier_reached: str = ""
    coupons: tuple[CouponLine, ...] = ()
    rewards: tuple[Given, ...] = ()
    note: str = ""


class Redeemed(Result, frozen=True):
    """A reward or an amount that was used; ``lines`` is the receipt with it.

    ``off_minor``: what it takes off, None where an amount has no price.
    """

    member: str
    redemption: int
    reward: str
    title: str
    unit: str
    cost: int
    off_minor: int | None
    lines: tuple[Item, ...]
    balances: Mapping[str, Balances]
    entry: int | None = None


class Held(Result, frozen=True):
    """What is reserved for a sale until ``until``; otherwise as Redeemed."""

    member: str
    hold: str
    until: dt.datetime
    reward: str
    title: str
    unit: str
    cost: int
    off_minor: int | None
    lines: tuple[Item, ...]
    balances: Mapping[str, Balances]


class Committed(Result, frozen=True):
    """A hold that was settled, and the reward it gave."""

    member: str
    given: Given
    balances: Mapping[str, Balances]


class Released(Result, frozen=True):
    """A hold that was let go."""

    member: str
    hold: str
    balances: Mapping[str, Balances]


class Reversed(Result, frozen=True):
    """What was taken back (below zero) or given back, by unit, to each member's balance."""

    member: str
    entry: int | None
    changed: Mapping[str, int]
    balances: Mapping[str, Balances]
    receipt: str = ""


class Refunded(Result, frozen=True):
    """Lines that came back: ``amount_minor`` of goods, what was taken back, what was restored."""

    receipt: str
    amount_minor: int
    lines: tuple[str, ...]
    member: str = ""
    taken: Mapping[str, int] = msgspec.field(default_factory=dict)
    restored: Mapping[str, int] = msgspec.field(default_factory=dict)
    balances: Mapping[str, Balances] = msgspec.field(default_factory=dict)
    tier: str = ""


class Moved(Result, frozen=True):
    """A receipt that is another member's now; ``member`` is the new one."""

    receipt: str
    member: str
    before: str
    earned: Mapping[str, int]
    balances: Mapping[str, Balances]


class Transferred(Result, frozen=True):
    """What was given to another member."""

    entry: int
    member: str
    to: str
    unit: str
    amount: int
    balances: Mapping[str, Balances]


class Adjusted(Result, frozen=True):
    """Goodwill that was given; ``approved_by`` is the user name of who agreed."""

    entry: int
    member: str
    unit: str
    amount: int
    balances: Mapping[str, Balances]
    approved_by: str = ""


class Stored(Result, frozen=True):
    """Money put on or paid from a card, and what is on it now."""

    entry: int
    member: str
    amount_minor: int
    stored_minor: int


class Joined(Result, frozen=True):
    """A new member; ``gift`` by unit, empty where the person had it before or gave no phone."""

    member: str
    name: str
    gift: Mapping[str, int]
    balances: Mapping[str, Balances]
    link: str


class Bought(Result, frozen=True):
    """A paid membership that was bought."""

    member: str
    fee_minor: int
    membership: Membership


class Ended(Result, frozen=True):
    """A paid membership that was given back: what is paid back, and its last day."""

    member: str
    back_minor: int
    last_day: dt.date


class CouponGiven(Result, frozen=True):
    """A coupon that was issued; its code is said here and kept nowhere in the clear."""

    coupon: CouponLine
    member: str = ""
