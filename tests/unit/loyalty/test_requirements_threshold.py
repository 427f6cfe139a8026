"""Rows of the requirements on one free item for each 50 spent, with their numbers."""

from __future__ import annotations

import pytest

from besnik.loyalty.accrual import carry_unit
from besnik.loyalty.rewards import FreeItem, Reward, apply
from besnik.loyalty.rules import SpendThreshold
from besnik.loyalty.sale import Line
from besnik.loyalty.templates import boloco
from support.shop import BASIS, Shop


@pytest.mark.parametrize(
    ("spent_minor", "items", "carried"), [(4_999, 0, 4_999), (5_000, 1, 0), (12_000, 2, 2_000)]
)
def test_L24_one_free_item_for_each_50_spent(spent_minor: int, items: int, carried: int) -> None:
    shop = Shop(boloco(BASIS))
    shop.sell(spent_minor)
    assert (shop.have("item"), shop.have("carry:fifty")) == (items, carried)


@pytest.mark.parametrize("used", [0, 1])
def test_L24_a_refund_takes_the_unused_item_back_and_carries_the_rest(used: int) -> None:
    shop = Shop(boloco(BASIS))
    sold = shop.sell(12_000).written
    for _ in range(used):
        shop.redeem(1, "item")
    shop.refund_threshold(sold, 3_000)
    assert shop.have("item") + used == 1
    assert shop.have("carry:fifty") == 4_000


def test_L24_a_refund_leaves_what_was_used_and_carries_the_debt() -> None:
    shop = Shop(boloco(BASIS))
    sold = shop.sell(12_000).written
    shop.redeem(2, "item")
    shop.refund_threshold(sold, 3_000)
    assert shop.shown("carry:fifty").negative == 1_000
    shop.sell(5_900)
    assert (shop.have("item"), shop.have("carry:fifty")) == (0, 4_900)
    shop.sell(100)
    assert (shop.have("item"), shop.have("carry:fifty")) == (1, 0)


def test_L24_a_whole_refund_leaves_nothing() -> None:
    shop = Shop(boloco(BASIS))
    shop.sell(3_000)
    sold = shop.sell(9_000).written
    assert (shop.have("item"), shop.have("carry:fifty")) == (2, 2_000)
    shop.undo(sold)
    assert (shop.have("item"), shop.have("carry:fifty")) == (0, 3_000)
    (rule,) = shop.program.rule_sets[0].rules
    assert isinstance(rule, SpendThreshold)
    assert carry_unit(rule) == "carry:fifty"


def test_L25_any_item_cheap_or_dear_is_free() -> None:
    (reward,) = boloco(BASIS).rewards
    for price in (1_250, 300):
        (line,) = apply(reward, [Line("1", price)])
        assert (line.amount_minor, line.reward) == (0, True)
    limited = Reward(id="r", title="small item", kind=FreeItem(up_to_minor=500), cost=1)
    lines = apply(limited, [Line("1", 1_250), Line("2", 300)])
    assert [line.amount_minor for line in lines] == [1_250, 0]
