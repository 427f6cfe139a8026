"""Lots: what is spent first, what comes back, what is pending, reserved, expired and owed."""

from __future__ import annotations

import pytest

from besnik.loyalty.ledger import NewLot, RefusedError
from besnik.loyalty.lots import Balances, InsufficientError
from besnik.loyalty.operations import accrue, overdraw, redeem
from besnik.loyalty.reversal import AlreadyReversedError, left
from support.points import ANNA, BEN, PROGRAM, Points, day


def mains(points: Points) -> list[int]:
    return [lot.main for lot in points.journal.lots_of(ANNA, "point")]


def test_the_earliest_expiry_is_spent_first_then_the_oldest() -> None:
    points = Points()
    points.earn(10, on=0)
    points.earn(10, on=1, until=90)
    points.earn(10, on=2, until=60)
    points.earn(10, on=3, until=90)
    points.burn(25, on=5)
    assert mains(points) == [10, 0, 0, 5]
    assert points.account() == points.balances(5).active == 15
    assert points.account(None, "burned") == 25


def test_a_reversed_redemption_fills_the_same_lots_again() -> None:
    points = Points()
    points.earn(10, on=0, until=30)
    points.earn(10, on=1, until=60)
    burn = points.burn(15, on=2)
    assert mains(points) == [0, 5]
    points.undo(burn)
    assert mains(points) == [10, 10]
    assert points.balances(2) == Balances(20, 0, 0, 0, 0, 0)


def test_part_of_a_redemption_comes_back_to_the_lot_that_was_drawn_last() -> None:
    points = Points()
    points.earn(10, on=0, until=30)
    points.earn(10, on=1, until=60)
    burn = points.burn(15, on=2)
    points.undo(burn, 7)
    assert mains(points) == [2, 10]
    assert left(burn, points.journal.later(burn.id), points.journal.lots) == {"point": 8}
    points.undo(burn, 8)
    with pytest.raises(AlreadyReversedError):
        points.undo(burn, 1)
    with pytest.raises(AlreadyReversedError):
        points.undo(burn)


def test_points_are_pending_until_they_are_available() -> None:
    points = Points()
    points.earn(10, on=0, available=14)
    assert points.balances(13) == Balances(0, 10, 0, 0, 0, 0)
    with pytest.raises(InsufficientError, match="at most 0"):
        points.burn(1, on=13)
    assert points.balances(14) == Balances(10, 0, 0, 0, 0, 0)


def test_a_hold_reserves_and_a_release_gives_back() -> None:
    points = Points()
    points.earn(10)
    held = points.hold(6)
    assert points.balances() == Balances(4, 0, 6, 0, 0, 0)
    assert (points.account(), points.account(account="held")) == (4, 6)
    with pytest.raises(InsufficientError) as refused:
        points.burn(5)
    assert refused.value.active == 4
    points.release(held)
    assert points.balances() == Balances(10, 0, 0, 0, 0, 0)
    for settle in (points.release, points.commit):
        with pytest.raises(RefusedError, match="before"):
            settle(held)


def test_a_committed_hold_is_spent_and_can_be_refunded_once() -> None:
    points = Points()
    points.earn(10)
    held = points.hold(6)
    paid = points.commit(held)
    assert points.balances() == Balances(4, 0, 0, 6, 0, 0)
    with pytest.raises(RefusedError, match="before"):
        points.release(held)
    with pytest.raises(RefusedError, match="cannot be reversed"):
        points.undo(held)
    points.undo(paid)
    assert points.balances() == Balances(10, 0, 0, 0, 0, 0)
    with pytest.raises(AlreadyReversedError):
        points.undo(paid)


def test_what_was_earned_spent_and_taken_back_is_owed() -> None:
    points = Points()
    sale = points.earn(50, until=90)
    burn = points.burn(30)
    points.undo(sale)
    assert points.balances() == Balances(0, 0, 0, 30, 0, 30)
    points.earn(20, on=1)
    assert points.balances(1) == Balances(0, 0, 0, 30, 0, 10)
    points.earn(20, on=2)
    assert points.balances(2) == Balances(10, 0, 0, 30, 0, 0)
    points.undo(burn)
    assert points.balances(2) == Balances(40, 0, 0, 0, 0, 0)


def test_a_refund_before_and_after_expiry_come_to_the_same() -> None:
    for refund_first in (True, False):
        points = Points()
        sale = points.earn(50, until=30)
        points.burn(20, on=1)
        if refund_first:
            points.undo(sale)
            assert points.expire(on=31) is None
        else:
            assert points.expire(on=31) is not None
            points.undo(sale)
        assert points.balances(31) == Balances(0, 0, 0, 20, 0, 20)
        assert points.account(None, "expired") == 0


def test_what_covers_a_debt_does_not_expire() -> None:
    points = Points()
    sale = points.earn(30, until=90)
    burn = points.burn(30)
    points.earn(40, on=1, until=20)
    points.undo(sale)
    points.expire(on=21)
    assert points.account() == points.balances(21).active == 0
    assert points.account(None, "expired") == 10
    points.undo(burn)
    points.expire(on=22)
    assert points.account(None, "expired") == 40
    assert points.balances(22) == Balances(0, 0, 0, 0, 40, 0)


def test_expiry_takes_what_has_run_out_and_only_once() -> None:
    points = Points()
    points.earn(10, until=30)
    points.earn(10, until=60)
    assert points.expire(on=29) is None
    assert points.balances(30) == Balances(10, 0, 0, 0, 10, 0), "before the run as after it"
    assert points.expire(on=30) is not None
    assert points.expire(on=30) is None
    assert points.balances(30) == Balances(10, 0, 0, 0, 10, 0)


def test_a_reversed_reversal_is_the_original() -> None:
    points = Points()
    sale = points.earn(50, until=30)
    points.burn(20, on=1)
    before = points.balances(1)
    back = points.undo(sale)
    again = points.undo(back)
    assert points.balances(1) == before
    with pytest.raises(AlreadyReversedError):
        points.undo(back)
    with pytest.raises(RefusedError, match="cannot be reversed"):
        points.undo(again)
    points.undo(sale)
    assert points.balances(1).negative == 20


def test_an_off_line_redemption_may_overdraw_up_to_the_limit() -> None:
    points = Points()
    points.earn(10)
    lots = points.journal.lots_of(ANNA, "point")
    wanted = NewLot(ANNA, "point", 25, day(0), day(0))
    with pytest.raises(InsufficientError, match="at most 24"):
        overdraw(PROGRAM, lots, wanted, limit=14)
    burn = points.write(overdraw(PROGRAM, lots, wanted, limit=15))
    assert points.balances().negative == 15
    assert points.account(None, "burned") == 25
    points.undo(burn)
    assert points.balances().active == points.account() == 10


def test_an_off_line_redemption_that_is_covered_overdraws_nothing() -> None:
    points = Points()
    points.earn(10)
    lots = points.journal.lots_of(ANNA, "point")
    points.write(overdraw(PROGRAM, lots, NewLot(ANNA, "point", 4, day(0), day(0)), limit=0))
    assert points.balances() == Balances(6, 0, 0, 4, 0, 0)


def test_pending_points_cover_a_debt_only_when_nothing_else_does() -> None:
    points = Points()
    sale = points.earn(10)
    points.burn(10)
    points.earn(10, on=1, available=9, until=20)
    points.earn(10, on=1)
    points.undo(sale, on=1)
    assert points.balances(1) == Balances(0, 10, 0, 10, 0, 0)


def test_a_transfer_keeps_expiry_and_can_be_reversed_whole() -> None:
    points = Points()
    points.earn(10, until=30)
    points.earn(10, until=60)
    gift = points.give(15)
    assert [(lot.main, lot.opened.expires_at) for lot in points.journal.lots_of(BEN, "point")] == [
        (10, day(30)),
        (5, day(60)),
    ]
    points.burn(12, member=BEN)
    with pytest.raises(RefusedError, match="whole"):
        points.undo(gift, 3)
    points.undo(gift)
    assert (points.account(ANNA), points.account(BEN)) == (20, -12)
    assert points.balances(member=BEN).negative == 12


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_that_is_not_positive_is_refused(amount: int) -> None:
    points = Points()
    points.earn(5)
    with pytest.raises(RefusedError, match="1 or more"):
        points.burn(amount)
    with pytest.raises(RefusedError, match="1 or more"):
        accrue(PROGRAM, NewLot(ANNA, "point", amount, day(0), day(0)))


def test_nothing_is_spent_from_no_lots() -> None:
    with pytest.raises(InsufficientError):
        redeem(PROGRAM, [], 1, day(0))
