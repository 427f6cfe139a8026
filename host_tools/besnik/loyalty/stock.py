"""What a reward's stock and a coupon go through: reserved, then given or let go.

A reservation that nobody settles ends by itself, so a till that dies keeps nothing back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from besnik.loyalty.rewards import RewardError

HOLD_FOR: Final = dt.timedelta(minutes=10)

CouponState = Literal["issued", "reserved", "redeemed", "cancelled", "expired"]


class Stock(msgspec.Struct, frozen=True):
    """``left`` pieces, those reserved included; ``held`` says until when, by reservation."""

    left: int
    held: Mapping[str, dt.datetime] = msgspec.field(default_factory=dict)

    def free(self, at: dt.datetime) -> int:
        """Return how many can still be reserved at ``at``."""
        return self.left - len(_running(self, at))


def reserve(stock: Stock, key: str, at: dt.datetime, keep: dt.timedelta = HOLD_FOR) -> Stock:
    """Return the stock with one piece reserved as ``key``; RewardError if none is left."""
    running = _running(stock, at)
    if key not in running and stock.left <= len(running):
        raise RewardError("sold_out", "the last piece of this reward is gone: offer another one")
    return Stock(stock.left, {**running, key: at + keep})


def give(stock: Stock, key: str, at: dt.datetime) -> Stock:
    """Return the stock after the piece reserved as ``key`` was given."""
    running = _running(stock, at)
    if key not in running:
        raise RewardError("hold_ended", "the reservation has ended: reserve the reward again")
    del running[key]
    return Stock(stock.left - 1, running)


def release(stock: Stock, key: str, at: dt.datetime) -> Stock:
    """Return the stock without the reservation ``key``; nothing happens if it had ended."""
    running = _running(stock, at)
    running.pop(key, None)
    return Stock(stock.left, running)


class Coupon(msgspec.Struct, frozen=True):
    """A code that gives ``reward`` once; ``member`` None is for whoever brings it.

    ``until`` is when it ends (aware), ``held_until`` when its reservation does.
    """

    code: str
    reward: str
    member: int | None = None
    until: dt.datetime | None = None
    state: CouponState = "issued"
    held_until: dt.datetime | None = None

    def state_at(self, at: dt.datetime) -> CouponState:
        """Return the state at ``at``: a reservation or the coupon itself may have ended."""
        state = self.state
        if state == "reserved" and self.held_until is not None and self.held_until <= at:
            state = "issued"
        if state == "issued" and self.until is not None and self.until <= at:
            return "expired"
        return state


def reserve_coupon(
    coupon: Coupon, member: int, at: dt.datetime, keep: dt.timedelta = HOLD_FOR
) -> Coupon:
    """Return the coupon reserved for a sale of ``member``; RewardError says why it cannot be."""
    if coupon.member is not None and coupon.member != member:
        raise RewardError("not_yours", "this coupon was given to another member")
    _expect(coupon, "issued", at)
    return msgspec.structs.replace(coupon, state="reserved", held_until=at + keep)


def redeem_coupon(coupon: Coupon, at: dt.datetime) -> Coupon:
    """Return the reserved coupon as used; RewardError if it is not reserved any more."""
    _expect(coupon, "reserved", at)
    return msgspec.structs.replace(coupon, state="redeemed", held_until=None)


def release_coupon(coupon: Coupon) -> Coupon:
    """Return a reserved coupon as issued; any other as it is."""
    if coupon.state != "reserved":
        return coupon
    return msgspec.structs.replace(coupon, state="issued", held_until=None)


def cancel_coupon(coupon: Coupon, at: dt.datetime) -> Coupon:
    """Return the coupon cancelled by the shop; RewardError if it was used before."""
    _expect(coupon, "issued", at)
    return msgspec.structs.replace(coupon, state="cancelled")


def _expect(coupon: Coupon, state: CouponState, at: dt.datetime) -> None:
    found = coupon.state_at(at)
    if found != state:
        raise RewardError(f"coupon_{found}", f"this coupon is {found}, not {state}")


def _running(stock: Stock, at: dt.datetime) -> dict[str, dt.datetime]:
    return {key: until for key, until in stock.held.items() if at < until}
