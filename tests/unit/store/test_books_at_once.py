"""Several at once, each on a connection of its own: nothing is doubled, nothing is lost."""

from __future__ import annotations

import datetime as dt
from threading import Event

import pytest
from django.db import connections

from besnik.credentials.assess import CardRef
from besnik.loyalty import operations
from besnik.loyalty.idempotency import InFlightError, KeyConflictError
from besnik.loyalty.ledger import Entry, NewLot, Posting, RefusedError
from besnik.loyalty.lots import InsufficientError
from besnik.store import books
from besnik.store.database import is_sqlite
from besnik.store.hot import CardKey, DecidedTap, open_hot
from besnik.store.models import Entry as EntryRow
from besnik.store.models import Request
from support.books import Till, at_once
from support.points import day
from support.store import assert_ledger_adds_up, settings_for

LATER = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


@pytest.fixture
def till(orm: str) -> Till:
    return Till()


def test_two_cashiers_redeem_the_same_points_and_one_is_told_what_is_left(
    orm: str, till: Till
) -> None:
    till.earn(50)

    results = at_once(lambda: till.burn(40), lambda: till.burn(40))

    (refused,) = (result for result in results if isinstance(result, Exception))
    assert isinstance(refused, InsufficientError), refused
    assert str(refused) == "40 wanted, 10 can be spent now: ask for at most 10"
    assert (till.balances().active, till.balances().spent) == (10, 40)
    assert_ledger_adds_up(orm)


def test_eight_tills_spend_what_is_there_and_not_a_point_more(orm: str, till: Till) -> None:
    till.earn(25, until=100)
    till.earn(25)

    results = at_once(*[lambda: till.burn(10)] * 8)

    refused = [result for result in results if isinstance(result, Exception)]
    assert [type(each) for each in refused] == [InsufficientError] * 3
    assert (till.balances().active, till.balances().spent) == (0, 50)
    assert_ledger_adds_up(orm)


def test_two_undo_the_same_and_one_is_told_that_it_was_done(orm: str, till: Till) -> None:
    till.earn(50)
    burned = till.burn(30)

    results = at_once(lambda: till.undo(burned), lambda: till.undo(burned))

    (refused,) = (result for result in results if isinstance(result, Exception))
    assert isinstance(refused, RefusedError), refused
    assert "was reversed before" in str(refused)
    assert till.balances().active == 50
    assert_ledger_adds_up(orm)


def test_a_key_is_posted_once_though_it_comes_for_two_members_at_once(till: Till) -> None:
    results = at_once(
        lambda: till.earn(5, key="join:x", member=till.anna),
        lambda: till.earn(5, key="join:x", member=till.ben),
    )

    repeats = [result.repeat for result in results if isinstance(result, books.Posted)]
    assert sorted(repeats) == [False, True]
    assert EntryRow.objects.filter(key="join:x").count() == 1


def test_transfers_both_ways_do_not_wait_for_each_other_for_ever(orm: str, till: Till) -> None:
    till.earn(50, member=till.anna)
    till.earn(50, member=till.ben)

    def give(giver: int, to: int) -> None:
        for _ in range(5):
            with books.writing(till.program, [giver, to]) as ledger:
                lots = ledger.lots(giver, "point")
                entry = operations.transfer(till.program, lots, to, 1, LATER)
                ledger.post(entry, at=LATER, source="till")

    results = at_once(
        lambda: give(till.anna, till.ben),
        lambda: give(till.ben, till.anna),
        lambda: give(till.anna, till.ben),
    )

    assert results == [None] * 3
    assert till.balances(200).active == 45
    assert_ledger_adds_up(orm)


def test_visits_and_tills_work_beside_each_other(orm: str, till: Till) -> None:
    """The bridge adds to the accounts that a till has locked: it waits, and both are counted."""
    stamps = Till("stamp")

    def sell() -> None:
        for number in range(12):
            lots = [
                NewLot(member, unit, 1, day(number), day(number))
                for member in (till.anna, till.ben)
                for unit in ("stamp", "point")
            ]
            with books.writing(till.program, [till.anna, till.ben]) as ledger:
                for lot in lots:
                    entry = operations.accrue(till.program, lot)
                    ledger.post(entry, at=day(number), source="till")

    def visit() -> None:
        hot = open_hot(settings_for(orm))
        reader = hot.readers(["counter-1"])["counter-1"]
        known = list(hot.cards([CardKey(till.program, CardRef("uid", "5B3C2A19"))]).values())
        try:
            for batch in range(12):
                taps = []
                for number in range(4):
                    card = known[0]
                    postings = (Posting(card.member, "stamp", 1), Posting(None, "stamp", -1))
                    at = LATER + dt.timedelta(minutes=4 * batch + number)
                    lot = NewLot(card.member, "stamp", 1, at, at)
                    entry = Entry(till.program, "accrue", postings, opens=(lot,))
                    taps.append(_tap(reader.id, 4 * batch + number, card, at, entry))
                hot.record(taps)
        finally:
            hot.close()

    results = at_once(sell, visit, sell)

    assert results == [None] * 3
    members = (till.anna, till.ben)
    assert sum(stamps.balances(300, member=member).active for member in members) == 48 + 48
    assert_ledger_adds_up(orm)


def _tap(reader: int, number: int, card: object, at: dt.datetime, entry: Entry) -> DecidedTap:
    return DecidedTap(
        reader=reader,
        tap_id=f"00001-{number:06d}",
        ref=CardRef("uid", "5B3C2A19"),
        card=card,
        tier="D",
        outcome="accepted",
        reason="ok",
        read_at=int(at.timestamp()),
        clock_quality=2,
        queued=False,
        received_at=at,
        entry=entry,
    )


def test_a_repeated_request_gets_its_first_answer_and_does_nothing(till: Till) -> None:
    def work() -> tuple[int, object]:
        return 201, {"entry": till.earn(5).id}

    first = books.once("till:1", "k1", {"amount": 5}, work)
    again = books.once("till:1", "k1", {"amount": 5}, work)

    assert (first.status, first.repeat, again.repeat) == (201, False, True)
    assert again.body == first.body
    assert till.balances().active == 5


def test_a_key_with_another_payload_is_refused_and_another_client_has_keys_of_its_own(
    till: Till,
) -> None:
    books.once("till:1", "k1", {"amount": 5}, lambda: (201, {}))

    with pytest.raises(KeyConflictError) as conflict:
        books.once("till:1", "k1", {"amount": 6}, lambda: (201, {}))

    assert conflict.value.status == 422
    assert not books.once("till:2", "k1", {"amount": 6}, lambda: (201, {})).repeat


def test_what_failed_leaves_nothing_and_its_key_can_be_used_again(till: Till) -> None:
    def fail() -> tuple[int, object]:
        till.earn(5)
        raise RefusedError("no")

    with pytest.raises(RefusedError):
        books.once("till:1", "k1", {}, fail)

    assert not EntryRow.objects.exists() and not Request.objects.exists()
    assert not books.once("till:1", "k1", {}, lambda: (200, {})).repeat


def test_a_request_that_comes_again_while_it_is_worked_on(orm: str, till: Till) -> None:
    """PostgreSQL says 409 at once; on SQLite it waits for the first one's answer."""
    started, go_on = Event(), Event()

    def slow() -> tuple[int, object]:
        started.set()
        # The second one is there, or waits for the lock that this transaction has.
        go_on.wait(1)
        return 201, {"entry": till.earn(5).id}

    def first() -> books.Answer:
        return books.once("till:1", "k1", {}, slow)

    def second() -> books.Answer:
        started.wait(10)
        try:
            return books.once("till:1", "k1", {}, slow)
        finally:
            go_on.set()

    answers = at_once(first, second)

    assert isinstance(answers[0], books.Answer) and not answers[0].repeat
    if is_sqlite(orm):
        assert isinstance(answers[1], books.Answer) and answers[1].repeat
        assert answers[1].body == answers[0].body
    else:
        assert isinstance(answers[1], InFlightError) and answers[1].status == 409
    assert till.balances().active == 5


def test_a_request_that_waits_too_long_for_sqlite_is_told_to_come_again(
    orm: str, till: Till
) -> None:
    if not is_sqlite(orm):
        return  # said at once there: the test above

    def impatient() -> books.Answer:
        connections["default"].settings_dict["OPTIONS"]["timeout"] = 0.05
        return books.once("till:1", "k1", {}, lambda: (200, {}))

    with books.writing(till.program, [till.anna]):
        (answer,) = at_once(impatient)

    assert isinstance(answer, InFlightError), answer
