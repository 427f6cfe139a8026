"""Rows of the requirements on rewards, coupons and stored value, with their numbers."""

from __future__ import annotations

import datetime as dt
import random

import msgspec
import pytest

from besnik.loyalty.lots import InsufficientError
from besnik.loyalty.rewards import (
    Access,
    AmountOff,
    FreeItem,
    PercentOff,
    Reward,
    RewardError,
    RewardKind,
    affordable,
    allow,
    apply,
)
from besnik.loyalty.sale import Line, simple_sale
from besnik.loyalty.stock import (
    HOLD_FOR,
    Coupon,
    Stock,
    cancel_coupon,
    give,
    redeem_coupon,
    release,
    release_coupon,
    reserve,
    reserve_coupon,
)
from besnik.loyalty.templates import cafe_stamps
from support.points import Points
from support.shop import ANNA, BASIS, BEN, NOON, Shop

RECEIPT = (Line("1", 1_250), Line("2", 300), Line("3", 449))


def reward(kind: RewardKind, **fields: object) -> Reward:
    return msgspec.convert(
        {"id": "r", "title": "reward", "kind": kind, "cost": 50, **fields}, Reward
    )


@pytest.mark.parametrize(
    ("kind", "amounts_minor"),
    [
        (AmountOff(500), [937, 225, 337]),
        (AmountOff(9_999), [0, 0, 0]),
        (PercentOff(1_000), [1_126, 270, 404]),
        (PercentOff(5_000, most_minor=100), [1_187, 285, 427]),
        (FreeItem(), [0, 300, 449]),
        (FreeItem(up_to_minor=400), [1_250, 0, 449]),
        (Access(), [1_250, 300, 449, 0]),
    ],
)
def test_L21_each_kind_of_reward_exact_to_the_cent(
    kind: RewardKind, amounts_minor: list[int]
) -> None:
    lines = apply(reward(kind), RECEIPT)
    assert [line.amount_minor for line in lines] == amounts_minor


def test_L21_what_a_reward_takes_off_is_never_a_cent_more_or_less() -> None:
    chance = random.Random(21)
    for _ in range(300):
        lines = [Line(str(n), chance.randint(0, 999)) for n in range(chance.randint(1, 6))]
        total, off = sum(line.amount_minor for line in lines), chance.randint(1, 3_000)
        if total:
            after = apply(reward(AmountOff(off)), lines)
            assert sum(line.amount_minor for line in after) == max(0, total - off)
            assert min(line.amount_minor for line in after) >= 0
    with pytest.raises(RewardError, match="nothing"):
        apply(reward(PercentOff(1)), [Line("1", 9_999)])


def test_L61_the_fourth_of_three_is_refused() -> None:
    stock = Stock(3)
    for number in range(3):
        stock = give(reserve(stock, f"sale-{number}", NOON), f"sale-{number}", NOON)
    with pytest.raises(RewardError) as refused:
        reserve(stock, "sale-4", NOON)
    assert refused.value.code == "sold_out"


def test_L78_what_was_held_comes_back_before_paying() -> None:
    points = Points()
    points.earn(50)
    held = points.hold(40)
    stock = reserve(Stock(1), "sale-1", NOON)
    assert (points.balances().active, stock.free(NOON)) == (10, 0)
    points.release(held)
    stock = release(stock, "sale-1", NOON)
    assert (points.balances().active, stock.free(NOON)) == (50, 1)
    kinds = [written.entry.kind for written in points.journal.entries]
    assert kinds == ["accrue", "hold", "release"], "both stay visible, and come to nothing"
    assert points.account(None, "burned") == 0


def test_L78_a_hold_that_nobody_settles_ends_by_itself() -> None:
    stock = reserve(Stock(1), "sale-1", NOON)
    with pytest.raises(RewardError):
        reserve(stock, "sale-2", NOON + HOLD_FOR - dt.timedelta(seconds=1))
    taken = reserve(stock, "sale-2", NOON + HOLD_FOR)
    with pytest.raises(RewardError) as late:
        give(taken, "sale-1", NOON + HOLD_FOR)
    assert late.value.code == "hold_ended"
    assert reserve(stock, "sale-1", NOON).held.keys() == {"sale-1"}, "a retry reserves nothing more"


def test_L88_a_coupon_of_one_member_is_refused_for_another() -> None:
    coupon = Coupon("K7", "r", member=ANNA)
    with pytest.raises(RewardError) as refused:
        reserve_coupon(coupon, BEN, NOON)
    assert refused.value.code == "not_yours"
    assert reserve_coupon(coupon, ANNA, NOON).state == "reserved"
    with pytest.raises(RewardError, match="another member"):
        allow(reward(Access(), member=ANNA), BEN, 0, NOON.date())


def test_L91_five_purchases_give_a_coupon_that_works_once() -> None:
    shop = Shop(cafe_stamps(BASIS, stamps=5))
    (free_coffee,) = shop.program.rewards
    coffee = msgspec.structs.replace(
        simple_sale(250, NOON), lines=(Line("1", 250, category="coffee"),)
    )
    for number in range(5):
        assert affordable(free_coffee, shop.have("stamp"))[0] == 0
        shop.sell(coffee, key=f"sale-{number}")
    assert affordable(free_coffee, shop.have("stamp")) == (1, 0)
    shop.redeem(5, "stamp")
    used = redeem_coupon(reserve_coupon(Coupon("K7", free_coffee.id, ANNA), ANNA, NOON), NOON)
    for again in (lambda: reserve_coupon(used, ANNA, NOON), lambda: cancel_coupon(used, NOON)):
        with pytest.raises(RewardError) as refused:
            again()
        assert refused.value.code == "coupon_redeemed"


def test_L91_a_coupon_ends_and_its_reservation_too() -> None:
    until = NOON + dt.timedelta(days=30)
    coupon = Coupon("K7", "r", until=until)
    assert (coupon.state_at(NOON), coupon.state_at(until)) == ("issued", "expired")
    held = reserve_coupon(coupon, BEN, NOON)
    assert held.state_at(NOON + HOLD_FOR) == "issued"
    with pytest.raises(RewardError):
        redeem_coupon(held, NOON + HOLD_FOR)
    assert release_coupon(held).state == "issued"
    assert cancel_coupon(coupon, NOON).state == "cancelled"


def test_L103_stored_value_is_money_apart_from_points() -> None:
    money = Points("EUR")
    money.earn(5_000)
    money.burn(1_840)
    assert money.balances().active == 3_160
    with pytest.raises(InsufficientError, match="at most 3160"):
        money.burn(3_161)
    assert money.journal.balance(3, ANNA, "point") == 0


@pytest.mark.parametrize(
    ("fields", "level", "code"),
    [
        ({"first_day": dt.date(2026, 6, 1), "last_day": dt.date(2026, 6, 1)}, 0, None),
        ({"first_day": dt.date(2026, 6, 2)}, 0, "too_early"),
        ({"last_day": dt.date(2026, 5, 31)}, 0, "too_late"),
        ({"levels": (1, 2)}, 0, "tier"),
        ({"levels": (1, 2)}, 2, None),
        ({"member": BEN}, 0, "not_yours"),
    ],
)
def test_L61_the_catalogue_says_who_may_have_what_and_when(
    fields: dict[str, object], level: int, code: str | None
) -> None:
    found = None
    try:
        allow(reward(Access(), **fields), ANNA, level, dt.date(2026, 6, 1))
    except RewardError as refused:
        found = refused.code
    assert found == code


def test_L104_a_gift_is_a_line_of_nothing() -> None:
    lines = apply(reward(Access(), title="umbrella"), RECEIPT)
    assert lines[:-1] == RECEIPT
    assert (lines[-1].amount_minor, lines[-1].category, lines[-1].reward) == (0, "umbrella", True)
