"""The parts of a member's own page. Amounts are whole numbers of their unit."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.program import Program
from besnik.loyalty.texts.catalogue import Message
from besnik.store.glance import BalanceLine

_MOST_PUNCHES: Final = 12


class TierRow(msgspec.Struct, frozen=True):
    """One tier: how to get there, and what it gives."""

    name: str
    how: Message
    gives: tuple[Message, ...]


class TierShown(msgspec.Struct, frozen=True):
    """The tier held; ``share`` (0 to 100) of the way to the next is behind, ``missing`` ahead.

    ``rows`` say what every tier needs and gives, ``window`` what counts; ``pace`` when the next
    one is reached if it goes on like this. ``missing`` and ``pace`` are None on the highest.
    """

    name: str
    next: str
    share: int
    missing: Message | None
    pace: Message | None
    rows: tuple[TierRow, ...]
    window: tuple[Message, ...]


class RewardShown(msgspec.Struct, frozen=True):
    """A reward: ``times`` it can be had now; ``missing`` of ``unit`` until the next one."""

    title: str
    text: Message
    unit: Unit
    cost: int
    times: int
    have: int
    missing: int
    sold_out: bool

    @property
    def share(self) -> int:
        """Return how much of the way is behind, from 0 to 100."""
        return 100 if self.times else min(100, self.have * 100 // max(1, self.cost))

    @property
    def punches(self) -> tuple[bool, ...]:
        """Return the boxes of a punch card, those ticked first; none where points are counted."""
        if self.unit != "stamp" or not 1 < self.cost <= _MOST_PUNCHES:
            return ()
        ticked = self.cost if self.times else self.have
        return tuple(place < ticked for place in range(self.cost))


class CouponShown(msgspec.Struct, frozen=True):
    """A coupon that can be used, with its code; ``until`` None is without end."""

    title: str
    code: str
    until: dt.datetime | None


class Expiring(msgspec.Struct, frozen=True):
    """What runs out after ``last_day`` if nothing of it is spent."""

    unit: Unit
    last_day: dt.date
    amount: int


class HistoryLine(msgspec.Struct, frozen=True):
    """One thing that changed a balance: by how much of each unit, where, on which receipt.

    ``title`` is the reward that was had, ``paid_minor`` what a purchase cost.
    """

    entry: int
    at: dt.datetime
    kind: str
    amounts: tuple[tuple[Unit, int], ...]
    shop: str
    receipt: str
    paid_minor: int | None
    title: str
    visit: bool


class History(msgspec.Struct, frozen=True):
    """A page of history, the newest first; ``older`` begins the next page, None on the last."""

    lines: tuple[HistoryLine, ...]
    older: int | None


class OwnPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything but history; ``money_minor`` None where the program keeps no money.

    ``rules``, the tier's ``rows`` and ``window``, and each reward's ``text`` are together all that
    `besnik.loyalty.text` says of the program. ``code`` is that of a printed card, or "".
    """

    program: Program
    balances: tuple[BalanceLine, ...]
    money_minor: int | None
    tier: TierShown | None
    services: tuple[str, ...]
    rewards: tuple[RewardShown, ...]
    coupons: tuple[CouponShown, ...]
    expiring: tuple[Expiring, ...]
    rules: tuple[Message, ...]
    code: str
