"""What is to be given for what: a reward, an amount or a coupon, worked out on a receipt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import AmountOff, Reward, RewardError, allow, apply
from besnik.loyalty.sale import Line
from besnik.loyalty.stock import redeem_coupon, reserve_coupon
from besnik.store.models import Coupon, Member, Reservation, RewardStock
from besnik.store.till import coupons, standing
from besnik.store.till.asks import Item, Redeem
from besnik.store.till.basket import line_of
from besnik.store.till.errors import TillError
from besnik.store.till.place import Place


class Offer(NamedTuple):
    """``cost`` of ``unit`` (0 with a coupon) for ``reward`` (None: an amount without a title).

    ``lines`` is the receipt with it, ``line`` the gift's line on it; ``off_minor`` None: no price.
    """

    reward: Reward | None
    unit: Unit
    cost: int
    off_minor: int | None
    lines: tuple[Item, ...]
    line: str
    coupon: Coupon | None = None

    @property
    def id(self) -> str:
        """The reward's id, "" for an amount."""
        return self.reward.id if self.reward else ""

    @property
    def title(self) -> str:
        """The reward's title, "" for an amount."""
        return self.reward.title if self.reward else ""


def offer(place: Place, program: Program, member: Member, ask: Redeem) -> Offer:
    """Return what ``member`` asks for; TillError if there is no such thing, or not for them."""
    if sum([bool(ask.reward), ask.amount is not None, bool(ask.coupon)]) != 1:
        raise TillError("nothing_asked")
    day = program.today(place.now)
    if program.sunset is not None and not program.sunset.may_burn(day):
        raise TillError("ended")
    if ask.amount is not None:
        return _amount(program, ask.unit, ask.amount, ask.lines)
    coupon = coupons.reserve(place, ask.coupon) if ask.coupon else None
    wanted = coupon.reward if coupon else ask.reward
    reward = next((each for each in program.rewards if each.id == wanted), None)
    if reward is None:
        raise TillError("reward_unknown")
    if coupon is None:
        allow(reward, member.pk, standing.level_of(program, member, place.now), day)
    off_minor, lines, line = _on_receipt(reward, ask.lines)
    cost = 0 if coupon else reward.cost
    return Offer(reward, reward.unit, cost, off_minor, lines, line, coupon)


def take_coupon(found: Offer, member: Member, now: dt.datetime) -> None:
    """Use the offer's coupon, if it is one; TillError or RewardError if it is not this member's."""
    if found.coupon is not None:
        held = reserve_coupon(coupons.state_of(found.coupon), member.pk, now)
        coupons.write_state(found.coupon, redeem_coupon(held, now))


def take_piece(program: Program, reward: Reward | None, now: dt.datetime) -> None:
    """Take one piece of the reward out of stock; RewardError if none is left."""
    stock = locked_stock(program, reward)
    if stock is None:
        return
    if stock.left <= running(stock, now):
        raise TillError("sold_out")
    RewardStock.objects.filter(pk=stock.pk).update(left=stock.left - 1)


def put_piece_back(program: int, reward: str) -> None:
    """Put one piece of a reward that came back into stock, where stock is counted."""
    stock = RewardStock.objects.filter(program=program, reward=reward).select_for_update().first()
    if stock is not None:
        RewardStock.objects.filter(pk=stock.pk).update(left=stock.left + 1)


def locked_stock(program: Program, reward: Reward | None) -> RewardStock | None:
    """Return the stock of a reward, locked; None where it is without end."""
    if reward is None:
        return None
    rows = RewardStock.objects.filter(program=program.id, reward=reward.id)
    if reward.stock is not None and not rows.exists():
        RewardStock.objects.bulk_create(
            [RewardStock(program_id=program.id, reward=reward.id, left=reward.stock)],
            ignore_conflicts=True,
        )
    return rows.select_for_update().first()


def running(stock: RewardStock, now: dt.datetime) -> int:
    """Return how many pieces are reserved at ``now``."""
    return Reservation.objects.filter(stock=stock, until__gt=now).count()


def price_of(program: Program, unit: Unit, amount: int) -> int | None:
    """Return what ``amount`` of a unit takes off by the best reward, None if no reward says so."""
    found = [
        amount * reward.kind.amount_minor // reward.cost
        for reward in program.rewards
        if isinstance(reward.kind, AmountOff) and reward.unit == unit and reward.cost
    ]
    return max(found, default=None)


def _amount(program: Program, unit: Unit, amount: int, items: Sequence[Item]) -> Offer:
    off_minor = price_of(program, unit, amount)
    lines, taken = tuple(items), off_minor
    if off_minor and items:
        reward = Reward(id="amount", title="", kind=AmountOff(off_minor), cost=amount, unit=unit)
        taken, lines, _ = _on_receipt(reward, items)
    return Offer(None, unit, amount, taken, lines, "")


def _on_receipt(reward: Reward, items: Sequence[Item]) -> tuple[int | None, tuple[Item, ...], str]:
    """Return what a reward takes off these lines, the lines with it, and its own line's id."""
    if not items:
        return reward.kind.amount_minor if isinstance(reward.kind, AmountOff) else None, (), ""
    after = apply(reward, [line_of(item) for item in items])
    titles = {item.id: item.title for item in items}
    taken = {item.id for item in items}
    lines, own = [], ""
    for line in after:
        title = titles.get(line.id) or titles.get(line.id.removesuffix("-gift"))
        made = _item(line, title or ("" if line.id in taken else reward.title))
        if line.reward and line.id not in taken:
            own = line.id[:48]
            made = msgspec.structs.replace(made, id=own)
        elif line.reward and not _was_reward(line.id, items):
            own = _free_id(line.id, taken)
            made = msgspec.structs.replace(made, id=own)
        lines.append(made)
    before = sum(item.amount_minor for item in items)
    return before - sum(line.amount_minor for line in lines), tuple(lines), own


def _was_reward(id: str, items: Sequence[Item]) -> bool:
    return any(item.id == id and item.reward for item in items)


def _free_id(id: str, taken: set[str]) -> str:
    number = 2
    while f"{id[:44]}-{number}" in taken:
        number += 1
    return f"{id[:44]}-{number}"


def _item(line: Line, title: str) -> Item:
    # A gift that is a service has its title where the engine has its category.
    service = line.reward and line.id.startswith("reward-")
    return Item(
        id=line.id,
        amount_minor=line.amount_minor,
        quantity=line.quantity,
        title=title[:80],
        category="" if service else line.category,
        reward=line.reward,
    )


__all__ = [
    "Offer",
    "RewardError",
    "locked_stock",
    "offer",
    "price_of",
    "put_piece_back",
    "running",
    "take_coupon",
    "take_piece",
]
