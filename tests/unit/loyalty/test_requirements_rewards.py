"""Rows of the requirements on rewards, stored value and what ends, with their numbers."""

from __future__ import annotations

import datetime as dt
import random

import msgspec
import pytest

from besnik.loyalty import operations
from besnik.loyalty.accrual import NotEarningError
from besnik.loyalty.guards import Goodwill, activity, goodwill
from besnik.loyalty.ledger import NewLot
from besnik.loyalty.lots import InsufficientError
from besnik.loyalty.membership import Sunset, benefits, buy, fee_back
from besnik.loyalty.periods import PeriodEnd
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
from besnik.loyalty.templates import cafe_stamps, paid_vip, savings
from support.points import Points
from support.shop import ANNA, BASIS, BEN, NOON, Shop

RECEIPT = (Line("1", 1_250), Line("2", 300), Line("3", 449))


def reward(kind: RewardKind, **fields: object) -> Reward:
    return msgspec.convert(
        {"id": "r", "title": "reward", "kind": kind, "cost": 50, **fields}, Reward
    )


def test_L16_goodwill_above_a_hundred_needs_a_pin() -> None:
    limit = Goodwill(alone=100, a_day=500)
    assert goodwill(limit, 50, given_today=0) == "allowed"
    assert goodwill(limit, 100, given_today=0) == "allowed"
    assert goodwill(limit, 101, given_today=0) == "needs_pin"
    assert goodwill(limit, 50, given_today=451) == "refused"
    assert goodwill(limit, 0, given_today=0) == "refused"
    shop = Shop(savings(BASIS))
    lot = NewLot(ANNA, "point", 50, NOON, NOON)
    entry = operations.accrue(3, lot, source="adjusted", kind="adjust", reason="complaint")
    shop.journal.append(entry)
    assert (shop.have(), shop.journal.balance(3, None, "point", "adjusted")) == (50, -50)


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


def test_L35_a_paid_membership_lasts_365_days_and_is_refunded_pro_rata() -> None:
    plan = paid_vip(BASIS).paid
    assert plan is not None
    first = dt.date(2026, 3, 1)
    bought = buy(plan, first)
    assert benefits(plan, bought, first + dt.timedelta(days=364)) == ("free delivery",)
    assert benefits(plan, bought, first + dt.timedelta(days=365)) == ()
    assert benefits(plan, bought, first - dt.timedelta(days=1)) == ()
    assert fee_back(bought, first + dt.timedelta(days=72)) == 4_800, "73 of 365 days were used"
    assert fee_back(bought, first - dt.timedelta(days=1)) == 6_000
    assert fee_back(bought, bought.last_day) == 0
    renewed = buy(plan, first + dt.timedelta(days=100), bought)
    assert renewed.first_day == bought.last_day + dt.timedelta(days=1)


def test_L44_a_program_ends_with_notice_and_nothing_owed() -> None:
    announced = dt.date(2026, 6, 2)
    program = msgspec.structs.replace(savings(BASIS), sunset=Sunset(announced, 90))
    shop = Shop(program)
    shop.sell(4_700)
    day_1 = dt.datetime(2026, 6, 2, 8, tzinfo=dt.UTC)
    with pytest.raises(NotEarningError):
        shop.accrue(simple_sale(1_000, day_1))
    assert program.sunset is not None
    day_90 = announced + dt.timedelta(days=89)
    assert program.sunset.may_burn(day_90)
    assert not program.sunset.may_burn(day_90 + dt.timedelta(days=1))
    shop.redeem(40, at=day_1 + dt.timedelta(days=89))
    lots = shop.journal.lots_of(ANNA, "point")
    ended = operations.expire(3, lots, day_1 + dt.timedelta(days=90), everything=True)
    assert ended is not None
    assert ended.reason == "breakage"
    shop.journal.append(ended)
    assert shop.journal.balance(3, ANNA, "point") == 0
    assert shop.journal.balance(3, None, "point", "expired") == 7


def test_L61_the_fourth_of_three_is_refused() -> None:
    stock = Stock(3)
    for number in range(3):
        stock = give(reserve(stock, f"sale-{number}", NOON), f"sale-{number}", NOON)
    with pytest.raises(RewardError) as refused:
        reserve(stock, "sale-4", NOON)
    assert refused.value.code == "sold_out"


def test_L62_points_of_2026_are_usable_until_the_end_of_january() -> None:
    program = msgspec.structs.replace(
        savings(BASIS), expiry={"point": PeriodEnd(months=12, grace_days=31)}
    )
    shop = Shop(program)
    shop.sell(4_700)
    last = dt.datetime(2027, 1, 31, 23, 59, 59, tzinfo=program.tz)
    assert shop.have(at=last) == 47
    assert operations.expire(3, shop.journal.lots_of(ANNA, "point"), last) is None
    after = dt.datetime(2027, 2, 1, 0, 0, 1, tzinfo=program.tz)
    assert shop.have(at=after) == 0
    entry = operations.expire(3, shop.journal.lots_of(ANNA, "point"), after)
    assert entry is not None
    assert shop.journal.append(entry).entry.postings[0].amount == -47


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


def test_L104_a_gift_is_a_line_of_nothing() -> None:
    lines = apply(reward(Access(), title="umbrella"), RECEIPT)
    assert lines[:-1] == RECEIPT
    assert (lines[-1].amount_minor, lines[-1].category, lines[-1].reward) == (0, "umbrella", True)


def test_L8_a_member_who_stays_away_has_lapsed_until_the_next_sale() -> None:
    today = dt.date(2026, 6, 1)
    assert activity(today - dt.timedelta(days=91), today, 90) == "lapsed"
    assert activity(today - dt.timedelta(days=90), today, 90) == "active"
    assert activity(today, today, 90) == "active"
    assert activity(None, today, 90) == "new"
