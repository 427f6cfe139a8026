"""Sales: recording one, and saying later whose it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from besnik.loyalty.guards import too_fast
from besnik.loyalty.program import Program
from besnik.store import books
from besnik.store.books import Books
from besnik.store.models import Entry, Member, Shop, Tap
from besnik.store.models import Sale as SaleRow
from besnik.store.till import holding
from besnik.store.till.asks import Accrue, Attach, Item, Payment
from besnik.store.till.basket import (
    check_payments,
    items_of,
    moment_of,
    sale_of,
    without_visits,
    write_lines,
)
from besnik.store.till.doing import do
from besnik.store.till.earning import Taken, earn, parts_of, post, work_out
from besnik.store.till.errors import Alarm, TillError
from besnik.store.till.place import Place
from besnik.store.till.results import Accrued, Given
from besnik.store.till.who import Known, known, tap_here

CASH: Final = "cash"


def accrue(place: Place, ask: Accrue, *, key: str = "") -> Accrued:
    """Record a sale, and what it earns its member; TillError.

    The rules are those of the sale's own day and the tier is the one held before it. A receipt is
    recorded once. A sale of nobody earns nothing until `attach` says whose it is.
    """
    return do(place, key, ask, lambda: _accrue(place, ask), Accrued)


def attach(place: Place, ask: Attach, *, key: str = "") -> Accrued:
    """Say whose a recorded sale is, or which visit it belongs to; TillError.

    What it earns is that of its own moment: rules, tier and expiry.
    """
    return do(place, key, ask, lambda: _attach(place, ask), Accrued)


def sale_row(place: Place, receipt: str, shop: str) -> SaleRow:
    """Return the sale of a receipt of this shop, or of the program's shop ``shop``, locked."""
    return _sale_row(SaleRow.objects.select_for_update(of=("self",)), place, receipt, shop)


def sale_row_unlocked(place: Place, receipt: str, shop: str) -> SaleRow:
    """Return the sale of a receipt as `sale_row`, to see whom to lock before it."""
    return _sale_row(SaleRow.objects.all(), place, receipt, shop)


def _sale_row(rows: QuerySet[SaleRow], place: Place, receipt: str, shop: str) -> SaleRow:
    found = rows.filter(receipt=receipt, program=place.program)
    found = found.filter(shop__slug=shop) if shop else found.filter(shop=place.shop)
    if shop and not Shop.objects.filter(slug=shop, program=place.program).exists():
        raise TillError("shop_unknown")
    row = found.select_related("shop", "member", "tap").first()
    if row is None:
        raise TillError("receipt_unknown", receipt=receipt)
    return row


def _accrue(place: Place, ask: Accrue) -> Accrued:
    program = place.rules()
    items, at = items_of(ask), moment_of(ask, place)
    check_payments(items, ask.tenders)
    tap = _tap(place, ask.tap)
    found = _whose(place, ask, tap)
    tap = tap or (found.tap if found else None)
    with books.writing(place.program, [found.member.pk] if found else []) as ledger:
        if found is not None:
            _not_too_fast(place, program, found.member, at)
        taken = _record(place, ledger, program, ask, items, at, tap, found)
        row = taken.row
        given = _given(place, ledger, row, ask, found)
    return _accrued(place, taken, given)


def _attach(place: Place, ask: Attach) -> Accrued:
    program = place.rules()
    tap = _tap(place, ask.tap)
    if ask.who is None and tap is None:
        raise TillError("who")
    found = _whose(place, ask, tap)
    assert found is not None
    tap = tap or found.tap
    with books.writing(place.program, [found.member.pk]) as ledger:
        row = sale_row(place, ask.receipt, ask.shop)
        if row.member is not None and row.member != found.member:
            raise TillError("sale_of_another")
        taken = Taken(row)
        if row.member is None:
            _not_too_fast(place, program, found.member, row.at)
            _join(row, tap)
            taken = earn(place, ledger, program, row, found.member)
        elif tap is not None and row.tap is None:
            _join(row, tap)
            _count_visit_once(place, ledger, row, tap)
            row.save(update_fields=["tap"])
    return _accrued(place, taken, ())


def _count_visit_once(place: Place, ledger: Books, row: SaleRow, tap: Tap) -> None:
    """Take back what the reader gave for the visit: its sale was counted as a visit before."""
    visit = Entry.objects.filter(tap=tap, later__isnull=True).first()
    rules = place.rules().rules_at(row.at)
    if visit is None or rules is None:
        return
    whole = place.rules()
    if without_visits(whole, rules) is not whole:
        books.reverse(ledger, visit.pk, at=place.now, source=place.source, reason="visit of a sale")


def _record(
    place: Place,
    ledger: Books,
    program: Program,
    ask: Accrue,
    items: Sequence[Item],
    at: dt.datetime,
    tap: Tap | None,
    found: Known | None,
) -> Taken:
    """Write a sale with its lines and payments, and what it earns if somebody was found."""
    row = SaleRow(
        program_id=place.program,
        shop_id=place.shop,
        till_id=place.till,
        staff_id=place.staff,
        receipt=ask.receipt,
        buyer=ask.buyer,
        channel=ask.channel,
        amount_minor=sum(item.amount_minor for item in items),
        counting_minor=sum(item.amount_minor for item in items if not item.reward),
        at=at,
        created_at=place.now,
    )
    _join(row, tap)
    payments = ask.tenders or (Payment(kind=CASH, amount_minor=row.amount_minor),)
    sale = sale_of(items, payments, at, place.shop_slug, ask.channel)
    worked = None if found is None else work_out(place, ledger, program, row, found.member, sale)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise TillError("receipt_known", receipt=ask.receipt) from error
    write_lines(row, items, payments)
    return Taken(row) if worked is None else post(place, ledger, program, row, worked)


def _join(row: SaleRow, tap: Tap | None) -> None:
    if tap is None:
        return
    if SaleRow.objects.filter(tap=tap).exists():
        raise TillError("tap_taken")
    row.tap = tap


def _tap(place: Place, row: int | None) -> Tap | None:
    return None if row is None else tap_here(place, row)


def _whose(place: Place, ask: Accrue | Attach, tap: Tap | None) -> Known | None:
    found = None if ask.who is None else known(place, ask.who)
    if tap is not None and tap.member is not None:
        if found is None:
            return Known(tap.member, "tap", tap)
        if found.member.pk != tap.member.pk:
            raise TillError("tap_of_another")
    return found


def _not_too_fast(place: Place, program: Program, member: Member, at: dt.datetime) -> None:
    limit = program.velocity
    if limit is None:
        return
    since = at - dt.timedelta(minutes=max(limit.minutes, limit.gap_s // 60 + 1))
    earlier = SaleRow.objects.filter(member=member, at__gt=since, at__lte=at)
    if too_fast(limit, earlier.values_list("at", flat=True), at):
        alarm = Alarm("too_fast", member.pk, place.staff, {"minutes": limit.minutes})
        raise TillError("too_fast", alarm=alarm)


def _given(
    place: Place, ledger: Books, row: SaleRow, ask: Accrue, found: Known | None
) -> tuple[Given, ...]:
    """Commit the holds that were paid with this sale; tie what was redeemed before to it."""
    if (ask.holds or ask.redemptions) and found is None:
        raise TillError("who")
    assert found is not None or not ask.holds
    given = [
        holding.settle(place, ledger, found.member, hold, row)
        for hold in ask.holds
        if found is not None
    ]
    if found is not None:
        given += holding.tie(found.member, ask.redemptions, row)
    return tuple(given)


def _accrued(place: Place, taken: Taken, given: tuple[Given, ...]) -> Accrued:
    row, member = taken.row, taken.row.member
    return Accrued(
        sale=row.pk,
        receipt=row.receipt,
        member=member.ref if member else "",
        entry=taken.entry,
        earned=taken.accrual.earned.totals if taken.accrual else {},
        parts=parts_of(taken.accrual.earned if taken.accrual else None),
        balances=books.balances_of(member.pk, place.now) if member else {},
        tier=taken.tier,
        tier_reached=taken.tier_reached,
        coupons=taken.coupons,
        rewards=given,
        note=taken.note,
    )
