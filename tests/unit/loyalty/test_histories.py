"""Random histories: sums are zero, a replay is the same, and nothing is ever credited twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty import operations
from besnik.loyalty.idempotency import InFlightError, KeyConflictError, Remembered, digest, recall
from besnik.loyalty.journal import Journal
from besnik.loyalty.ledger import Entry, Move, NewLot, Posting, RefusedError, Written
from support.points import ANNA, BEN, PROGRAM, Points, day

# What a till can do; ``about`` picks one of the entries before it.
Step = tuple[str, int, int]  # word, amount, about
WORDS = ("earn", "earn_short", "earn_pending", "burn", "hold", "commit", "release", "give")
UNDO = ("undo", "undo_part")

amounts = st.integers(1, 60)
about = st.integers(0, 40)
steps = st.tuples(st.sampled_from((*WORDS, *UNDO, "expire")), amounts, about)
histories = st.lists(steps, max_size=25)


def act(points: Points, step: Step, on: int) -> Written | None:
    """Do one step on day ``on``; RefusedError if the ledger refuses it."""
    word, amount, place = step
    entries = points.journal.entries
    target = entries[place % len(entries)] if entries else None
    plain: dict[str, Callable[[], Written | None]] = {
        "earn": lambda: points.earn(amount, on),
        "earn_short": lambda: points.earn(amount, on, until=on + 4),
        "earn_pending": lambda: points.earn(amount, on, available=on + 3),
        "burn": lambda: points.burn(amount, on),
        "hold": lambda: points.hold(amount, on),
        "give": lambda: points.give(amount, on),
        "expire": lambda: points.expire(on),
    }
    if word in plain:
        return plain[word]()
    if target is None:
        return None
    if word in ("commit", "release"):
        return points.commit(target) if word == "commit" else points.release(target)
    return points.undo(target, None if word == "undo" else amount, on)


def play(history: Sequence[Step], without: str = "") -> Points:
    """Play a history, one step a day; what is refused leaves no trace."""
    points = Points()
    for on, step in enumerate(history):
        if step[0] != without:
            before = len(points.journal.entries)
            try:
                act(points, step, on)
            except RefusedError:
                made = points.journal.entries[before:]
                assert all(written.entry.kind == "expire" for written in made)
    return points


@given(histories)
def test_sums_are_zero_and_lots_agree_with_accounts(history: list[Step]) -> None:
    points = play(history)
    assert sum(points.journal.accounts.values()) == 0
    for member in (ANNA, BEN):
        lots = points.journal.lots_of(member, "point")
        shown = points.balances(len(history), member)
        assert min(shown.active, shown.pending, shown.reserved, shown.negative) >= 0
        assert points.account(member) == sum(lot.main for lot in lots)
        assert points.account(member, "held") == sum(lot.held for lot in lots) == shown.reserved
        points.expire(len(history), member)
        assert points.account(member) == shown.active + shown.pending - shown.negative


@given(histories)
def test_a_replay_is_the_same(history: list[Step]) -> None:
    journal = play(history).journal
    again = Journal.replay(written.entry for written in journal.entries)
    assert again.lots == journal.lots
    assert again.accounts == journal.accounts
    assert again.entries == journal.entries


@given(histories)
def test_no_history_credits_more_than_was_earned(history: list[Step]) -> None:
    """What is, was spent and has expired, together, is what sales gave and refunds left."""
    journal = play(history).journal
    given_out: Counter[int] = Counter()
    for written in journal.entries:
        if written.entry.kind == "accrue":
            given_out[written.id] += written.entry.opens[0].amount
        for move in written.moves:
            lot = journal.lots[move.lot]
            assert lot.main + lot.held + lot.spent + lot.expired <= lot.opened.amount
            assert min(lot.held, lot.spent, lot.expired) >= 0
    issued = -journal.balance(PROGRAM, None, "point")
    taken_back = sum(
        posting.amount * (1 if written.entry.kind == "reverse" else -1)
        for written in journal.entries
        if written.entry.kind in ("reverse", "reinstate")
        for posting in written.entry.postings
        if posting.member is None and posting.account == "main"
    )
    if not any(written.entry.kind == "reinstate" for written in journal.entries):
        assert issued == sum(given_out.values()) - taken_back
    assert 0 <= issued <= sum(given_out.values())
    burned = journal.balance(PROGRAM, None, "point", "burned")
    expired = journal.balance(PROGRAM, None, "point", "expired")
    held = journal.balance(PROGRAM, ANNA, "point", "held")
    owned = sum(journal.balance(PROGRAM, member, "point") for member in (ANNA, BEN))
    assert issued == owned + held + burned + expired


@given(histories)
def test_it_makes_no_difference_when_expiry_runs(history: list[Step]) -> None:
    """Runs on some days, or none before the end: the same lots, once both have run to the end."""
    ends = []
    for without in ("", "expire"):
        points = Points()
        kept: dict[int, Written] = {}  # by the step that made it: both runs name the same entries
        for on, (word, amount, place) in enumerate(history):
            if word == without:
                continue
            try:
                done = _on_kept(points, (word, amount, place), on, kept)
            except RefusedError:
                continue
            if done is not None and word != "expire":
                kept[on] = done
        for member in (ANNA, BEN):
            points.expire(len(history) + 10, member)
        ends.append([(lot.main, lot.spent, lot.expired) for lot in points.journal.lots.values()])
    assert ends[0] == ends[1]


def _on_kept(points: Points, step: Step, on: int, kept: dict[int, Written]) -> Written | None:
    word, amount, place = step
    if word not in (*UNDO, "commit", "release"):
        return act(points, step, on)
    target = kept.get(place)
    if target is None:
        return None
    return act(points, (word, amount, target.id - 1), on)


@given(histories, st.lists(st.integers(0, 25), max_size=25))
def test_retries_in_any_order_change_nothing(history: list[Step], retried: list[int]) -> None:
    entries = [written.entry for written in play(history).journal.entries]
    once, often = Journal.replay(entries), Journal()

    def never() -> Entry:
        raise AssertionError("a retry was worked on again")

    for number, entry in enumerate(entries):
        often.post(f"key-{number}", entry, lambda entry=entry: entry)
        for again in retried:
            if again <= number:
                posted = often.post(f"key-{again}", entries[again], never)
                assert posted.repeat
                assert posted.written.entry == entries[again]
    assert often.lots == once.lots
    assert often.accounts == once.accounts


def test_a_key_with_another_payload_is_a_conflict() -> None:
    journal = Journal()
    entry = operations.accrue(PROGRAM, NewLot(ANNA, "point", 5, day(0), day(0)))
    first = journal.post("sale-1", {"amount": 500, "receipt": "A"}, lambda: entry)
    again = journal.post("sale-1", {"receipt": "A", "amount": 500}, lambda: entry)
    assert (first.repeat, again.repeat, again.written) == (False, True, first.written)
    with pytest.raises(KeyConflictError) as conflict:
        journal.post("sale-1", {"amount": 600, "receipt": "A"}, lambda: entry)
    assert conflict.value.status == 422
    assert journal.balance(PROGRAM, ANNA, "point") == 5


def test_a_key_whose_request_is_still_running_is_in_flight() -> None:
    running: Remembered[int] = Remembered(digest(["x"]))
    with pytest.raises(InFlightError) as waiting:
        recall(running, ["x"])
    assert waiting.value.status == 409
    with pytest.raises(KeyConflictError):
        recall(running, ["y"])
    assert recall(Remembered(digest(["x"]), 7), ["x"]) == 7
    assert recall(None, ["x"]) is None


def test_a_refused_request_leaves_its_key_unused() -> None:
    points = Points()
    with pytest.raises(RefusedError):
        points.journal.post("burn-1", 5, lambda: operations.redeem(PROGRAM, [], 5, day(0)))
    points.earn(5)
    lots = points.journal.lots_of(ANNA, "point")
    posted = points.journal.post("burn-1", 5, lambda: operations.redeem(PROGRAM, lots, 5, day(0)))
    assert not posted.repeat


@pytest.mark.parametrize(
    "entry",
    [
        Entry(PROGRAM, "accrue", (Posting(ANNA, "point", 5),)),
        Entry(PROGRAM, "accrue", (Posting(ANNA, "point", 5), Posting(None, "point", -5))),
        Entry(
            PROGRAM,
            "redeem",
            (Posting(ANNA, "point", -5), Posting(None, "point", 5, "burned")),
            moves=(Move(1, "main", -4), Move(1, "spent", 4)),
        ),
    ],
)
def test_an_entry_whose_lots_and_postings_disagree_is_refused(entry: Entry) -> None:
    points = Points()
    points.earn(9)
    with pytest.raises(RefusedError):
        points.journal.append(entry)
    assert points.account() == 9
