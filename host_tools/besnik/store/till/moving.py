"""A receipt that was booked for the wrong member."""

from __future__ import annotations

from besnik.loyalty.program import Program
from besnik.store import books
from besnik.store.books import Books
from besnik.store.models import Entry, Member, Staff
from besnik.store.models import Sale as SaleRow
from besnik.store.till import coupons, earning, selling, standing
from besnik.store.till.asks import Move
from besnik.store.till.counting import accrual_of, count_for_nothing, rules_of
from besnik.store.till.doing import do
from besnik.store.till.errors import TillError
from besnik.store.till.place import Place
from besnik.store.till.results import Moved
from besnik.store.till.undo import may_undo, note, settle_thresholds
from besnik.store.till.who import known, vetted


def move(place: Place, ask: Move, *, key: str = "") -> Moved:
    """Give a receipt that was booked for the wrong member to the right one; TillError.

    What it earned is taken back from the one and posted to the other, as of the sale's own day;
    moving it back undoes it.
    """
    approver = vetted(place, ask.approval)
    return do(place, key, ask, lambda: _move(place, ask, approver), Moved)


def _move(place: Place, ask: Move, approver: Staff | None) -> Moved:
    program = place.rules()
    found = known(place, ask.to)
    row = selling.sale_row_unlocked(place, ask.receipt, ask.shop)
    if row.member is None:
        raise TillError("sale_of_nobody")
    before = row.member
    if before.pk == found.member.pk:
        raise TillError("same_member")
    may_undo(place, row.created_at, ask.reason, approver)
    with books.writing(place.program, [before.pk, found.member.pk]) as ledger:
        row = selling.sale_row(place, ask.receipt, ask.shop)
        if row.member_id != before.pk:
            raise TillError("changed")
        _take_from(place, ledger, program, row, before, ask.reason)
        moves = Entry.objects.filter(sale=row, kind="accrue").count()
        # Her card was not held to the reader for this sale.
        row.tap = None
        taken = earning.earn(place, ledger, program, row, found.member, repost=f":{moves}")
        note(place, approver, "sale.move", f"sale:{row.pk}", to=found.member.pk)
    return Moved(
        receipt=row.receipt,
        member=found.member.ref,
        before=before.ref,
        earned=taken.accrual.earned.totals if taken.accrual else {},
        balances=books.balances_of(found.member.pk, place.now),
    )


def _take_from(
    place: Place, ledger: Books, program: Program, row: SaleRow, member: Member, reason: str
) -> None:
    entry = accrual_of(row)
    was = standing.current(program, member, place.now)
    if entry is not None and row.earned:
        coupons.cancel_of_sale(place, ledger, row, reason)
        books.reverse(
            ledger,
            entry,
            at=place.now,
            source=place.source,
            staff=place.staff,
            sale=row,
            reason=reason,
        )
    rules = rules_of(program, row)
    count_for_nothing(row)
    if rules is not None:
        settle_thresholds(place, ledger, program, member, rules)
    standing.recounted(program, member, place.now, was)
