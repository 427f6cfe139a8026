"""From a sale to its entry: when it can be spent, until when, and what it takes to undo it."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from besnik.loyalty.engine import take_back
from besnik.loyalty.ledger import Written
from besnik.loyalty.lots import Balances
from besnik.loyalty.reversal import AlreadyReversedError
from besnik.loyalty.sale import simple_sale
from besnik.loyalty.templates import airline, boloco, fidaty, savings
from support.shop import BASIS, NOON, Shop, receipt


def test_what_was_earned_waits_until_the_return_window_has_passed() -> None:
    shop = Shop(msgspec.structs.replace(savings(BASIS), pending_days=14))
    shop.sell(4_700)
    later = NOON + dt.timedelta(days=14)
    assert shop.shown(at=later - dt.timedelta(seconds=1)) == Balances(0, 47, 0, 0, 0, 0)
    assert shop.shown(at=later) == Balances(47, 0, 0, 0, 0, 0)


def test_one_sale_is_one_entry_in_all_its_units() -> None:
    shop = Shop(airline(BASIS, "A"))
    sold = shop.sell(10_000).written
    assert {lot.unit: lot.amount for lot in sold.entry.opens} == {"point": 100, "status": 100}
    shop.undo(sold)
    assert (shop.have("point"), shop.have("status")) == (0, 0)


def test_a_refund_by_line_takes_back_what_the_line_had_earned() -> None:
    shop = Shop(fidaty(BASIS, "excess"))
    sale = receipt(1_000, 2_790)
    sold = shop.sell(sale).written
    assert shop.have() == 64
    rules = shop.program.rule_sets[0]
    earlier: list[str] = []
    for line, kept in (("2", 10), ("1", 0)):
        lost = take_back(
            rules,
            sale,
            shop.accrue(sale).standing,
            shop.program.tz,
            returned=[line],
            earlier=earlier,
        )
        shop.undo(sold, lost)
        earlier.append(line)
        assert shop.have() == kept
    with pytest.raises(AlreadyReversedError):
        shop.undo(sold, {"point": 1})


def test_a_sale_that_earns_nothing_makes_no_entry() -> None:
    assert Shop(savings(BASIS)).accrue(receipt(99)).entry is None


def test_what_is_carried_is_taken_from_earlier_sales_and_given_back() -> None:
    shop = Shop(boloco(BASIS))
    shop.sell(3_000)
    shop.sell(1_500)
    sold = shop.sell(1_000).written
    assert (shop.have("item"), shop.have("carry:fifty")) == (1, 500)
    shop.undo(sold)
    assert (shop.have("item"), shop.have("carry:fifty")) == (0, 4_500)
    mains = [lot.main for lot in shop.journal.lots_of(1, "carry:fifty")]
    assert mains == [3_000, 1_500]


def test_a_reversed_sale_leaves_the_others_what_they_pay_for() -> None:
    shop = Shop(boloco(BASIS))
    shop.sell(3_669)
    sold = shop.sell(1_331).written
    shop.sell(1_331)
    shop.undo(sold)
    assert (shop.have("item"), shop.have("carry:fifty")) == (1, 0)
    shop = Shop(boloco(BASIS))
    sold = shop.sell(3_000).written
    shop.sell(3_000)
    shop.undo(sold)
    assert (shop.have("item"), shop.have("carry:fifty")) == (0, 3_000)


def test_part_of_a_sale_is_taken_back_from_the_lots_that_it_filled() -> None:
    """A refund took an older item; undoing one more takes it from the sale's own lot."""
    shop = Shop(boloco(BASIS))
    shop.sell(5_000)
    sold = shop.sell(10_000).written
    shop.refund_threshold(sold, 5_000)
    assert [lot.main for lot in shop.journal.lots_of(1, "item")] == [0, 2]
    shop.undo(sold, {"item": 1})
    assert [lot.main for lot in shop.journal.lots_of(1, "item")] == [0, 1]
    with pytest.raises(AlreadyReversedError):
        shop.undo(sold, {"item": 2})


def test_a_sale_whose_refund_took_an_item_back_is_undone() -> None:
    """The item was given with another sale: the first one's own postings know nothing of it."""
    shop = Shop(boloco(BASIS))
    first, *_ = (
        shop.sell(simple_sale(amount, NOON), key=f"sale-{amount}").written for amount in (2, 4_998)
    )
    assert shop.have("item") == 1
    shop.refund_threshold(first, 1)
    assert (shop.have("item"), shop.have("carry:fifty")) == (0, 4_999)
    shop.undo(first)
    assert (shop.have("item"), shop.have("carry:fifty")) == (0, 4_998)
    assert sum(shop.journal.accounts.values()) == 0


# What a till does in a program of one free item for each 50: word, amount, which sale.
steps = st.lists(
    st.tuples(
        st.sampled_from(("sell", "sell", "refund", "undo", "use")),
        st.integers(1, 16_000),
        st.integers(0, 12),
    ),
    max_size=14,
)


@given(steps)
@example([("sell", 2, 0), ("sell", 1, 0), ("sell", 4997, 0), ("refund", 1, 0), ("undo", 1, 0)])
def test_items_and_what_is_carried_are_always_what_was_paid_for(
    history: list[tuple[str, int, int]],
) -> None:
    shop = Shop(boloco(BASIS))
    sold: list[tuple[Written, int]] = []  # each sale with what is left of its amount
    for number, (word, amount, place) in enumerate(history):
        if word == "sell":
            written = shop.sell(simple_sale(amount, NOON), key=f"sale-{number}").written
            sold.append((written, amount))
        elif word == "use":
            if shop.have("item"):
                shop.redeem(1, "item")
        elif sold:
            written, rest = sold[place % len(sold)]
            if word == "refund" and rest:
                shop.refund_threshold(written, min(amount, rest))
            elif rest:
                shop.undo(written)
            back = min(amount, rest) if word == "refund" else rest
            sold[place % len(sold)] = (written, rest - back)
        items = shop.journal.lots_of(1, "item")
        paid_for = sum(lot.main + lot.spent for lot in items)
        carried = sum(lot.main for lot in shop.journal.lots_of(1, "carry:fifty"))
        assert 5_000 * paid_for + carried == sum(rest for _, rest in sold)
        assert carried < 5_000
        assert carried >= 0 or shop.have("item") == 0
        assert sum(shop.journal.accounts.values()) == 0
