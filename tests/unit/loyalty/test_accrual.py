"""From a sale to its entry: when it can be spent, until when, and what it takes to undo it."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from besnik.loyalty.engine import take_back
from besnik.loyalty.lots import Balances
from besnik.loyalty.reversal import AlreadyReversedError
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
