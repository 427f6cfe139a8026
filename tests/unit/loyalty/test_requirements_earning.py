"""Rows of the requirements on earning, with their numbers: what sales and visits give."""

from __future__ import annotations

import datetime as dt
import random
import re

import msgspec
import pytest

from besnik.loyalty import operations
from besnik.loyalty.accrual import NotEarningError
from besnik.loyalty.guards import Velocity, too_fast
from besnik.loyalty.rewards import affordable
from besnik.loyalty.rules import PerAmount, PerVisit, RuleSet, When
from besnik.loyalty.sale import Line, Sale, simple_sale
from besnik.loyalty.templates import cafe_stamps, coop_euro, fidaty, recognition, savings
from besnik.loyalty.text import program_text
from besnik.loyalty.texts.catalogue import say
from support.shop import ANNA, BASIS, BEN, NOON, Shop, receipt


def coffee(at: dt.datetime = NOON) -> Sale:
    return Sale(at, (Line("1", 250, category="coffee"),))


def test_L2_a_stamp_for_each_purchase_and_a_reward_at_ten() -> None:
    shop = Shop(cafe_stamps(BASIS))
    (reward,) = shop.program.rewards
    for taps in range(1, 10):
        shop.sell(coffee(), key=f"tap-{taps}")
        assert affordable(reward, shop.have("stamp")) == (0, taps)
    shop.sell(coffee(), key="tap-10")
    assert affordable(reward, shop.have("stamp")) == (1, 0)
    for taps in range(11, 24):
        shop.sell(coffee(), key=f"tap-{taps}")
    assert affordable(reward, shop.have("stamp")) == (2, 3)


def test_L4_one_card_in_three_programs_has_three_balances() -> None:
    shops = [Shop(msgspec.structs.replace(savings(BASIS), id=number)) for number in (1, 2, 3)]
    for shop, amount in zip(shops, (1_000, 2_000, 3_000), strict=True):
        shop.sell(amount)
    assert [shop.have() for shop in shops] == [10, 20, 30]
    assert all(shop.journal.balance(shop.program.id, None, "point") < 0 for shop in shops)


def test_L5_a_sale_earns_the_same_however_the_member_was_found() -> None:
    """The engine knows no card: 20 euro by telephone number are the 20 points of a tap."""
    by_tap, by_phone = Shop(savings(BASIS)), Shop(savings(BASIS))
    by_tap.sell(2_000, key="tap-00042-001337")
    by_phone.sell(2_000, key="till-1-receipt-7")
    assert by_tap.have() == by_phone.have() == 20


def test_L7_the_sixth_earning_in_ten_minutes_is_refused() -> None:
    limit = Velocity(most=5, minutes=10)
    earlier: list[dt.datetime] = []
    for minute in range(6):
        at = NOON + dt.timedelta(minutes=minute)
        assert too_fast(limit, earlier, at) is (minute == 5)
        earlier.append(at)
    assert too_fast(limit, earlier[:5], NOON + dt.timedelta(minutes=9, seconds=59))
    assert not too_fast(limit, earlier[:5], NOON + dt.timedelta(minutes=10))
    assert too_fast(Velocity(5, 10, gap_s=60), [NOON], NOON + dt.timedelta(seconds=59))
    assert not too_fast(Velocity(5, 10, gap_s=60), [NOON], NOON + dt.timedelta(seconds=60))


def test_L9_what_is_shown_is_the_sum_of_a_thousand_entries() -> None:
    shop, chance = Shop(savings(BASIS)), random.Random(9)
    for number in range(1_000):
        if number % 3 == 2 and shop.have():
            shop.redeem(chance.randint(1, shop.have()))
        else:
            shop.sell(chance.randint(100, 9_000), key=f"sale-{number}")
    postings = (
        posting.amount
        for written in shop.journal.entries
        for posting in written.entry.postings
        if posting.member == ANNA
    )
    assert shop.have() == sum(postings) == shop.journal.balance(3, ANNA, "point")


def test_L20_collect_then_redeem() -> None:
    shop = Shop(savings(BASIS))
    shop.sell(4_780)
    assert shop.have() == 47
    shop.redeem(40)
    assert shop.have() == 7


def test_L26_the_gift_for_joining_comes_once_a_person() -> None:
    shop = Shop(savings(BASIS))
    first = shop.join("digest of +355 69 123 4567")
    again = shop.join("digest of +355 69 123 4567")
    assert (first.repeat, again.repeat) == (False, True)
    assert shop.have() == 10
    shop.join("digest of another phone", BEN)
    assert shop.have(member=BEN) == 10


def test_L43_a_program_without_rules_works_and_gives_nothing() -> None:
    program = recognition(BASIS)
    assert program_text(program) == []
    with pytest.raises(NotEarningError):
        Shop(program).accrue(simple_sale(5_000, NOON))


def test_L67_a_campaign_has_days_and_shops() -> None:
    when = When(
        first_day=dt.date(2026, 2, 1), last_day=dt.date(2026, 2, 28), shops=("verona", "ancona")
    )
    rules = RuleSet(
        version=1,
        first_day=dt.date(2026, 1, 1),
        rules=(PerAmount(id="north", per_minor=100, when=when),),
    )
    shop = Shop(msgspec.structs.replace(recognition(BASIS), rule_sets=(rules,)))

    def points(day: str, where: str) -> int:
        at = dt.datetime.fromisoformat(f"{day}T12:00+01:00")
        return shop.accrue(simple_sale(1_000, at, shop=where)).earned.totals.get("point", 0)

    assert points("2026-01-31", "verona") == 0
    assert points("2026-02-01", "verona") == points("2026-02-28", "ancona") == 10
    assert points("2026-03-01", "verona") == 0
    assert points("2026-02-01", "roma") == 0


@pytest.mark.parametrize("channel", ["shop", "online", "other-coop"])
def test_L68_one_point_per_euro_wherever(channel: str) -> None:
    sale = msgspec.structs.replace(simple_sale(3_790, NOON), channel=channel)
    assert Shop(coop_euro(BASIS)).accrue(sale).earned.totals == {"point": 37}


def test_L70_a_transfer_between_cards_keeps_the_expiry() -> None:
    shop = Shop(coop_euro(BASIS))
    shop.sell(3_700)
    lots = shop.journal.lots_of(ANNA, "point")
    shop.journal.append(operations.transfer(3, lots, BEN, 37, NOON))
    assert (shop.have(), shop.have(member=BEN)) == (0, 37)
    (lot,) = shop.journal.lots_of(BEN, "point")
    assert lot.opened.expires_at == lots[0].opened.expires_at is not None
    assert shop.journal.balance(3, None, "point") == -37


@pytest.mark.parametrize(("tender", "points"), [("house_card", 55), ("cash", 37)])
def test_L71_one_more_for_each_two_with_the_house_card(tender: str, points: int) -> None:
    shop = Shop(coop_euro(BASIS))
    shop.sell(simple_sale(3_790, NOON, tender))
    assert shop.have() == points


@pytest.mark.parametrize(
    ("reading", "amount_minor", "points"),
    [
        ("excess", 499, 0),
        ("excess", 500, 0),
        ("excess", 600, 2),
        ("excess", 3_790, 64),
        ("gate", 499, 0),
        ("gate", 500, 10),
        ("gate", 3_790, 74),
    ],
)
def test_L72_two_points_per_euro_above_five(reading: str, amount_minor: int, points: int) -> None:
    program = fidaty(BASIS, "excess" if reading == "excess" else "gate")
    earned = Shop(program).accrue(simple_sale(amount_minor, NOON)).earned
    assert earned.totals.get("point", 0) == points


def test_L89_visits_without_a_purchase_are_told_from_sales() -> None:
    rules = RuleSet(
        version=1,
        first_day=dt.date(2026, 1, 1),
        rules=(PerVisit(id="visit", unit="stamp"), PerAmount(id="spend", per_minor=100)),
    )
    shop = Shop(msgspec.structs.replace(recognition(BASIS), rule_sets=(rules,)))
    for tap in range(5):
        sale = simple_sale(1_000, NOON) if tap < 3 else Sale(NOON, ())
        shop.sell(sale, key=f"tap-{tap}")
    assert (shop.have("stamp"), shop.have("point")) == (5, 30)


def test_L115_earn_in_one_branch_and_burn_in_another() -> None:
    shop = Shop(savings(BASIS))
    shop.sell(simple_sale(3_000, NOON, shop="a"))
    shop.redeem(20)
    assert shop.have() == 10


def test_L117_the_text_and_the_engine_agree_on_a_thousand_amounts() -> None:
    shop = Shop(savings(BASIS))
    text = " ".join(say(message, "en") for message in program_text(shop.program))
    found = re.search(r"(\d+) points? for every EUR (\d+) you spend\. A part of EUR \2", text)
    assert found is not None, text
    give, per = int(found[1]), int(found[2])
    chance = random.Random(117)
    for _ in range(1_000):
        amount_minor = chance.randint(0, 100_000)
        earned = shop.accrue(receipt(amount_minor)).earned.totals.get("point", 0)
        assert earned == give * (amount_minor // 100 // per)
