"""One transaction on the ledger: members locked, lots read, entries checked and written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from besnik.loyalty.journal import check
from besnik.loyalty.ledger import Entry, Move, RefusedError, Unit, Written
from besnik.loyalty.lots import Lot, moved
from besnik.store.books import read
from besnik.store.books.accounts import Changes
from besnik.store.books.write import insert_lots, insert_moves, update_lots
from besnik.store.models import Account, Member
from besnik.store.models import Entry as EntryRow

Ref = models.Model | int | None  # a row or its number
# What only takes what a lot has; a reversal may leave it below zero.
_TAKES_WHAT_IS_THERE = frozenset({"redeem", "hold", "transfer", "expire"})


class Posted(Written, frozen=True):
    """An entry as the ledger holds it; ``repeat`` if its key had been posted before."""

    repeat: bool = False


class Books:
    """The ledger of one program within one transaction; ``members`` are locked."""

    def __init__(self, program: int, members: frozenset[int]) -> None:
        self.program = program
        self.members = members
        self._changes = Changes(program)

    def wallet(self, member: int) -> dict[Unit, list[Lot]]:
        """Return a locked member's open lots by unit, oldest first."""
        self._must_be_locked({member})
        return read.wallet(member)

    def wallets(self) -> dict[int, dict[Unit, list[Lot]]]:
        """Return the open lots of all locked members that have any, by unit."""
        return read.wallets(self.members)

    def lots(self, member: int, unit: Unit) -> list[Lot]:
        """Return a locked member's open lots of a unit, oldest first."""
        return self.wallet(member).get(unit, [])

    def written(self, entry: int) -> Written:
        """Return an entry of this program as it was written; DoesNotExist if there is none."""
        self._changes.write()
        found = read.written(entry)
        if found.entry.program != self.program:
            raise EntryRow.DoesNotExist(f"no entry {entry} in this program")
        return found

    def later(self, entry: int) -> list[Written]:
        """Return the entries that refer to ``entry``, and those that refer to these."""
        self._changes.write()
        return read.later(entry)

    def lots_of(self, family: Sequence[Written]) -> dict[int, Lot]:
        """Return the lots that all moves of these entries name, open or not, as they are now."""
        return read.lots_of(family)

    def post(
        self,
        entry: Entry,
        *,
        at: dt.datetime,
        source: str,
        staff: Ref = None,
        sale: Ref = None,
        tap: Ref = None,
        key: str = "",
    ) -> Posted:
        """Write an entry; ``at`` is when it happened where it happened.

        ``key`` makes it happen once ever in this program: the second time the first entry comes
        back, with ``repeat``. RefusedError, and nothing written, if it is not balanced, if its
        lots do not agree with it, or if it was decided on lots that have changed since.
        """
        if key and (known := self._by_key(key)) is not None:
            return known
        after = self._checked([entry])
        row = _row(entry, at, source, staff, sale, tap, key)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            if key and (known := self._by_key(key)) is not None:
                return known
            raise
        (made,) = self._write([entry], [row], after)
        return Posted(made.id, made.entry, made.moves)

    def post_all(
        self,
        entries: Sequence[Entry],
        *,
        at: dt.datetime,
        source: str,
        lots: Mapping[int, Lot] | None = None,
        keys: Sequence[str] | None = None,
    ) -> list[Written]:
        """Write entries about different lots in few statements: what a job does to many members.

        ``lots``: those the entries move, by number, as they were read under this lock. ``keys``:
        one for each entry; IntegrityError for one that was posted before.
        """
        after = self._checked(entries, lots)
        rows = EntryRow.objects.bulk_create(
            _row(entry, at, source, key=key)
            for entry, key in zip(entries, keys or [""] * len(entries), strict=True)
        )
        return self._write(entries, rows, after)

    def close(self) -> None:
        """Write what was kept back: postings and balances, in the one order everybody locks in."""
        self._changes.write()

    def _write(
        self, entries: Sequence[Entry], rows: Sequence[EntryRow], after: dict[int, Lot]
    ) -> list[Written]:
        opened = insert_lots(list(zip(rows, entries, strict=True)))
        insert_moves(
            [
                (row.pk, move)
                for row, entry in zip(rows, entries, strict=True)
                for move in entry.moves
            ]
        )
        update_lots(after.values())
        done = []
        for row, entry, lots in zip(rows, entries, opened, strict=True):
            filling = tuple(Move(lot.id, "main", lot.opened.amount) for lot in lots)
            self._changes.add(row.pk, entry, after)
            done.append(Written(row.pk, entry, (*entry.moves, *filling)))
        return done

    def _checked(
        self, entries: Sequence[Entry], known: Mapping[int, Lot] | None = None
    ) -> dict[int, Lot]:
        """Return the lots that the entries move, as they will be; RefusedError if wrong."""
        ids = {move.lot for entry in entries for move in entry.moves}
        if known is None:
            lots = read.lots_by_id(ids)
        else:
            lots = {id: known[id] for id in ids if id in known}
        if len(lots) < len(ids):
            raise RefusedError(f"no lots {sorted(ids - lots.keys())} in the ledger")
        self._must_be_locked({lot.opened.member for lot in lots.values()})
        after = dict(lots)
        for entry in entries:
            if entry.program != self.program:
                raise RefusedError(f"this is an entry of program {entry.program}")
            self._must_be_locked(
                {posting.member for posting in entry.postings if posting.member is not None}
            )
            _agrees(entry, lots)
            changed = moved(after, entry.moves)
            if entry.kind in _TAKES_WHAT_IS_THERE:
                _still_there(entry, after, changed)
            after |= changed
        return after

    def _by_key(self, key: str) -> Posted | None:
        # The condition of the index, or SQLite reads every entry (sqlite.org/partialindex.html).
        keyed = EntryRow.objects.filter(program=self.program, key=key).exclude(key="")
        first = keyed.values_list("pk", flat=True).first()
        if first is None:
            return None
        made = self.written(first)
        return Posted(made.id, made.entry, made.moves, repeat=True)

    def _must_be_locked(self, members: Collection[int]) -> None:
        others = set(members) - self.members
        if others:
            raise RefusedError(f"members {sorted(others)} are not locked: name them in writing()")


@contextmanager
def writing(program: int, members: Collection[int] = ()) -> Iterator[Books]:
    """Lock ``members`` of ``program`` (ids of their rows) and yield its books, in a transaction.

    Whoever wants the same members waits until this one is done and then sees what it did. What
    an exception leaves behind is nothing. RefusedError if one of them is not of this program.
    """
    with transaction.atomic():
        books = Books(program, _locked(program, frozenset(members)))
        yield books
        books.close()


def _locked(program: int, members: frozenset[int]) -> frozenset[int]:
    """Lock members and their accounts.

    SQLite has one writer, and `database.py` makes each transaction one from its beginning. On
    PostgreSQL the rows of members come first, for those without an account yet; then accounts in
    the order in which the bridge's statement moves them. NO KEY leaves foreign keys alone.
    """
    rows = Member.objects.filter(pk__in=members, program=program).order_by("pk")
    found = frozenset(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    if found != members:
        raise RefusedError(f"members {sorted(members - found)} are not of this program")
    accounts = Account.objects.filter(member__in=members).order_by("member_id", "unit", "account")
    list(accounts.select_for_update(no_key=True).values_list("pk", flat=True))
    return found


def _agrees(entry: Entry, lots: dict[int, Lot]) -> None:
    """Raise RefusedError unless postings, opened lots and moves say the same."""
    # New lots have no numbers yet: any that no lot of the ledger has will do.
    opened = {-place: Lot(-place, new, 0) for place, new in enumerate(entry.opens, 1)}
    filling = [Move(lot.id, "main", lot.opened.amount) for lot in opened.values()]
    check(entry, (*entry.moves, *filling), {**lots, **opened})


def _still_there(entry: Entry, before: dict[int, Lot], after: dict[int, Lot]) -> None:
    for lot in after.values():
        if lot.main < 0 and lot.main < before[lot.id].main:
            raise RefusedError(
                f"this {entry.kind} was decided on lots that have changed since: read them again"
            )


def _row(
    entry: Entry,
    at: dt.datetime,
    source: str,
    staff: Ref = None,
    sale: Ref = None,
    tap: Ref = None,
    key: str = "",
) -> EntryRow:
    return EntryRow(
        program_id=entry.program,
        kind=entry.kind,
        tap_id=_number(tap),
        sale_id=_number(sale),
        staff_id=_number(staff),
        refers_to_id=entry.refers_to,
        source=source,
        reason=entry.reason,
        key=key,
        occurred_at=at,
        created_at=timezone.now(),
    )


def _number(row: Ref) -> int | None:
    return row.pk if isinstance(row, models.Model) else row
