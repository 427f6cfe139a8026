"""Reads the ledger without locks: lots, balances, and entries as they were written."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final, cast

import msgspec
from django.db import connection
from django.db.models import Q, QuerySet

from besnik.loyalty.ledger import Entry, EntryKind, Move, NewLot, Part, Posting, Unit, Written
from besnik.loyalty.lots import Balances, Lot
from besnik.store.models import Entry as EntryRow
from besnik.store.models import Lot as LotRow
from besnik.store.models import LotMove
from besnik.store.models import Posting as PostingRow

# The condition of the index `lot_open`: what any decision can be about.
OPEN: Final = ~Q(main=0) | ~Q(held=0)
# The accounts, and the sums of the lots that owe, wait, or have run out, in the same shape. One
# statement, so one moment: between two of them an expiry run could move what both see. Plain SQL:
# Django takes two milliseconds to put it together, and SQLite mostly a twentieth of one to answer.
_BALANCES: Final = """
    SELECT unit, account, balance, spent, expired FROM store_account
    WHERE member_id = %(member)s AND account IN ('main', 'held')
    UNION ALL
    SELECT unit, CASE
        WHEN main < 0 THEN 'debt'
        WHEN available_at > %(at)s AND expires_at <= %(at)s THEN 'pending_over'
        WHEN available_at > %(at)s THEN 'pending'
        ELSE 'over' END, sum(main), 0, 0
    FROM store_lot
    WHERE member_id = %(member)s AND (NOT (main = 0) OR NOT (held = 0))
      AND (main < 0 OR available_at > %(at)s OR expires_at <= %(at)s)
    GROUP BY 1, 2"""
# SQLite takes some 30,000 parameters in a statement.
_AT_ONCE: Final = 10_000
_LOT: Final = (
    "pk",
    "member_id",
    "unit",
    "amount",
    "opened_at",
    "available_at",
    "expires_at",
    "main",
    "held",
    "spent",
    "expired",
)


def wallet(member: int) -> dict[Unit, list[Lot]]:
    """Return a member's open lots by unit, oldest first: those that still hold or owe something."""
    return wallets([member]).get(member, {})


def wallets(members: Collection[int]) -> dict[int, dict[Unit, list[Lot]]]:
    """Return the open lots of each member that has any, by unit."""
    found: defaultdict[int, dict[Unit, list[Lot]]] = defaultdict(dict)
    for lot in lots_in(LotRow.objects.filter(OPEN, member__in=members)):
        found[lot.opened.member].setdefault(lot.opened.unit, []).append(lot)
    return dict(found)


def lots_in(rows: QuerySet[LotRow]) -> list[Lot]:
    """Return the lots of a query, oldest first."""
    return [
        Lot(row[0], NewLot(*row[1:7]), *row[7:]) for row in rows.order_by("pk").values_list(*_LOT)
    ]


def lots_by_id(ids: Collection[int]) -> dict[int, Lot]:
    """Return those of the lots that exist, by number."""
    wanted = sorted(ids)
    return {
        lot.id: lot
        for start in range(0, len(wanted), _AT_ONCE)
        for lot in lots_in(LotRow.objects.filter(pk__in=wanted[start : start + _AT_ONCE]))
    }


def lots_of(family: Iterable[Written]) -> dict[int, Lot]:
    """Return the lots that all moves of these entries name, open or not, as they are now."""
    return lots_by_id({move.lot for written in family for move in written.moves})


class _Sums(msgspec.Struct):
    """A unit's open lots at a moment: positive ones in the order in which debts claim them."""

    over: int = 0
    ready: int = 0
    pending_over: int = 0
    pending: int = 0
    debt: int = 0
    held: int = 0


def balances_of(member: int, at: dt.datetime) -> dict[Unit, Balances]:
    """Return what a member has of each unit at ``at``, whenever expiry ran last.

    The same as `besnik.loyalty.lots.balances` of all the member's lots. Nobody adds up those: the
    accounts hold their sum, and only lots that are not simply there are looked for.
    """
    sums: defaultdict[Unit, _Sums] = defaultdict(_Sums)
    gone: dict[Unit, tuple[int, int]] = {}
    for unit, what, amount, spent, expired in _balance_rows(member, at):
        unit_sums = sums[unit]
        if what == "held":
            unit_sums.held = int(amount)
        elif what == "main":
            unit_sums.ready += int(amount)
            gone[unit] = (spent, expired)
        else:
            unit_sums.ready -= int(amount)
            setattr(unit_sums, what, int(amount))
    return {unit: _balances(each, *gone.get(unit, (0, 0))) for unit, each in sums.items()}


def _balance_rows(member: int, at: dt.datetime) -> list[tuple[str, str, Any, int, int]]:
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, {"member": member, "at": moment})
        rows: list[tuple[str, str, Any, int, int]] = cursor.fetchall()
    return rows


def _balances(sums: _Sums, spent: int, expired: int) -> Balances:
    debt = -sums.debt
    free = []
    # What has run out comes first in `besnik.loyalty.lots.free`, and what waits comes last.
    for there in (sums.over, sums.ready, sums.pending_over, sums.pending):
        claimed = min(there, debt)
        debt -= claimed
        free.append(there - claimed)
    over, ready, pending_over, pending = free
    return Balances(
        active=ready,
        pending=pending,
        reserved=sums.held,
        spent=spent,
        expired=expired + over + pending_over,
        negative=debt,
    )


def members_of(entry: int) -> list[int]:
    """Return the members whose accounts an entry moved: whom to lock before it is undone."""
    rows = PostingRow.objects.filter(entry=entry, account__member__isnull=False)
    return sorted(set(rows.values_list("account__member_id", flat=True)))


def written(entry: int) -> Written:
    """Return an entry as it was written; EntryRow.DoesNotExist if there is none."""
    found = entries([entry])
    if not found:
        raise EntryRow.DoesNotExist(f"no entry {entry} in the ledger")
    return found[0]


def later(entry: int) -> list[Written]:
    """Return the entries that refer to ``entry``, and those that refer to these, oldest first."""
    ids: list[int] = []
    newest = [entry]
    # A reversal can be undone once, and that is final: two rounds, and one that finds nothing.
    while newest:
        newest = list(EntryRow.objects.filter(refers_to__in=newest).values_list("pk", flat=True))
        ids += newest
    return entries(ids)


def entries(ids: Collection[int]) -> list[Written]:
    """Return those of the entries that exist, in the order in which they were written."""
    postings: defaultdict[int, list[Posting]] = defaultdict(list)
    rows = PostingRow.objects.filter(entry__in=ids).order_by("pk")
    for row in rows.values_list(
        "entry_id", "account__member_id", "account__unit", "amount", "account__account"
    ):
        postings[row[0]].append(Posting(*row[1:]))
    moves: defaultdict[int, list[Move]] = defaultdict(list)
    for entry, lot, part, amount in (
        LotMove.objects.filter(entry__in=ids)
        .order_by("pk")
        .values_list("entry_id", "lot_id", "part", "amount")
    ):
        moves[entry].append(Move(lot, cast(Part, part), amount))
    opens: defaultdict[int, list[tuple[int, NewLot]]] = defaultdict(list)
    for row in (
        LotRow.objects.filter(entry__in=ids).order_by("pk").values_list("entry_id", *_LOT[:7])
    ):
        opens[row[0]].append((row[1], NewLot(*row[2:])))
    return [
        _written(*row, postings[row[0]], opens[row[0]], moves[row[0]])
        for row in EntryRow.objects.filter(pk__in=ids)
        .order_by("pk")
        .values_list("pk", "program_id", "kind", "refers_to_id", "reason")
    ]


def _written(
    id: int,
    program: int,
    kind: str,
    refers_to: int | None,
    reason: str,
    postings: list[Posting],
    opens: list[tuple[int, NewLot]],
    moves: list[Move],
) -> Written:
    filling = [Move(lot, "main", opened.amount) for lot, opened in opens]
    entry = Entry(
        program,
        cast(EntryKind, kind),
        tuple(postings),
        opens=tuple(opened for _, opened in opens),
        moves=tuple(moves),
        refers_to=refers_to,
        reason=reason,
    )
    return Written(id, entry, (*moves, *filling))
