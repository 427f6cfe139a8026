"""`besnik check-ledger`: finds whatever does not add up, and says where."""

from __future__ import annotations

import pytest
from django.db import connection

from besnik.store import append_only
from besnik.store.__main__ import main
from besnik.store.books.check import NAMED, check, said
from besnik.store.models import Account, Entry, Hold, Lot, Posting
from support.books import Till


@pytest.fixture
def till(orm: str) -> Till:
    """A ledger in which everything has happened once."""
    till = Till()
    till.earn(50, until=5)
    till.earn(30)
    burned = till.burn(20)
    till.undo(burned, 5)
    till.give(5)
    till.commit(till.hold(7))
    till.release(till.hold(7))
    till.expire(20)
    return till


def test_a_ledger_that_adds_up(till: Till) -> None:
    report = check()

    assert report.is_clean, said(report)
    assert report.counted["entry"] == Entry.objects.count()
    assert said(report).startswith("the ledger adds up")


WRONG = {
    "UPDATE store_account SET balance = balance + 1 WHERE member_id IS NULL": "its balance is",
    "UPDATE store_account SET spent = spent + 1 WHERE member_id = {anna}": "spent -2",
    "UPDATE store_lot SET main = main + 1 WHERE id = (SELECT max(id) FROM store_lot)": "main 1",
    "UPDATE store_lot SET expired = expired + 2": "have expired by 6 more",
    "UPDATE store_posting SET amount = amount + 1 WHERE id = (SELECT max(id) FROM store_posting)": (
        "come to 1, not to 0"
    ),
    "DELETE FROM store_posting": "has no postings",
    "DELETE FROM store_lotmove WHERE part = 'spent'": "spent",
}


@pytest.mark.parametrize("statement", WRONG)
def test_what_does_not_add_up_is_named(till: Till, statement: str) -> None:
    append_only.release()
    with connection.cursor() as cursor:
        cursor.execute(statement.format(anna=till.anna))

    report = check()

    assert not report.is_clean
    assert WRONG[statement] in said(report)
    assert len(report.faults) <= 7 * NAMED


def test_points_that_are_reserved_for_nobody_are_found(till: Till) -> None:
    held = till.hold(5)
    Hold.objects.create(entry_id=held.id, member_id=till.anna, until=Lot.objects.first().opened_at)
    assert check().is_clean

    Hold.objects.all().delete()

    assert f"member {till.anna} has 5 point reserved" in said(check())


def test_the_command_says_so_by_its_exit_status(
    till: Till, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-ledger"]) == 0
    assert "the ledger adds up" in capsys.readouterr().out
    Account.objects.update(balance=1)

    assert main(["check-ledger"]) == 1

    assert "does NOT add up" in capsys.readouterr().out


def test_postings_of_one_side_are_found_even_where_the_database_lets_them_in(till: Till) -> None:
    append_only.release()
    account = Account.objects.get(member=till.anna, account="main")
    entry = Entry.objects.latest("pk")
    Posting.objects.create(entry=entry, account=account, amount=1)

    assert f"entry {entry.pk}: its postings of point come to 1" in said(check())
