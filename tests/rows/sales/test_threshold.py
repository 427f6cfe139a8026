"""Row L24: one free item for each 50 spent, with what is carried over; L25: any item will do."""

from __future__ import annotations

import pytest

from besnik.loyalty.templates import boloco
from support.pos import Customer, Open, Pos
from support.programs import BASIS


def shown(anna: Customer) -> tuple[int, int]:
    return anna.has("item"), anna.has("carry:fifty")


def bought(pos: Pos, anna: Customer) -> None:
    """120 in lines of 30 and 90."""
    lines = [{"id": "a", "amount_minor": 3_000}, {"id": "b", "amount_minor": 9_000}]
    pos.ask("accrue", receipt="120", lines=lines, who=anna.who)


@pytest.mark.parametrize(
    ("spent_minor", "items", "carried"), [(4_999, 0, 4_999), (5_000, 1, 0), (12_000, 2, 2_000)]
)
def test_L24_one_free_item_for_each_50_spent(
    open_shop: Open, spent_minor: int, items: int, carried: int
) -> None:
    pos = open_shop(boloco(BASIS))
    anna = pos.join()
    anna.buy(spent_minor)
    assert shown(anna) == (items, carried)


def test_L24_a_refund_takes_the_unused_item_back_and_carries_the_rest(open_shop: Open) -> None:
    pos = open_shop(boloco(BASIS))
    anna = pos.join()
    bought(pos, anna)
    pos.ask("redeem", who=anna.who, reward="any-item")
    done = pos.ask("refund", receipt="120", lines=["a"])
    assert (done["amount_minor"], done["taken"]) == (3_000, {"item": -1, "carry:fifty": 2_000})
    assert shown(anna) == (0, 4_000), "two given: one used, the unused one taken back"
    anna.buy(1_000)
    assert shown(anna) == (1, 0)


def test_L24_with_nothing_used_one_item_is_left_after_the_refund(open_shop: Open) -> None:
    pos = open_shop(boloco(BASIS))
    anna = pos.join()
    bought(pos, anna)
    pos.ask("refund", receipt="120", lines=["a"])
    assert shown(anna) == (1, 4_000)
    pos.ask("refund", receipt="120")
    assert shown(anna) == (0, 0)


def test_L24_what_was_used_stays_and_is_owed(open_shop: Open) -> None:
    pos = open_shop(boloco(BASIS))
    anna = pos.join()
    bought(pos, anna)
    pos.ask("redeem", who=anna.who, amount=2, unit="item")
    pos.ask("refund", receipt="120", lines=["a"])
    assert anna.file()["balances"]["carry:fifty"]["negative"] == 1_000
    anna.buy(5_900)
    assert shown(anna) == (0, 4_900)
    anna.buy(100)
    assert shown(anna) == (1, 0)


def test_L24_a_reversed_sale_leaves_the_others_what_they_pay_for(open_shop: Open) -> None:
    pos = open_shop(boloco(BASIS))
    anna = pos.join()
    anna.buy(3_000)
    sale = anna.buy(9_000)
    assert shown(anna) == (2, 2_000)
    pos.ask("reverse", entry=sale["entry"])
    assert shown(anna) == (0, 3_000)


@pytest.mark.parametrize(("title", "price_minor"), [("Burrito", 1_250), ("Smoothie", 300)])
def test_L25_any_item_cheap_or_dear_is_free(open_shop: Open, title: str, price_minor: int) -> None:
    pos = open_shop(boloco(BASIS))
    anna = pos.join()
    anna.buy(5_000)
    line = {"id": "1", "amount_minor": price_minor, "title": title}
    done = pos.ask("redeem", who=anna.who, reward="any-item", lines=[line])
    (given,) = done["lines"]
    assert given["amount_minor"] == 0
    assert (given["title"], given["reward"], done["off_minor"]) == (title, True, price_minor)
    sold = pos.ask(
        "accrue",
        receipt="free",
        lines=done["lines"],
        who=anna.who,
        redemptions=[done["redemption"]],
    )
    assert (sold["earned"], shown(anna)) == ({}, (0, 0)), "the gift itself earns nothing"
