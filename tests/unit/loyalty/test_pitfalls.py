"""What has gone wrong in other systems (loyalty-domain, section 2) and cannot here.

The numbers are those of the list there; what only a reader, a page or a database can show is
tested where these are.
"""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from besnik.loyalty import operations
from besnik.loyalty.accrual import NotEarningError, accrue_gift, accrue_sale
from besnik.loyalty.engine import Standing
from besnik.loyalty.idempotency import KeyConflictError
from besnik.loyalty.ledger import NewLot
from besnik.loyalty.lots import Balances, InsufficientError, expiring
from besnik.loyalty.membership import JoiningGift, Sunset
from besnik.loyalty.periods import AfterDays, AfterMonths
from besnik.loyalty.reversal import AlreadyReversedError
from besnik.loyalty.rewards import FreeItem, Reward, apply
from besnik.loyalty.rules import PerAmount, RuleSet
from besnik.loyalty.sale import Line, simple_sale
from besnik.loyalty.templates import airline, savings
from besnik.loyalty.tiers import Counted, Tier, TierPlan, from_history
from support.points import PROGRAM, Points, day
from support.shop import ANNA, BASIS, BEN, NOON, Shop, receipt


def test_pitfall_1_a_queue_sent_again_doubles_nothing() -> None:
    shop = Shop(savings(BASIS))
    queue = [(f"till-1-00042-{number:06}", 1_000 + 100 * number) for number in range(20)]
    for _ in range(3):
        for key, amount_minor in queue:
            shop.sell(amount_minor, key=key)
    assert shop.have() == sum(10 + number for number in range(20))
    with pytest.raises(KeyConflictError):
        shop.sell(999_900, key=queue[0][0])


def test_pitfall_2_buying_and_refunding_for_ever_earns_nothing() -> None:
    shop = Shop(savings(BASIS))
    for number in range(50):
        sold = shop.sell(10_000, key=f"sale-{number}").written
        shop.undo(sold)
        with pytest.raises(AlreadyReversedError):
            shop.undo(sold)
    assert shop.have() == 0


def test_pitfall_2_spending_before_each_refund_is_owed_and_comes_to_an_end() -> None:
    shop = Shop(savings(BASIS))
    for number in range(10):
        sold = shop.sell(10_000, key=f"sale-{number}").written
        if shop.have() >= 50:
            shop.redeem(50)
        shop.undo(sold)
    assert shop.shown() == Balances(0, 0, 0, 100, 0, 100), "never more than one sale is worth"


def test_pitfall_3_a_refund_does_not_charge_the_redeemed_points_again() -> None:
    shop = Shop(savings(BASIS))
    shop.sell(10_000)
    redeemed = shop.redeem(50)
    sold = shop.sell(4_000, key="with-reward").written
    shop.undo(sold)
    assert shop.have() == 50, "the reward line was kept: its points stay spent, once"
    shop.undo(redeemed)
    assert shop.have() == 100


def test_pitfall_4_the_reward_s_line_earns_nothing() -> None:
    """Five bought and one free give five, not six."""
    reward = Reward(id="r", title="free coffee", kind=FreeItem(), cost=10, unit="stamp")
    lines = apply(reward, [Line("1", 6_00, quantity=6, category="coffee")])
    sale = msgspec.structs.replace(receipt(0), lines=lines)
    assert Shop(savings(BASIS)).accrue(sale).earned.totals == {"point": 5}
    assert sum(line.quantity for line in sale.earning()) == 5


def test_pitfall_5_a_member_may_spend_any_part_of_the_balance() -> None:
    points = Points()
    points.earn(100)
    for part in (1, 30, 69):
        points.burn(part)
    assert points.account() == 0


def test_pitfall_6_the_balance_is_its_history() -> None:
    points = Points()
    points.earn(100, until=30)
    points.earn(50, on=1)
    points.burn(20, on=2)
    points.expire(on=30)
    postings = [
        posting.amount
        for written in points.journal.entries
        for posting in written.entry.postings
        if posting.member == ANNA
    ]
    assert sum(postings) == points.account() == points.balances(30).active == 50


def test_pitfall_7_points_that_come_later_do_not_land_on_what_has_expired() -> None:
    points = Points()
    points.earn(10, until=5)
    points.earn(10, on=6, until=20)
    assert points.balances(6) == Balances(10, 0, 0, 0, 10, 0)


def test_pitfall_8_a_program_that_has_ended_takes_nobody_in() -> None:
    program = msgspec.structs.replace(savings(BASIS), sunset=Sunset(NOON.date(), 90))
    with pytest.raises(NotEarningError, match="nobody can join"):
        accrue_gift(program, ANNA, JoiningGift(10), NOON)


def test_pitfall_9_a_second_redemption_sees_what_the_first_left() -> None:
    points = Points()
    points.earn(100)
    points.burn(80)
    with pytest.raises(InsufficientError, match="at most 20"):
        points.burn(80)


def test_pitfall_10_the_same_points_are_redeemed_once() -> None:
    points = Points()
    points.earn(10)
    points.earn(10, on=1)
    points.burn(20, on=2)
    assert [lot.main for lot in points.journal.lots_of(ANNA, "point")] == [0, 0]
    with pytest.raises(InsufficientError, match="at most 0"):
        points.burn(1, on=3)


def test_pitfall_11_the_sale_that_reaches_a_tier_is_counted_with_the_tier_before_it() -> None:
    """196 points expected, 217 given: the higher tier was applied to the sale itself."""
    plan = TierPlan(
        tiers=(
            Tier(name="Bronze", threshold=0),
            Tier(name="Silver", threshold=15_000, times_bp=11_100),
        )
    )
    shop = Shop(msgspec.structs.replace(savings(BASIS), tiers=plan))
    sale = simple_sale(19_600, NOON)
    held = from_history(plan, [], sale.at.date(), NOON.date())
    standing = Standing(held.level, {"point": plan.tiers[held.level].times_bp})
    assert shop.accrue(sale, standing=standing).earned.totals["point"] == 196
    held = from_history(plan, [Counted(NOON.date(), 19_600)], NOON.date(), NOON.date())
    standing = Standing(held.level, {"point": plan.tiers[held.level].times_bp})
    assert shop.accrue(sale, standing=standing).earned.totals["point"] == 217


def test_pitfall_12_each_unit_has_its_own_expiry() -> None:
    program = msgspec.structs.replace(
        airline(BASIS, "A"), expiry={"point": AfterDays(30), "status": AfterMonths(12)}
    )
    entry = accrue_sale(program, ANNA, simple_sale(1_000, NOON), Standing(), {}).entry
    assert entry is not None
    local = {lot.unit: lot.expires_at for lot in entry.opens}
    midnight = dt.datetime(2026, 7, 2, tzinfo=program.tz)
    assert local["point"] == midnight
    assert local["status"] == dt.datetime(2027, 6, 2, tzinfo=program.tz)


def test_pitfall_13_a_sale_that_arrives_late_counts_by_the_rules_of_its_day() -> None:
    program = savings(BASIS)
    richer = RuleSet(
        version=2,
        first_day=dt.date(2026, 6, 2),
        rules=(PerAmount(id="spend", give=2, per_minor=100),),
    )
    program = msgspec.structs.replace(program, rule_sets=(*program.rule_sets, richer))
    shop = Shop(program)
    for sale, points in ((simple_sale(1_000, NOON), 10), (_later(1), 20)):
        accrual = shop.accrue(sale)
        assert accrual.earned.totals["point"] == points
        assert accrual.entry is not None
        assert accrual.entry.opens[0].opened_at == sale.at
    assert shop.accrue(_later(1)).version == 2


def _later(days: int) -> object:
    return simple_sale(1_000, NOON + dt.timedelta(days=days))


def test_pitfall_13_burning_off_line_is_limited() -> None:
    lots = Shop(savings(BASIS)).journal.lots_of(ANNA, "point")
    wanted = NewLot(ANNA, "point", 31, NOON, NOON)
    with pytest.raises(InsufficientError):
        operations.overdraw(3, lots, wanted, limit=30)
    assert operations.overdraw(3, lots, wanted, limit=31).opens[0].amount == -31


def test_pitfall_14_opening_balances_come_without_a_sale() -> None:
    points = Points()
    lot = NewLot(ANNA, "point", 340, day(0), day(0), day(90))
    points.write(operations.accrue(PROGRAM, lot, source="opening", kind="open"))
    assert points.balances().active == 340
    assert points.account(None, "opening") == -340
    assert points.account(None) == 0, "nothing was issued"


def test_pitfall_15_every_expiry_is_shown_and_nothing_is_deleted() -> None:
    points = Points()
    for amount, until in ((10, 30), (20, 60), (5, 30), (40, None)):
        points.earn(amount, until=until)
    assert expiring(points.journal.lots_of(ANNA, "point"), day(0)) == [(day(30), 15), (day(60), 20)]
    points.expire(on=30)
    lots = points.journal.lots_of(ANNA, "point")
    assert len(lots) == 4
    assert expiring(lots, day(30)) == [(day(60), 20)]


def test_pitfall_16_a_sale_is_moved_to_another_member_and_back() -> None:
    shop = Shop(savings(BASIS))
    wrong = shop.sell(5_000, ANNA, key="sale-1").written
    back = shop.undo(wrong)
    right = shop.sell(5_000, BEN, key="sale-1-moved").written
    assert (shop.have(member=ANNA), shop.have(member=BEN)) == (0, 50)
    shop.undo(right)
    shop.undo(back)
    assert (shop.have(member=ANNA), shop.have(member=BEN)) == (50, 0)


def test_pitfall_23_whoever_buys_may_collect_for_somebody_else() -> None:
    shop = Shop(savings(BASIS))
    shop.sell(5_000, BEN)
    assert (shop.have(member=ANNA), shop.have(member=BEN)) == (0, 50)


def test_pitfall_25_how_long_a_tier_is_kept_is_known_beforehand() -> None:
    plan = airline(BASIS, "A").tiers
    assert plan is not None
    joined = dt.date(2026, 3, 1)
    held = from_history(plan, [Counted(joined, 600)], joined, joined)
    assert (held.level, held.until) == (1, dt.date(2026, 12, 31))
