"""Points that have run out, that nobody used for too long, or whose program has ended."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

import msgspec
from django.db import connection
from django.db.models import Max
from django.db.models.functions import Coalesce

from besnik.loyalty import operations
from besnik.loyalty.ledger import Entry, Unit
from besnik.loyalty.periods import Idle, idle_expired
from besnik.loyalty.program import Program
from besnik.store.books import Books, writing
from besnik.store.books.read import OPEN
from besnik.store.models import Entry as EntryRow
from besnik.store.models import Lot, Member, Sale

PAGE: Final = 500
# By the index `lot_expiring`, from the last row of the page before: what debts keep is not read
# again. Members, not rows: all that has run out of a member's lots goes at once.
_DUE: Final = """
    SELECT expires_at, member_id FROM store_lot
    WHERE main > 0 AND expires_at IS NOT NULL AND expires_at <= %s
    AND (expires_at, member_id) > (%s, %s) ORDER BY expires_at, member_id LIMIT %s"""
_BEGINNING: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# What a member does; what is done to a member, as expiry, is no activity.
_ACTIVITY: Final = ("accrue", "redeem", "hold", "commit", "transfer")


class _Wallet(NamedTuple):
    member: int
    unit: Unit


def expire_run_out(now: dt.datetime, page: int = PAGE) -> int:
    """Expire every lot whose last moment was before ``now``; return how many wallets had some."""
    done = 0
    for members in _due(now, page):
        for program, own in _by_program(members).items():
            with writing(program, own) as books:
                done += _expire(books, now)
    return done


def expire_idle(program: Program, now: dt.datetime, page: int = PAGE) -> int:
    """Expire what members have who were idle for longer than their unit's expiry allows."""
    done = 0
    for unit, expiry in program.expiry.items():
        if not isinstance(expiry, Idle):
            continue
        before = now - dt.timedelta(days=expiry.days)
        for members in _pages(program.id, {unit}, page, newest_before=before):
            with writing(program.id, members) as books:
                active = _last_active(members)
                idle = [
                    _Wallet(member, unit)
                    for member in members
                    if idle_expired(
                        expiry, program.today(active.get(member, _BEGINNING)), program.today(now)
                    )
                ]
                done += _lapse(books, idle, now, "idle")
    return done


def expire_ended(program: Program, now: dt.datetime, page: int = PAGE) -> int:
    """Expire all that is left after the last day of a program that ends; return the wallets.

    Money that was put on a card is no point: it stays until it is paid out.
    """
    if program.sunset is None or program.sunset.may_burn(program.today(now)):
        return 0
    units = set(_units(program.id)) - {program.currency.code}
    done = 0
    for members in _pages(program.id, units, page):
        with writing(program.id, members) as books:
            wallets = [_Wallet(member, unit) for member in members for unit in units]
            done += _lapse(books, wallets, now, "breakage")
    return done


def _due(now: dt.datetime, page: int) -> Iterator[set[int]]:
    """Yield the members who have lots that have run out, page by page."""
    adapt = connection.ops.adapt_datetimefield_value
    until, last, member = adapt(now), adapt(_BEGINNING), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DUE, [until, last, member, page])
            rows = cursor.fetchall()
        if not rows:
            return
        yield {row[1] for row in rows}
        last, member = rows[-1]


def _pages(
    program: int, units: Collection[Unit], page: int, newest_before: dt.datetime | None = None
) -> Iterator[list[int]]:
    """Yield the members who have something of ``units``, page by page.

    ``newest_before``: only those whose newest lot of these was opened before.
    """
    last = 0
    while True:
        rows = Lot.objects.filter(
            OPEN, main__gt=0, unit__in=units, member__program=program, member__gt=last
        )
        grouped = rows.order_by().values("member").annotate(newest=Max("opened_at"))
        if newest_before is not None:
            grouped = grouped.filter(newest__lt=newest_before)
        found = list(grouped.order_by("member").values_list("member", flat=True)[:page])
        if not found:
            return
        yield found
        last = found[-1]


def _units(program: int) -> list[Unit]:
    rows = Lot.objects.filter(OPEN, member__program=program).order_by()
    return list(rows.values_list("unit", flat=True).distinct())


def _by_program(members: Collection[int]) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for member, program in Member.objects.filter(pk__in=members).values_list("pk", "program_id"):
        found[program].append(member)
    return found


def _expire(books: Books, now: dt.datetime) -> int:
    """Expire what has run out of the locked members' lots."""
    wallets = [lots for units in books.wallets().values() for lots in units.values()]
    entries = [
        entry
        for lots in wallets
        if (entry := operations.expire(books.program, lots, now)) is not None
    ]
    known = {lot.id: lot for lots in wallets for lot in lots}
    books.post_all(entries, at=now, source="job", lots=known)
    return len(entries)


def _lapse(books: Books, wanted: Collection[_Wallet], now: dt.datetime, reason: str) -> int:
    """Expire everything that is free in these wallets."""
    wallets = books.wallets()
    entries: list[Entry] = []
    for member, unit in wanted:
        lots = wallets.get(member, {}).get(unit, [])
        entry = operations.expire(books.program, lots, now, everything=True)
        if entry is not None:
            entries.append(msgspec.structs.replace(entry, reason=reason))
    books.post_all(entries, at=now, source="job")
    return len(entries)


def _last_active(members: Collection[int]) -> dict[int, dt.datetime]:
    """Return when each member last bought, earned or used something."""
    moment = Coalesce("occurred_at", "created_at")
    rows = (
        EntryRow.objects.filter(kind__in=_ACTIVITY, postings__account__member__in=members)
        .order_by()
        .values_list("postings__account__member")
        .annotate(last=Max(moment))
    )
    active = dict(rows)
    sales = Sale.objects.filter(member__in=members).order_by().values_list("member")
    for member, last in sales.annotate(last=Max("at")):
        active[member] = max(last, active.get(member, last))
    return active
