"""Rewards of four kinds, and what each does to a receipt, exact to the minor unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.rules import MOST_DAYS, WHOLE_BP, within
from besnik.loyalty.sale import Line


class AmountOff(msgspec.Struct, frozen=True, tag="amount_off"):
    """``amount_minor`` off the receipt, never more than it costs."""

    amount_minor: int


class PercentOff(msgspec.Struct, frozen=True, tag="percent_off"):
    """A share off the receipt, rounded down in the shop's favour, at most ``most_minor``."""

    share_bp: int
    most_minor: int | None = None


class FreeItem(msgspec.Struct, frozen=True, tag="free_item"):
    """The dearest single item that costs at most ``up_to_minor``, of ``categories`` if any."""

    up_to_minor: int | None = None
    categories: tuple[str, ...] = ()


class Access(msgspec.Struct, frozen=True, tag="access"):
    """A service or an experience: a line of 0 with its title, for whoever has to provide it."""


RewardKind = AmountOff | PercentOff | FreeItem | Access


class RewardError(ValueError):
    """The reward cannot be given; ``code`` says why to a program, the text to a person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Reward(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the catalogue; a change is a new ``version`` with the same ``id``.

    ``cost`` is in whole ``unit``. ``stock`` None is without end. ``levels``: the tiers that may
    have it, ``member``: the only member who may. Days are inclusive. With ``coupon_days`` nobody
    has to ask for it: whoever has enough gets a coupon, good for so many days.
    """

    id: str
    title: str
    kind: RewardKind
    cost: int
    unit: Unit = "point"
    version: int = 1
    stock: int | None = None
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    levels: tuple[int, ...] = ()
    member: int | None = None
    coupon_days: int | None = None

    def __post_init__(self) -> None:
        subject = f"reward {self.id}"
        within(subject, 0, cost=self.cost, stock=self.stock or 0)
        within(subject, 1, MOST_DAYS, coupon_days=self.coupon_days or 1)
        if self.coupon_days is not None:
            within(subject, 1, cost=self.cost)
        if isinstance(self.kind, PercentOff):
            within(subject, 1, WHOLE_BP, share_bp=self.kind.share_bp)
            within(subject, 0, most_minor=self.kind.most_minor or 0)
        if isinstance(self.kind, AmountOff):
            within(subject, 1, amount_minor=self.kind.amount_minor)


def allow(reward: Reward, member: int, level: int, day: dt.date) -> None:
    """Raise RewardError unless ``member`` of tier ``level`` may have the reward on ``day``."""
    if reward.member is not None and reward.member != member:
        raise RewardError("not_yours", "this reward was given to another member")
    if reward.levels and level not in reward.levels:
        raise RewardError("tier", "this reward is for another tier")
    if reward.first_day is not None and day < reward.first_day:
        raise RewardError("too_early", f"this reward can be had from {reward.first_day} on")
    if reward.last_day is not None and day > reward.last_day:
        raise RewardError("too_late", f"this reward could be had until {reward.last_day}")


def affordable(reward: Reward, active: int) -> tuple[int, int]:
    """Return how often ``active`` of its unit pays for the reward, and what is then left.

    Of stamps: how many cards are full, and what is on the next one.
    """
    return divmod(max(0, active), max(1, reward.cost))


def apply(reward: Reward, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the receipt's lines with the reward; RewardError if it does nothing to them."""
    kind = reward.kind
    if isinstance(kind, FreeItem):
        return _free_item(reward.title, kind, lines)
    if isinstance(kind, Access):
        return (*lines, Line(f"reward-{reward.id}", 0, category=reward.title, reward=True))
    total = sum(line.amount_minor for line in lines)
    if isinstance(kind, AmountOff):
        off = min(kind.amount_minor, total)
    else:
        off = total * kind.share_bp // WHOLE_BP
        off = off if kind.most_minor is None else min(off, kind.most_minor)
    if off <= 0:
        raise RewardError("nothing_off", "this receipt has nothing that the reward makes cheaper")
    return tuple(_spread(lines, off, total))


def _spread(lines: Sequence[Line], off: int, total: int) -> list[Line]:
    """Take ``off`` from the lines in proportion; what is left over goes to the largest rests."""
    shares = [line.amount_minor * off // total for line in lines]
    by_rest = sorted(
        range(len(lines)), key=lambda place: (-(lines[place].amount_minor * off % total), place)
    )
    for place in by_rest[: off - sum(shares)]:
        shares[place] += 1
    return [
        msgspec.structs.replace(line, amount_minor=line.amount_minor - share)
        for line, share in zip(lines, shares, strict=True)
    ]


def _free_item(title: str, kind: FreeItem, lines: Sequence[Line]) -> tuple[Line, ...]:
    fitting = [
        (line.amount_minor // line.quantity, -place)
        for place, line in enumerate(lines)
        if not line.reward
        and line.amount_minor > 0
        and (not kind.categories or line.category in kind.categories)
        and (kind.up_to_minor is None or line.amount_minor // line.quantity <= kind.up_to_minor)
    ]
    if not fitting:
        raise RewardError("no_item", f"no item on this receipt can be had for {title!r}")
    price, place = max(fitting)
    line = lines[-place]
    gift = Line(f"{line.id}-gift", 0, 1, line.category, reward=True)
    changed: tuple[Line, ...] = (gift,)
    if line.quantity > 1:
        rest = msgspec.structs.replace(
            line, amount_minor=line.amount_minor - price, quantity=line.quantity - 1
        )
        changed = (rest, gift)
    return (*lines[:-place], *changed, *lines[-place + 1 :])
