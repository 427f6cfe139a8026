"""Which entries, visits and new members a CRM has to be told of: the ledger itself is the outbox.

Every entry above the mark ``CrmSource.delivered_to`` is looked at; what the CRM is to be told gets
a row in CrmDelivery, once. The mark passes only what nothing can come below any more
(`besnik.crm.horizon`); what is above it is looked at again in the next round. Members and taps have
marks of their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec
from django.db.models import Max, Model, Q, QuerySet

from besnik.crm import unearned
from besnik.crm.horizon import settled_before
from besnik.loyalty.ledger import HELD, MAIN
from besnik.store.models import (
    NEWCOMER,
    CrmDelivery,
    CrmLink,
    CrmSource,
    Entry,
    Member,
    MemberStatus,
    Posting,
    Tap,
)
from besnik.store.writer import Writer

PAGE: Final = 100
_writer: Final = Writer()
# Keys of entries that the CRM is not told of: they brought here what it had said itself.
UNTOLD: Final = "crm:"
# Between accounts of the member: what was set aside is told when it is redeemed.
_OWN: Final = (MAIN, HELD)


def collect(source: int, now: dt.datetime, *, can_create: bool) -> int:
    """Make rows for what happened since the last round; return how many are of entries and taps.

    Without ``can_create`` new members are not told of, and what they do is not either.
    """
    before = settled_before(now)
    row = CrmSource.objects.get(pk=source)
    # Before the members: what one does who is enrolled while they are gone through is beyond it.
    last_entry, last_tap = _last(Entry), _last(Tap)
    # All members first: an entry of one who is not there yet is told once they are.
    _Walk(row.members_to, before).go(
        lambda after: _members(row, after, can_create=can_create),
        lambda mark: CrmSource.objects.filter(pk=source).update(members_to=mark),
    )
    count = _Walk(row.delivered_to, before).go(
        lambda after: _entries(row, after, last_entry),
        lambda mark: CrmSource.objects.filter(pk=source).update(delivered_to=mark),
    )
    count += _Walk(row.taps_to, before, unearned.PAGE).go(
        lambda after: _taps(row, after, last_tap),
        lambda mark: CrmSource.objects.filter(pk=source).update(taps_to=mark),
    )
    _forget(CrmSource.objects.get(pk=source), now)
    return count


class _Page(msgspec.Struct, frozen=True):
    """Rows that were looked at, each with when it was written, and what is made of them."""

    rows: list[tuple[int, dt.datetime]]
    made: list[CrmDelivery] = []


class _Walk:
    """From a mark to the end, page by page; the mark follows as far as nothing can come below."""

    def __init__(self, mark: int, before: dt.datetime | None, size: int = 0) -> None:
        self._mark = mark
        self._before = before
        self._size = size or PAGE

    def go(self, look: Callable[[int], _Page], keep: Callable[[int], object]) -> int:
        """``look`` at each page after a row, ``keep`` each new mark with it; return what was made.

        What is made of a page and its mark are one transaction, and nothing else is in it: SQLite's
        one writer is the bridge's.
        """
        after, count, is_settled = self._mark, 0, True
        while True:
            page = look(after)
            passed = self._passed(page.rows) if is_settled else 0
            if page.made or passed:
                with _writer.hold():
                    CrmDelivery.objects.bulk_create(page.made, ignore_conflicts=True)
                    if passed:
                        keep(passed)
            count += len(page.made)
            if len(page.rows) < self._size:
                return count
            after = page.rows[-1][0]
            is_settled = is_settled and passed == after

    def _passed(self, rows: Sequence[tuple[int, dt.datetime]]) -> int:
        """Return the last row that nothing can come below any more, 0 if it is none of these."""
        passed = 0
        for pk, at in rows:
            if self._before is not None and at >= self._before:
                break
            passed = pk
        return passed


def _last(table: type[Model]) -> int:
    return table._default_manager.aggregate(last=Max("pk"))["last"] or 0


def _members(source: CrmSource, after: int, *, can_create: bool) -> _Page:
    members = list(
        Member.objects.filter(program=source.program_id, pk__gt=after).order_by("pk")[:PAGE]
    )
    seen = [(member.pk, member.created_at) for member in members]
    if not can_create:
        return _Page(seen)
    links = CrmLink.objects.filter(member__in=members)
    linked = set(links.values_list("member", flat=True))
    made = [
        CrmDelivery(
            program_id=source.program_id,
            event_id=f"m{member.ref}",
            member=member,
            at=member.created_at,
        )
        for member in members
        if member.status == MemberStatus.ACTIVE and member.pk not in linked
    ]
    return _Page(seen, made)


def _entries(source: CrmSource, after: int, last: int) -> _Page:
    entries = list(
        Entry.objects.filter(program=source.program_id, pk__gt=after, pk__lte=last)
        .order_by("pk")
        .values_list("pk", "created_at", "tap", "key")[:PAGE]
    )
    visits = {pk for pk, _, tap, _ in entries if tap is not None}
    moved = _moved([pk for pk, *_, key in entries if not key.startswith(UNTOLD)])
    told = _told(source.program_id, {member for members in moved.values() for member in members})
    rows = [
        CrmDelivery(
            program_id=source.program_id,
            event_id=event_id(pk, at, source.program_id, member, alone=len(moved[pk]) == 1),
            entry=pk,
            member_id=member,
            at=at,
        )
        for pk, at, *_ in entries
        for member, is_moved in sorted(moved.get(pk, {}).items())
        if member in told and (is_moved or pk in visits)
    ]
    return _Page([(pk, at) for pk, at, *_ in entries], _unknown(rows))


def _taps(source: CrmSource, after: int, last: int) -> _Page:
    rows, taps = unearned.between(source.program_id, after, last)
    told = _told(source.program_id, {tap.member_id for tap in taps if tap.member_id is not None})
    made = unearned.told(source.program_id, [tap for tap in taps if tap.member_id in told])
    return _Page(rows, _unknown(made))


def _unknown(made: Sequence[CrmDelivery]) -> list[CrmDelivery]:
    """Return those that have no row yet."""
    if not made:
        return []
    known = CrmDelivery.objects.filter(
        program=made[0].program_id, event_id__in=[row.event_id for row in made]
    )
    events = set(known.values_list("event_id", flat=True))
    return [row for row in made if row.event_id not in events]


def event_id(entry: int, at: dt.datetime, program: int, member: int, *, alone: bool) -> str:
    """Return what a CRM knows an entry by; of an entry about several members each has its own.

    With the second in which it was written: a database that is begun anew beside the same CRM
    counts its entries from one again, and the CRM must not take them for the old ones.
    """
    name = f"e{program}-{entry}-{int(at.timestamp()):x}"
    return name if alone else f"{name}-{member}"


def _moved(entries: Collection[int]) -> dict[int, dict[int, bool]]:
    """Return, by entry and member, whether anything came to the member or left."""
    postings = Posting.objects.filter(
        entry__in=entries, account__member__isnull=False, account__account__in=_OWN
    ).values_list("entry", "account__member", "account__unit", "amount")
    sums: dict[int, dict[int, dict[str, int]]] = {}
    for entry, member, unit, amount in postings:
        units = sums.setdefault(entry, {}).setdefault(member or 0, {})
        units[unit] = units.get(unit, 0) + amount
    return {
        entry: {member: any(units.values()) for member, units in members.items()}
        for entry, members in sums.items()
    }


def _told(program: int, members: Collection[int]) -> set[int]:
    """Return those of the members who are customers there, or are to be made so.

    Also who was refused there: what they do waits for the owner with them.
    """
    linked = CrmLink.objects.filter(program=program, member__in=members)
    made = CrmDelivery.objects.filter(
        NEWCOMER, program=program, member__in=members, state__in=("waiting", "refused")
    )
    return {
        member
        for rows in (linked, made)
        for member in rows.values_list("member", flat=True)
        if member is not None
    }


def _forget(source: CrmSource, now: dt.datetime) -> None:
    """Drop what is done, as far as it is below the marks: nobody looks there again.

    Visits of taps for as long as another could come too soon after them; those of members who
    turned out to be no customers there, too.
    """
    mine = CrmDelivery.objects.filter(program=source.program_id)
    below = Q(entry__lte=source.delivered_to) | NEWCOMER & Q(member__lte=source.members_to)
    old = Q(tap__lte=source.taps_to, at__lt=unearned.remembered(source.program_id, now))
    _drop(mine.filter(below | old, state="done"))
    # A member beyond the mark may still have to be told of.
    owed = mine.filter(
        tap__isnull=False,
        state="waiting",
        member__crm_link__isnull=True,
        member__lte=source.members_to,
    )
    new = mine.filter(NEWCOMER).exclude(state="done")
    _drop(owed.exclude(member__in=new.values("member")))


def _drop(rows: QuerySet[CrmDelivery]) -> None:
    """Delete rows, found before SQLite's one writer is held for it, and a few at a time.

    Those that are still such rows: a member may have been linked meanwhile.
    """
    found = list(rows.values_list("pk", flat=True))
    for start in range(0, len(found), PAGE):
        rows.filter(pk__in=found[start : start + PAGE]).delete()
