"""Rows of the requirements on membership, goodwill and what ends, with their numbers."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from besnik.loyalty import operations
from besnik.loyalty.accrual import NotEarningError
from besnik.loyalty.guards import Goodwill, activity, goodwill
from besnik.loyalty.ledger import NewLot
from besnik.loyalty.membership import Sunset, benefits, buy, fee_back
from besnik.loyalty.periods import PeriodEnd
from besnik.loyalty.sale import simple_sale
from besnik.loyalty.templates import paid_vip, savings
from support.shop import ANNA, BASIS, NOON, Shop


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


def test_L8_a_member_who_stays_away_has_lapsed_until_the_next_sale() -> None:
    today = dt.date(2026, 6, 1)
    assert activity(today - dt.timedelta(days=91), today, 90) == "lapsed"
    assert activity(today - dt.timedelta(days=90), today, 90) == "active"
    assert activity(today, today, 90) == "active"
    assert activity(None, today, 90) == "new"
