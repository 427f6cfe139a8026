"""What is reserved for a sale that is not paid yet: points by an entry, coupons by themselves.

A hold is named ``h`` and its entry, or ``c`` and its coupon.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final, NamedTuple

from besnik.loyalty import operations
from besnik.loyalty.program import Program
from besnik.loyalty.stock import HOLD_FOR, redeem_coupon, release_coupon, reserve_coupon
from besnik.store.books import Books
from besnik.store.models import Coupon, Hold, Member, Redemption, Reservation
from besnik.store.models import Sale as SaleRow
from besnik.store.till import coupons
from besnik.store.till.errors import TillError
from besnik.store.till.offer import Offer, locked_stock, running
from besnik.store.till.place import Place
from besnik.store.till.results import Given

_POINTS: Final = "h"
_COUPON: Final = "c"


class Kept(NamedTuple):
    """The name of a hold, and when it ends by itself."""

    name: str
    until: dt.datetime


def keep(place: Place, program: Program, ledger: Books, member: Member, wanted: Offer) -> Kept:
    """Reserve ``wanted`` for ``member``; TillError for what costs nothing, or is anybody's."""
    until = place.now + HOLD_FOR
    if wanted.coupon is not None and wanted.coupon.member_id is not None:
        held = reserve_coupon(coupons.state_of(wanted.coupon), member.pk, place.now)
        coupons.write_state(wanted.coupon, held)
        # What it does to the receipt is worked out again when it is paid: a coupon keeps no lines.
        name = f"{_COUPON}{wanted.coupon.pk}"
    elif wanted.coupon is None and wanted.cost:
        entry = operations.hold(
            program.id, ledger.lots(member.pk, wanted.unit), wanted.cost, place.now
        )
        row = ledger.post(entry, at=place.now, source=place.source, staff=place.staff).id
        Hold.objects.create(
            entry_id=row,
            member=member,
            reward=wanted.id,
            off_minor=wanted.off_minor or 0,
            line=wanted.line,
            until=until,
        )
        name = f"{_POINTS}{row}"
    else:
        raise TillError("no_hold")
    stock = locked_stock(program, wanted.reward)
    if stock is not None:
        if stock.left <= running(stock, place.now):
            raise TillError("sold_out")
        Reservation.objects.create(stock=stock, key=name, until=until)
    return Kept(name, until)


def owner(place: Place, name: str) -> Member:
    """Return the member whose hold this is; TillError if nothing is reserved under that name."""
    if name.startswith(_COUPON):
        # Not locked yet: members come first, or two requests may wait for each other.
        coupon = _coupon(place, name, lock=False)
        if coupon.member is None:
            raise TillError("hold_unknown")
        return coupon.member
    return _hold(place, name).member


def settle(place: Place, ledger: Books, member: Member, name: str, sale: SaleRow | None) -> Given:
    """Use what is reserved, for the receipt ``sale`` if it is known; TillError."""
    if name.startswith(_COUPON):
        return _settle_coupon(place, member, name, sale)
    held = _hold(place, name)
    if held.member_id != member.pk:
        raise TillError("not_yours")
    if held.until <= place.now:
        raise TillError("hold_ended")
    entry = operations.commit(ledger.written(held.entry_id), ledger.later(held.entry_id))
    made = ledger.post(
        entry,
        at=place.now,
        source=place.source,
        staff=place.staff,
        sale=sale.pk if sale else None,
    )
    _give_piece(name)
    title = _title(place, held.reward)
    given = Redemption.objects.create(
        member=member,
        reward=held.reward,
        title=title,
        entry_id=made.id,
        sale=sale,
        off_minor=held.off_minor,
        line=held.line,
        at=place.now,
    )
    held.delete()
    return Given(given.pk, held.reward, title, given.off_minor, made.id)


def let_go(place: Place, ledger: Books, member: Member, name: str, reason: str) -> None:
    """Give back what is reserved; TillError if nothing is."""
    Reservation.objects.filter(key=name, stock__program=place.program).delete()
    if name.startswith(_COUPON):
        row = _coupon(place, name)
        coupons.write_state(row, release_coupon(coupons.state_of(row)))
        return
    held = _hold(place, name)
    if held.member_id != member.pk:
        raise TillError("not_yours")
    _release(place, ledger, held, reason)


def sweep(place: Place, ledger: Books, member: Member) -> None:
    """Give back what the member's holds reserve that have ended, without waiting for the job."""
    for held in Hold.objects.filter(member=member, until__lte=place.now):
        Reservation.objects.filter(key=f"{_POINTS}{held.entry_id}").delete()
        _release(place, ledger, held, "timeout")


def tie(member: Member, redemptions: Iterable[int], sale: SaleRow) -> list[Given]:
    """Say that what was redeemed before belongs to ``sale``; TillError if it cannot."""
    tied = []
    for number in redemptions:
        given = Redemption.objects.filter(pk=number, member=member, sale=None).first()
        if given is None:
            raise TillError("entry_unknown")
        given.sale = sale
        given.save(update_fields=["sale"])
        tied.append(Given(given.pk, given.reward, given.title, given.off_minor, given.entry_id))
    return tied


def _release(place: Place, ledger: Books, held: Hold, reason: str) -> None:
    entry = operations.release(
        ledger.written(held.entry_id), ledger.later(held.entry_id), reason=reason
    )
    ledger.post(entry, at=place.now, source=place.source, staff=place.staff)
    held.delete()


def _settle_coupon(place: Place, member: Member, name: str, sale: SaleRow | None) -> Given:
    row = _coupon(place, name)
    if row.member_id is not None and row.member_id != member.pk:
        raise TillError("not_yours")
    if row.state != "reserved" or row.held_until is None or row.held_until <= place.now:
        raise TillError("hold_ended")
    coupons.write_state(row, redeem_coupon(coupons.state_of(row), place.now))
    _give_piece(name)
    title = _title(place, row.reward)
    given = Redemption.objects.create(
        member=member, reward=row.reward, title=title, coupon=row, sale=sale, at=place.now
    )
    return Given(given.pk, row.reward, title, 0)


def _give_piece(name: str) -> None:
    kept = Reservation.objects.filter(key=name).select_related("stock").first()
    if kept is not None:
        kept.delete()
        kept.stock.left -= 1
        kept.stock.save(update_fields=["left"])


def _hold(place: Place, name: str) -> Hold:
    number = name.removeprefix(_POINTS)
    found = None
    if name.startswith(_POINTS) and number.isdecimal() and len(number) < 19:
        found = (
            Hold.objects.filter(pk=int(number), entry__program=place.program)
            .select_related("member")
            .first()
        )
    if found is None:
        raise TillError("hold_unknown")
    return found


def _coupon(place: Place, name: str, *, lock: bool = True) -> Coupon:
    number = name.removeprefix(_COUPON)
    found = None
    if number.isdecimal() and len(number) < 19:
        rows = Coupon.objects.filter(pk=int(number), program=place.program, state="reserved")
        rows = rows.select_for_update(of=("self",)) if lock else rows
        found = rows.select_related("member").first()
    if found is None:
        raise TillError("hold_unknown")
    return found


def _title(place: Place, reward: str) -> str:
    titles = {each.id: each.title for each in place.rules().rewards}
    return titles.get(reward, reward)[:80]
