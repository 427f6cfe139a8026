"""The ledger in the database: what is posted, what is refused, what a repeat gets."""

from __future__ import annotations

import msgspec
import pytest

from besnik.loyalty import operations
from besnik.loyalty.ledger import Entry, NewLot, Posting, RefusedError
from besnik.loyalty.lots import InsufficientError, balances
from besnik.store import books
from besnik.store.books.read import lots_in
from besnik.store.models import Entry as EntryRow
from besnik.store.models import Lot, LotMove, Member, Program
from support.books import Till
from support.points import day
from support.store import assert_ledger_adds_up


@pytest.fixture
def till(orm: str) -> Till:
    return Till()


def test_what_is_earned_can_be_spent_and_the_rest_stays(orm: str, till: Till) -> None:
    till.earn(50)
    till.burn(30)

    shown = till.balances()

    assert (shown.active, shown.spent) == (20, 30)
    assert_ledger_adds_up(orm)


def test_the_earliest_expiry_is_spent_first_and_a_reversal_goes_back_to_it(till: Till) -> None:
    late = till.earn(10, until=200)
    soon = till.earn(10, until=100)

    burned = till.burn(15)

    (left,) = books.wallet(till.anna)["point"]
    assert (left.main, left.opened.expires_at) == (5, late.entry.opens[0].expires_at)
    till.undo(burned)
    assert {lot.opened.expires_at: lot.main for lot in books.wallet(till.anna)["point"]} == {
        late.entry.opens[0].expires_at: 10,
        soon.entry.opens[0].expires_at: 10,
    }


def test_what_is_dated_ahead_cannot_be_spent_before(till: Till) -> None:
    """A till's clock may be ahead of ours, and an answer may be about a moment before."""
    till.earn(10)
    till.earn(5, on=3)
    till.earn(7, on=3, until=4)

    shown = till.balances(on=1)

    assert (shown.active, shown.pending) == (10, 12)
    assert balances(books.wallet(till.anna)["point"], day(1)).active == 10


def test_more_than_there_is_is_refused_and_says_what_there_is(orm: str, till: Till) -> None:
    till.earn(50)

    with pytest.raises(InsufficientError, match="60 wanted, 50 can be spent now") as refused:
        till.burn(60)

    assert refused.value.active == 50
    assert till.balances().active == 50
    assert_ledger_adds_up(orm)


def test_an_entry_is_read_as_it_was_written(till: Till) -> None:
    earned = till.earn(50, until=30)
    held = till.hold(20)
    spent = till.commit(held)
    undone = till.undo(spent)

    for made in (earned, held, spent, undone):
        read = books.written(made.id)
        assert (read.id, read.entry, read.moves) == (made.id, made.entry, made.moves)
    assert [made.id for made in books.later(held.id)] == [spent.id, undone.id]
    assert LotMove.objects.filter(entry=earned.id).count() == 0


def test_the_same_key_is_posted_once_ever(till: Till) -> None:
    first = till.earn(50, key="join:1")
    again = till.earn(70, key="join:1")

    assert (first.repeat, again.repeat) == (False, True)
    assert (again.id, again.entry) == (first.id, first.entry)
    assert till.balances().active == 50


def test_an_unbalanced_entry_is_refused_and_leaves_nothing(orm: str, till: Till) -> None:
    lot = NewLot(till.anna, "point", 5, day(0), day(0))
    wrong = Entry(till.program, "accrue", (Posting(till.anna, "point", 5),), opens=(lot,))

    with (
        pytest.raises(RefusedError, match="do not sum to zero"),
        books.writing(till.program, [till.anna]) as ledger,
    ):
        ledger.post(operations.accrue(till.program, lot), at=day(0), source="till")
        ledger.post(wrong, at=day(0), source="till")

    assert not EntryRow.objects.exists()
    assert_ledger_adds_up(orm)


def test_postings_without_the_lots_they_speak_of_are_refused(till: Till) -> None:
    good = operations.accrue(till.program, NewLot(till.anna, "point", 5, day(0), day(0)))
    wrong = msgspec.structs.replace(good, opens=())

    with (
        pytest.raises(RefusedError, match="do not agree"),
        books.writing(till.program, [till.anna]) as ledger,
    ):
        ledger.post(wrong, at=day(0), source="till")


def test_a_decision_on_lots_that_have_changed_since_is_refused(till: Till) -> None:
    till.earn(50)

    with (
        pytest.raises(RefusedError, match="changed since"),
        books.writing(till.program, [till.anna]) as ledger,
    ):
        before = ledger.lots(till.anna, "point")
        for _ in range(2):
            entry = operations.redeem(till.program, before, 40, day(0))
            ledger.post(entry, at=day(0), source="till")

    assert till.balances().active == 50


def test_a_member_who_is_not_locked_cannot_be_moved(till: Till) -> None:
    till.earn(50)

    with (
        pytest.raises(RefusedError, match="are not locked"),
        books.writing(till.program, [till.anna]) as ledger,
    ):
        lots = ledger.lots(till.anna, "point")
        entry = operations.transfer(till.program, lots, till.ben, 10, day(0))
        ledger.post(entry, at=day(0), source="till")


def test_a_member_of_another_program_is_refused(till: Till) -> None:
    other = Program.objects.create(name="Other")
    stranger = Member.objects.create(program=other, name="Zoe")

    with (
        pytest.raises(RefusedError, match="not of this program"),
        books.writing(till.program, [till.anna, stranger.pk]),
    ):
        pass


def test_balances_are_those_of_the_pure_engine(till: Till) -> None:
    till.earn(10, until=5)
    till.earn(20, until=50, available=30)
    taken = till.earn(40, on=1)
    till.hold(5, on=1)
    till.burn(30, on=1)
    till.undo(taken, on=2)
    till.earn(7, on=2, until=60)

    for on in (2, 4, 10, 40, 55, 90):
        every = lots_in(Lot.objects.filter(member=till.anna))
        assert till.balances(on) == balances(every, day(on))
