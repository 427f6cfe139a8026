"""Random histories on the database: the same as in memory, and nothing is ever credited twice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from besnik.loyalty.journal import Journal
from besnik.loyalty.ledger import Entry, RefusedError, Written
from besnik.loyalty.lots import Lot
from besnik.store import books, people
from besnik.store.books.check import check, said
from besnik.store.books.read import entries, lots_in
from besnik.store.database import is_sqlite
from besnik.store.jobs.expiry import expire_run_out
from besnik.store.models import Account, Member
from besnik.store.models import Entry as EntryRow
from besnik.store.models import Lot as LotRow
from support.books import Till
from support.points import ANNA, BEN, Points, day

# A step is a word, an amount, and the number of the step that it is about.
Step = tuple[str, int, int]
WORDS = ("earn", "earn_short", "earn_pending", "burn", "hold", "give", "owe", "expire")
ABOUT = ("commit", "release", "undo", "undo_part")
steps = st.tuples(st.sampled_from((*WORDS, *ABOUT)), st.integers(1, 60), st.integers(0, 7))
histories = st.lists(steps, max_size=15)
# One database for all examples of a test; each has a program of its own. No deadline: on a busy
# machine a slow example says nothing about the code.
few = settings(
    deadline=None,
    max_examples=int(os.environ.get("BESNIK_EXAMPLES", "100")) // 10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def _hasty(orm: str) -> None:
    """SQLite does not wait for the disk: no test here pulls the plug."""
    if is_sqlite(orm):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")


def act(till: Any, step: Step, on: int, kept: dict[int, Written]) -> Written | None:
    """Do a step of day ``on`` at a till, on the database or in memory: both know the words."""
    word, amount, about = step
    plain: dict[str, Callable[[], Written | None]] = {
        "earn": lambda: till.earn(amount, on),
        "earn_short": lambda: till.earn(amount, on, until=on + 4),
        "earn_pending": lambda: till.earn(amount, on, available=on + 3),
        "burn": lambda: till.burn(amount, on),
        "hold": lambda: till.hold(amount, on),
        "give": lambda: till.give(amount, on),
        "owe": lambda: owe(till, amount, on),
    }
    if word in plain:
        return plain[word]()
    if word == "expire":
        expire(till, on)
    target = kept.get(about)
    if word == "expire" or target is None:
        return None
    if word in ("commit", "release"):
        return getattr(till, word)(target)
    return till.undo(target, None if word == "undo" else amount, on)


def owe(till: Any, amount: int, on: int) -> Written:
    """Earn, spend, and take back what was earned: chance alone seldom makes a debt."""
    earned = till.earn(amount, on)
    till.burn(amount, on)
    return till.undo(earned, None, on)


def expire(till: Any, on: int) -> None:
    if isinstance(till, Points):
        for member in (ANNA, BEN):
            till.expire(on, member)
    else:
        expire_run_out(day(on), page=1)


def play(till: Any, history: Sequence[Step], *, whole: bool = False) -> list[str]:
    """Play a history, one step a day; return what came of each step.

    ``whole``: of a step that is refused half way nothing stays, as with a request.
    """
    kept: dict[int, Written] = {}
    came = []
    for on, step in enumerate(history):
        try:
            with transaction.atomic() if whole else nullcontext():
                done = act(till, step, on, kept)
        except RefusedError as error:
            came.append(type(error).__name__)
            continue
        if done is not None:
            kept[on] = done
        came.append("done")
    expire(till, len(history) + 5)
    return came


def plain_lots(lots: Sequence[Lot], till: Any) -> list[Any]:
    """Return lots without what differs between two ledgers: their numbers, and the members'."""
    anna = till.anna if isinstance(till, Till) else ANNA
    return [
        (lot.opened.member == anna, msgspec.structs.astuple(lot.opened)[1:], *_parts(lot))
        for lot in sorted(lots, key=lambda lot: lot.id)
    ]


def _parts(lot: Lot) -> tuple[int, int, int, int]:
    return lot.main, lot.held, lot.spent, lot.expired


def lots_of(till: Till) -> list[Lot]:
    return lots_in(LotRow.objects.filter(member__program=till.program))


def accounts_of(program: int) -> dict[tuple[int | None, str], int]:
    rows = Account.objects.filter(program=program, balance__gt=-(10**9)).exclude(balance=0)
    return {(row.member_id, row.account): row.balance for row in rows}


@few
@given(histories)
def test_the_database_does_what_memory_does(history: list[Step]) -> None:
    till, points = Till(is_new=True), Points()

    assert play(till, history) == play(points, history)

    assert plain_lots(lots_of(till), till) == plain_lots(list(points.journal.lots.values()), points)
    on = len(history) + 5
    for member, in_memory in ((till.anna, ANNA), (till.ben, BEN)):
        assert till.balances(on, member) == points.balances(on, in_memory)
    names = {till.anna: ANNA, till.ben: BEN}
    assert accounts_of(till.program) == {
        (next((own for own, other in names.items() if other == member), None), account): balance
        for (_, member, _, account), balance in points.journal.accounts.items()
        if balance
    }


@few
@given(histories)
def test_a_replay_of_what_was_written_is_the_same(history: list[Step]) -> None:
    till = Till(is_new=True)
    play(till, history)
    rows = EntryRow.objects.filter(program=till.program).order_by("pk")
    kept = entries(list(rows.values_list("pk", flat=True)))
    lots = {lot.id: lot for lot in lots_of(till)}

    journal = Journal.replay(_renumbered(kept, sorted(lots)))

    replayed = list(journal.lots.values())
    assert plain_lots(replayed, till) == plain_lots(list(lots.values()), till)
    assert accounts_of(till.program) == {
        (member, account): balance
        for (_, member, _, account), balance in journal.accounts.items()
        if balance
    }


def _renumbered(kept: Sequence[Written], lots: list[int]) -> list[Entry]:
    """Return the entries as a journal numbers what they refer to: from 1 on."""
    places = {lot: place for place, lot in enumerate(lots, 1)}
    numbers = {written.id: place for place, written in enumerate(kept, 1)}
    return [
        msgspec.structs.replace(
            written.entry,
            moves=tuple(
                msgspec.structs.replace(move, lot=places[move.lot]) for move in written.entry.moves
            ),
            refers_to=numbers.get(written.entry.refers_to or 0),
        )
        for written in kept
    ]


@few
@given(histories, st.lists(st.integers(0, 14), max_size=20))
def test_no_order_of_retries_refunds_expiry_and_burns_credits_twice(
    history: list[Step], retried: list[int]
) -> None:
    """Each step is a request with a key, and comes again: at once, and much later."""
    till, once = Till(is_new=True), Till(is_new=True)
    kept: dict[int, Written] = {}
    given_out: Counter[str] = Counter()

    def ask(number: int) -> None:
        def work() -> tuple[int, object]:
            done = act(till, history[number], number, kept)
            if done is not None:
                kept[number] = done
                if history[number][0].startswith(("earn", "owe")):
                    given_out["earned"] += history[number][1]
            return 200, None

        try:
            books.once(f"till {till.program}", str(number), history[number], work)
        except RefusedError:
            # A refusal is no answer that is kept: the caller may ask again when there is more.
            refused.add(number)

    refused: set[int] = set()
    for number in range(len(history)):
        ask(number)
        for again in retried:
            if again <= number and again not in refused:
                ask(again)
    expire(till, len(history) + 5)

    play(once, history, whole=True)
    assert plain_lots(lots_of(till), till) == plain_lots(lots_of(once), once)
    accounts = accounts_of(till.program)
    assert 0 <= -accounts.get((None, "main"), 0) <= given_out["earned"]
    assert sum(accounts.values()) == 0


@few
@given(histories)
def test_who_is_erased_leaves_every_sum_as_it_was(history: list[Step]) -> None:
    till = Till(is_new=True)
    play(till, history)
    before, lots = accounts_of(till.program), lots_of(till)

    people.erase(Member.objects.get(pk=till.anna), timezone.now())

    assert accounts_of(till.program) == before
    assert lots_of(till) == lots


def test_after_many_histories_the_ledger_adds_up() -> None:
    """A hundred steps that all do something, and the auditor's command at the end."""
    till = Till(is_new=True)
    words = (*WORDS, *ABOUT)
    play(till, [(words[n * 7 % 12], 5 + n * 13 % 40, n * 5 % (n + 1)) for n in range(100)])

    report = check()

    held = [fault for fault in report.faults if "no hold that would give it back" in fault]
    assert list(report.faults) == held, said(report)
    assert report.counted["entry"] > 50
