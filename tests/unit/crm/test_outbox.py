"""The ledger is the outbox: what becomes an event, once, and how far the mark passes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from besnik.crm import creating, outbox, settling, sources, telling
from besnik.crm.breaker import HeldBackError
from besnik.crm.foreign import CrmAnswerError, CrmAwayError, Delivered
from besnik.loyalty import operations
from besnik.loyalty.ledger import Entry, NewLot, Posting
from besnik.store import books
from besnik.store.models import CrmDelivery, CrmLink, CrmSource, Member
from besnik.store.models import Entry as EntryRow
from besnik.store.people import NewCard, enrol
from support.hot_counter import CARD, HotCounter
from support.published import publish
from support.store import open_raw

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def source(other_crm: CrmSource, no_margin: None) -> CrmSource:
    return other_crm


@pytest.fixture
def ana(source: CrmSource) -> Member:
    """A member who is customer 7 there."""
    member = Member.objects.get(name="Ana Hoxha")
    CrmLink.objects.create(program=source.program, member=member, external_id="7")
    return member


def give(member: Member, amount: int = 1, unit: str = "stamp") -> int:
    now = timezone.now()
    entry = Entry(
        member.program_id,
        "adjust",
        (Posting(member.pk, unit, amount), Posting(None, unit, -amount, "adjusted")),
        opens=(NewLot(member.pk, unit, amount, now, now),),
    )
    with books.writing(member.program_id, [member.pk]) as ledger:
        return ledger.post(entry, at=now, source="page").id


def collect(source: CrmSource, *, can_create: bool = True) -> int:
    return outbox.collect(source.pk, timezone.now(), can_create=can_create)


def events() -> list[str]:
    return list(CrmDelivery.objects.order_by("pk").values_list("event_id", flat=True))


def name(entry: int) -> str:
    """What the CRM knows an entry by."""
    row = EntryRow.objects.get(pk=entry)
    return f"e{row.program_id}-{entry}-{int(row.created_at.timestamp()):x}"


def test_what_a_customer_of_the_crm_did_is_told_once(source: CrmSource, ana: Member) -> None:
    first, second = give(ana), give(ana, 2, "point")
    give(Member.objects.exclude(pk=ana.pk).filter(status="active")[0])
    assert (collect(source), collect(source)) == (2, 0)
    assert events() == [name(first), name(second)]
    batch = telling.batch(source.pk, 50, timezone.now())
    assert batch is not None
    told = [(each.customer, each.kind, each.points, each.balance) for each in batch.visits]
    assert told == [("7", "other", 1, None), ("7", "other", 0, 1)]
    assert not batch.again
    telling.settle(batch.rows, [Delivered(each.event_id, "done") for each in batch.visits])
    assert telling.batch(source.pk, 50, timezone.now() + MINUTE) is None
    assert collect(source) == 0
    assert events() == []


def test_what_was_before_it_was_switched_on_is_not_told(source: CrmSource, ana: Member) -> None:
    sources.switch_off(source)
    give(ana)
    CrmSource.objects.update(started_at=None)
    source.refresh_from_db()
    sources.switch_on(source, timezone.now())
    later = give(ana)
    collect(source)
    assert events() == [name(later)]


def test_what_happened_while_it_was_off_is_told_later(source: CrmSource, ana: Member) -> None:
    sources.switch_off(source)
    meanwhile = give(ana)
    sources.switch_on(source, timezone.now())
    collect(source)
    assert events() == [name(meanwhile)]


def test_a_new_member_comes_before_what_they_did(source: CrmSource) -> None:
    member = enrol(
        source.program, name="Besa", language="en", card=NewCard("uid", "04C0FFEE000080")
    )
    entry = give(member)
    collect(source)
    assert events() == [f"m{member.ref}", name(entry)]
    assert telling.batch(source.pk, 50, timezone.now()) is None
    CrmLink.objects.create(program=source.program, member=member, external_id="9")
    batch = telling.batch(source.pk, 50, timezone.now())
    assert batch is not None
    assert [each.customer for each in batch.visits] == ["9"]


def test_who_is_enrolled_and_taps_while_it_is_looked_loses_nothing(
    source: CrmSource, ana: Member, counter: HotCounter, orm: str
) -> None:
    """Between the walk over members and those over entries and taps: the marks stop before."""
    give(ana)
    late: list[Member] = []

    def between(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if 'FROM "store_member"' in sql and not late:
            late.append(enrol(source.program, name="L", language="en", card=NewCard("uid", CARD)))
            counter.tap()
            publish(orm)
            counter.tap(minute=1)
        return result

    with connection.execute_wrapper(between):
        collect(source)
    assert len(late) == 1
    collect(source)
    assert [event[0] for event in events()] == ["e", "m", "e", "t"]


def test_what_a_refused_member_does_waits_for_the_owner_with_them(
    source: CrmSource, counter: HotCounter
) -> None:
    member = enrol(source.program, name="Besa", language="en", card=NewCard("uid", CARD))
    collect(source)
    telling.refuse([CrmDelivery.objects.get().pk], "a phone number is needed")
    for minute in (0, 1):
        counter.tap(minute=minute)
        collect(source)
        creating.refuse_orphans(source.pk)
    rows = CrmDelivery.objects.order_by("pk")
    assert [(row.event_id[0], row.state) for row in rows] == [
        ("m", "refused"), ("e", "refused"), ("e", "refused"),
    ]  # fmt: skip
    settling.send_again(rows[0])
    CrmLink.objects.create(program=source.program, member=member, external_id="9")
    assert len(batch_of(source, 50, timezone.now()).visits) == 2


def test_where_nobody_can_be_made_new_members_are_not_told_of(source: CrmSource) -> None:
    give(enrol(source.program, name="Besa", language="en"))
    collect(source, can_create=False)
    assert events() == []


def test_more_than_a_page_is_taken_in_one_round(
    source: CrmSource, ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PAGE", 2)
    people = [enrol(source.program, name=f"P{number}", language="en") for number in range(5)]
    entries = [give(member) for member in (ana, *people)]
    collect(source)
    assert events()[5:] == [name(entry) for entry in entries]


@pytest.mark.postgres  # SQLite has one writer
def test_a_row_that_comes_late_below_others_is_not_passed(
    source: CrmSource, ana: Member, orm: str
) -> None:
    """PostgreSQL: the number is taken first, and committed when the transaction is."""
    with closing(open_raw(orm)) as other, other.transaction():
        (late,) = other.execute(
            "INSERT INTO store_entry (program_id, kind, source, reason, key, created_at)"
            " VALUES (%s, 'adjust', 'page', '', '', now()) RETURNING id",
            (source.program_id,),
        ).fetchone()
        early = give(ana)
        assert early > late
        for _ in range(2):
            collect(source)
        other.execute(
            "INSERT INTO store_posting (entry_id, account_id, amount)"
            " SELECT %s, id, CASE WHEN member_id IS NULL THEN -1 ELSE 1 END"
            " FROM store_account WHERE unit = 'stamp' AND (member_id = %s OR account = 'adjusted')",
            (late, ana.pk),
        )
    assert events() == [name(early)]
    collect(source)
    assert sorted(events()) == sorted(name(each) for each in (late, early))
    source.refresh_from_db()
    assert source.delivered_to >= early


def batch_of(source: CrmSource, most: int, at: dt.datetime) -> telling.Batch:
    made = telling.batch(source.pk, most, at)
    assert made is not None
    return made


def test_a_batch_that_was_perhaps_sent_rests_and_is_a_repeat(
    source: CrmSource, ana: Member
) -> None:
    give(ana)
    collect(source)
    at = timezone.now()
    assert not batch_of(source, 50, at).again
    # The worker is killed here.
    assert telling.batch(source.pk, 50, at + dt.timedelta(seconds=telling.UNSURE_S - 1)) is None
    assert batch_of(source, 50, at + MINUTE).again


def test_a_batch_that_was_held_back_is_no_repeat(source: CrmSource, ana: Member) -> None:
    give(ana)
    collect(source)
    at = timezone.now()
    batch = batch_of(source, 50, at)
    telling.failed(batch.rows, HeldBackError("left alone"), at, again=batch.again)
    assert not batch_of(source, 50, at).again


def test_one_event_that_cannot_be_taken_holds_up_no_other(source: CrmSource, ana: Member) -> None:
    entries = [give(ana) for _ in range(8)]
    collect(source)
    at, told = timezone.now(), set()
    poison = name(entries[3])
    for _ in range(40):
        batch = telling.batch(source.pk, 8, at)
        if batch is None:
            at += MINUTE
            continue
        ids = [each.event_id for each in batch.visits]
        if poison in ids:
            telling.failed(batch.rows, CrmAnswerError("nonsense"), at, again=batch.again)
        else:
            told.update(ids)
            telling.settle(batch.rows, [Delivered(each, "done") for each in ids])
    assert len(told) == 7
    for _ in range(26):
        at += 20 * MINUTE
        if batch := telling.batch(source.pk, 8, at):
            telling.failed(batch.rows, CrmAnswerError("nonsense"), at, again=True)
    row = CrmDelivery.objects.exclude(state="done").get()
    assert (row.event_id, row.state, row.why) == (poison, "refused", "nonsense")


def test_an_event_is_tried_for_ever_while_the_crm_is_away(source: CrmSource, ana: Member) -> None:
    give(ana)
    collect(source)
    at = timezone.now()
    for _ in range(30):
        batch = batch_of(source, 50, at)
        telling.failed(batch.rows, CrmAwayError("away"), at, again=True)
        at += 20 * MINUTE
    # Nonsense afterwards, for a while, does not make it the owner's at once.
    telling.failed(batch.rows, CrmAnswerError("nonsense"), at, again=True)
    assert CrmDelivery.objects.get().state == "waiting"


def test_points_that_are_set_aside_are_told_when_they_are_redeemed(
    source: CrmSource, ana: Member
) -> None:
    give(ana, 5)
    now = timezone.now()
    with books.writing(ana.program_id, [ana.pk]) as ledger:
        held = ledger.post(
            operations.hold(ana.program_id, ledger.lots(ana.pk, "stamp"), 3, now),
            at=now,
            source="page",
        )
    with books.writing(ana.program_id, [ana.pk]) as ledger:
        written = ledger.written(held.id)
        ledger.post(operations.commit(written, ()), at=now, source="page")
    collect(source)
    batch = batch_of(source, 50, timezone.now())
    assert [(each.kind, each.points) for each in batch.visits] == [("other", 5), ("redeem", -3)]


def test_new_members_wait_for_none_of_those_who_left(source: CrmSource) -> None:
    gone, other = (enrol(source.program, name=name, language="en") for name in ("Besa", "Dea"))
    collect(source)
    Member.objects.filter(pk=gone.pk).update(status="closed")
    asked = creating.batch(source.pk, 1, timezone.now())
    assert [each.member for each in asked.people] == [other.pk]
    assert CrmDelivery.objects.get(member=gone).why == "this member left"
