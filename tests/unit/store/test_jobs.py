"""What is due by the clock: done in pages, once, by one process, and again after a stop."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from django.db import connection
from django.utils import timezone

from besnik.loyalty import operations
from besnik.loyalty.ledger import NewLot
from besnik.loyalty.membership import Sunset
from besnik.loyalty.periods import Idle
from besnik.loyalty.tiers import Tier, TierPlan
from besnik.store import books
from besnik.store.__main__ import main
from besnik.store.books.check import check, said
from besnik.store.jobs import expiry, holds, runner, tiers
from besnik.store.models import (
    Entry,
    Hold,
    ImportRun,
    Lot,
    Member,
    Reader,
    ReaderHour,
    Request,
    Reservation,
    RewardStock,
    TierHeld,
)
from besnik.store.programs import current
from support.books import Till, at_once
from support.points import day
from support.store import assert_ledger_adds_up


@pytest.fixture
def till(orm: str) -> Till:
    return Till()


def crowd(till: Till, count: int, lots: int = 2) -> list[int]:
    """Add members with lots of 10 that end on days 1, 2, … and one that never ends."""
    new = [Member(program_id=till.program, name=f"M {number}") for number in range(count)]
    members = [member.pk for member in Member.objects.bulk_create(new)]
    with books.writing(till.program, members) as ledger:
        ends = [*(day(1 + number) for number in range(lots)), None]
        entries = [
            operations.accrue(till.program, NewLot(member, "point", 10, day(0), day(0), end))
            for member in members
            for end in ends
        ]
        ledger.post_all(entries, at=day(0), source="import")
    return members


def test_all_that_has_run_out_expires_in_pages_and_a_second_run_finds_nothing(
    orm: str, till: Till
) -> None:
    members = crowd(till, 25, lots=3)

    assert expiry.expire_run_out(day(2), page=7) == 25
    assert expiry.expire_run_out(day(2), page=7) == 0

    for member in members:
        shown = books.balances_of(member, day(2))["point"]
        assert (shown.active, shown.expired) == (20, 20)
    assert Entry.objects.filter(kind="expire").count() == 25
    assert check().is_clean, said(check())
    assert_ledger_adds_up(orm)


def test_a_run_that_was_stopped_goes_on_where_it_was(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = crowd(till, 20)
    pages = []

    def stop_at_the_third(ledger: books.Books, now: dt.datetime) -> int:
        pages.append(done := whole(ledger, now))
        if len(pages) == 3:
            raise SystemExit(0)  # as SIGTERM does; this page is not committed
        return done

    whole = expiry._expire
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(expiry, "_expire", stop_at_the_third)
        expiry.expire_run_out(day(9), page=6)
    assert 0 < Entry.objects.filter(kind="expire").count() < 20

    expiry.expire_run_out(day(9), page=6)

    assert Entry.objects.filter(kind="expire").count() == 20
    assert {books.balances_of(member, day(9))["point"].expired for member in members} == {20}
    assert check().is_clean


def test_what_covers_a_debt_does_not_expire_and_does_not_stop_the_run(till: Till) -> None:
    earned = till.earn(30)
    till.burn(30)
    till.undo(earned)
    till.earn(10, until=5)
    others = crowd(till, 5)

    assert expiry.expire_run_out(day(10), page=2) == 5

    assert till.balances(10).negative == 20
    assert books.balances_of(others[0], day(10))["point"].active == 10
    assert expiry.expire_run_out(day(11), page=2) == 0


def with_rules(till: Till, **rules: object) -> object:
    return msgspec.structs.replace(current(till.program), **rules)


def test_who_was_idle_loses_everything_and_who_did_anything_does_not(till: Till) -> None:
    program = with_rules(till, expiry={"point": Idle(90)}, zone="UTC")
    till.earn(50)
    till.earn(50, member=till.ben)
    till.burn(10, on=40)

    assert expiry.expire_idle(program, day(90)) == 0  # day 90 after day 0 is still in time
    assert expiry.expire_idle(program, day(91), page=1) == 1

    assert books.balances_of(till.ben, day(91))["point"].active == 0
    assert till.balances(91).active == 40
    assert Entry.objects.get(kind="expire").reason == "idle"
    assert expiry.expire_idle(program, day(131)) == 1
    assert till.balances(131).expired == 40
    assert check().is_clean


def test_expiry_is_no_activity(till: Till) -> None:
    program = with_rules(till, expiry={"point": Idle(90)}, zone="UTC")
    till.earn(50)
    till.earn(5, until=80)
    expiry.expire_run_out(day(80))

    assert expiry.expire_idle(program, day(91)) == 1


def test_a_hold_that_ended_goes_back_once_and_one_that_runs_stays(till: Till) -> None:
    till.earn(50)
    ended, running = till.hold(20), till.hold(10)
    for held, until in ((ended, day(1)), (running, day(3))):
        Hold.objects.create(entry_id=held.id, member_id=till.anna, until=until)
    stock = RewardStock.objects.create(program_id=till.program, reward="mug", left=1)
    Reservation.objects.create(stock=stock, key=f"h{ended.id}", until=day(1))

    assert (holds.end_holds(day(2)), holds.end_holds(day(2))) == (1, 0)
    assert holds.forget_reservations(day(2)) == 1

    assert (till.balances().active, till.balances().reserved) == (40, 10)
    assert [made.entry.kind for made in books.later(ended.id)] == ["release"]
    assert Hold.objects.get().pk == running.id
    assert check().is_clean


def test_a_tier_whose_last_day_has_passed_is_judged_again(till: Till) -> None:
    plan = TierPlan(tiers=(Tier(name="Base", threshold=0), Tier(name="Gold", threshold=10_000)))
    program = with_rules(till, tiers=plan, zone="UTC")
    today = timezone.now().date()
    Member.objects.filter(pk=till.anna).update(created_at=timezone.now() - dt.timedelta(days=900))
    TierHeld.objects.create(
        member_id=till.anna,
        level=1,
        since=today - dt.timedelta(days=500),
        until=today - dt.timedelta(days=1),
    )
    TierHeld.objects.create(member_id=till.ben, level=1, since=today, until=today)

    assert tiers.review(program, timezone.now()) == 1

    anna, ben = TierHeld.objects.get(pk=till.anna), TierHeld.objects.get(pk=till.ben)
    assert (anna.level, ben.level) == (0, 1)
    assert anna.until is not None and anna.until >= today
    assert tiers.review(program, timezone.now()) == 0


def test_a_program_that_ended_owes_nothing_but_the_money_on_its_cards(till: Till) -> None:
    money = Till(current(till.program).currency.code)
    till.earn(50)
    till.earn(9, member=till.ben)
    money.earn(2000)
    program = with_rules(till, sunset=Sunset(day(0).date(), 90), zone="UTC")

    assert expiry.expire_ended(program, day(89)) == 0
    assert expiry.expire_ended(program, day(90), page=1) == 2
    assert expiry.expire_ended(program, day(91), page=1) == 0

    assert (till.balances(90).active, till.balances(90).expired) == (0, 50)
    assert money.balances(90).active == 2000
    assert Lot.objects.filter(unit="point", main__gt=0).count() == 0
    assert check().is_clean


def test_the_command_does_everything_once(till: Till, capsys: pytest.CaptureFixture[str]) -> None:
    till.earn(50, until=5)
    old = timezone.now() - dt.timedelta(days=31)
    for key, at in (("old", old), ("new", timezone.now())):
        Request.objects.create(
            client="t", key=key, digest="", status=200, answer="{}", created_at=at
        )
        ImportRun.objects.create(
            program_id=till.program, name=key, content="", problems=[[2, "name", "x", "A"]], at=at
        )
    names = ("said", "rssi_sum_dbm", "dropped", "reconnects", "rc522_recoveries", "restarts")
    for days in (91, 89):
        ReaderHour.objects.create(
            reader=Reader.objects.earliest("pk"),
            hour=timezone.now() - dt.timedelta(days=days),
            **dict.fromkeys(names, 0),
        )

    assert main(["jobs", "--once"]) == 0
    assert capsys.readouterr().out == "jobs: expired 1\n"
    assert main(["jobs", "--once"]) == 0
    assert capsys.readouterr().out == "jobs: nothing was due\n"
    assert Request.objects.get().key == "new"
    assert ImportRun.objects.exclude(problems=[]).get().name == "new"
    assert ReaderHour.objects.get().hour > timezone.now() - dt.timedelta(days=90)


def test_sqlite_learns_how_its_tables_are_filled(till: Till) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL does so by itself")
    till.earn(50)

    runner.do_all(timezone.now())

    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tbl FROM sqlite_stat1")
        assert {"store_lot", "store_posting"} <= {row[0] for row in cursor.fetchall()}


def test_only_one_process_does_the_jobs(till: Till, capsys: pytest.CaptureFixture[str]) -> None:
    till.earn(50, until=5)
    with runner.turn() as is_ours:
        assert is_ours
        assert at_once(lambda: main(["jobs", "--once"])) == [0]
    assert "another one is at it" in capsys.readouterr().out

    with runner.turn() as is_ours:
        assert is_ours
