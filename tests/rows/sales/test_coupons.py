"""Rows on coupons: for one member alone, and one for each five purchases."""

from __future__ import annotations

import pytest

from besnik.loyalty.rewards import Access, AmountOff, FreeItem
from besnik.loyalty.rules import PerVisit
from support.pos import Clock, Open
from support.programs import point_per_euro, reward, with_rules


def test_L88_a_coupon_of_one_member_is_refused_for_another(open_shop: Open) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(500)),)))
    anna, ben = pos.join(), pos.join("Ben")
    code = pos.ask("give-coupon", reward="r", who=anna.who)["coupon"]["code"]
    refusal = pos.refused("redeem", who=ben.who, coupon=code)
    assert (refusal.status, refusal.code) == (409, "not_yours")
    assert anna.file()["coupons"][0]["tail"] == code[-4:]
    assert ben.file()["coupons"] == []
    done = pos.ask("redeem", who=anna.who, coupon=code)
    assert (done["cost"], done["off_minor"], done["entry"]) == (0, 500, None)


def test_L91_five_purchases_give_a_coupon_that_works_once(open_shop: Open, clock: Clock) -> None:
    coffee = reward(FreeItem(), cost=5, unit="stamp", coupon_days=30)
    pos = open_shop(with_rules(PerVisit(id="visit", unit="stamp"), rewards=(coffee,)))
    anna = pos.join()
    for number in range(4):
        assert anna.buy(250)["coupons"] == [], number
    (coupon,) = anna.buy(250)["coupons"]
    assert anna.has("stamp") == 0
    assert (coupon["reward"], coupon["until"]) == ("r", "2026-07-01T10:00:00Z")
    line = [{"id": "1", "amount_minor": 250}]
    done = pos.ask("redeem", who=anna.who, coupon=coupon["code"].lower(), lines=line)
    assert done["lines"][0]["amount_minor"] == 0
    assert pos.refused("redeem", who=anna.who, coupon=coupon["code"]).code == "coupon_redeemed"
    for number in range(10):
        codes = anna.buy(250)["coupons"]
        assert len(codes) == (number % 5 == 4)


def test_L91_a_coupon_ends_and_its_reservation_too(open_shop: Open, clock: Clock) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(Access()),)))
    anna = pos.join()
    first, second = (
        pos.ask("give-coupon", reward="r", who=anna.who, days=30)["coupon"]["code"]
        for _ in range(2)
    )
    held = pos.ask("hold", who=anna.who, coupon=first)
    assert pos.refused("redeem", who=anna.who, coupon=first).code == "coupon_reserved"
    clock.pass_(minutes=10)
    assert pos.refused("commit", hold=held["hold"]).code == "hold_ended"
    pos.ask("redeem", who=anna.who, coupon=first)
    clock.pass_(days=30)
    assert pos.refused("redeem", who=anna.who, coupon=second).code == "coupon_expired"
    assert anna.file()["coupons"] == []


def test_L91_a_coupon_goes_with_the_purchase_that_earned_it(open_shop: Open) -> None:
    coffee = reward(FreeItem(), cost=2, unit="stamp", coupon_days=30)
    pos = open_shop(with_rules(PerVisit(id="visit", unit="stamp"), rewards=(coffee,)))
    anna = pos.join()
    anna.buy(250)
    sale = anna.buy(250)
    code = sale["coupons"][0]["code"]
    pos.ask("reverse", entry=sale["entry"])
    assert anna.has("stamp") == 1
    assert pos.refused("redeem", who=anna.who, coupon=code).code == "coupon_cancelled"
    assert len(anna.buy(250)["coupons"]) == 1


@pytest.mark.parametrize("code", ["ABCD-EFGH-JKMN", "nothing", "2222 2222 2222"])
def test_L88_a_code_nobody_issued(open_shop: Open, code: str) -> None:
    pos = open_shop(point_per_euro())
    assert pos.refused("redeem", who=pos.join().who, coupon=code).code == "coupon_unknown"
