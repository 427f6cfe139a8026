"""Points that nobody bought for: from one member to another, and from the shop as goodwill."""

from __future__ import annotations

import datetime as dt

from django.db.models import Sum

from besnik.loyalty import guards, operations
from besnik.loyalty.ledger import ADJUSTED, MAIN, NewLot
from besnik.loyalty.periods import expires_at
from besnik.loyalty.program import Program
from besnik.store import audit, books
from besnik.store.models import Posting, Staff
from besnik.store.till import holding
from besnik.store.till.asks import Goodwill, Transfer
from besnik.store.till.doing import do
from besnik.store.till.errors import TillError
from besnik.store.till.place import Place
from besnik.store.till.results import Adjusted, Transferred
from besnik.store.till.who import known, lead_agrees, must_prove, vetted


def transfer(place: Place, ask: Transfer, *, key: str = "") -> Transferred:
    """Give points of one member to another; each lot keeps its expiry. TillError."""
    approver = vetted(place, ask.approval)
    return do(place, key, ask, lambda: _transfer(place, ask, approver), Transferred)


def goodwill(place: Place, ask: Goodwill, *, key: str = "") -> Adjusted:
    """Give points for nothing, with a reason, within the limits of a cashier and day. TillError.

    Above what a cashier may give alone it needs the PIN of a shift lead.
    """
    approver = vetted(place, ask.approval)
    return do(place, key, ask, lambda: _goodwill(place, ask, approver), Adjusted)


def _transfer(place: Place, ask: Transfer, approver: Staff | None) -> Transferred:
    program = place.rules()
    limit = program.transfers
    if ask.unit not in limit.units:
        raise TillError("not_transferable")
    if program.sunset is not None and not program.sunset.may_burn(program.today(place.now)):
        raise TillError("ended")
    giver, taker = known(place, ask.who), known(place, ask.to)
    if giver.member.pk == taker.member.pk:
        raise TillError("same_member")
    must_prove(place, giver, approver)
    with books.writing(place.program, [giver.member.pk, taker.member.pk]) as ledger:
        holding.sweep(place, ledger, giver.member)
        given = _given(place, program, giver.member.pk, ask.unit)
        if ask.amount > limit.most or given + ask.amount > limit.a_day:
            raise TillError("transfer_limit", limit=min(limit.most, limit.a_day), given=given)
        entry = operations.transfer(
            program.id,
            ledger.lots(giver.member.pk, ask.unit),
            taker.member.pk,
            ask.amount,
            place.now,
        )
        made = ledger.post(entry, at=place.now, source=place.source, staff=place.staff)
    return Transferred(
        entry=made.id,
        member=giver.member.ref,
        to=taker.member.ref,
        unit=ask.unit,
        amount=ask.amount,
        balances=books.balances_of(giver.member.pk, place.now),
    )


def _given(place: Place, program: Program, member: int, unit: str) -> int:
    """Return what a member gave to others today, and was not taken back."""
    sent = Posting.objects.filter(
        account__member=member,
        account__unit=unit,
        account__account=MAIN,
        amount__lt=0,
        entry__kind="transfer",
        entry__occurred_at__gte=_midnight(program, place.now),
        entry__later__isnull=True,
    )
    return -int(sent.aggregate(total=Sum("amount"))["total"] or 0)


def _goodwill(place: Place, ask: Goodwill, approver: Staff | None) -> Adjusted:
    program = place.rules()
    if not ask.reason.strip():
        raise TillError("reason")
    if ask.unit not in program.transfers.units:
        raise TillError("not_transferable")
    found = known(place, ask.who)
    with books.writing(place.program, [found.member.pk]) as ledger:
        given = _given_away(place, program, ask.unit)
        consent = guards.goodwill(program.goodwill, ask.amount, given)
        if consent == "refused":
            raise TillError("goodwill_limit", limit=program.goodwill.a_day, given=given)
        # A till's software is nobody: somebody has to answer for what is given away.
        if consent == "needs_pin" or place.staff is None:
            lead_agrees(place, approver, "needs_pin")
        until = expires_at(program.expiry_of(ask.unit), place.now, program.tz)
        lot = NewLot(found.member.pk, ask.unit, ask.amount, place.now, place.now, until)
        entry = operations.accrue(
            program.id, lot, source=ADJUSTED, kind="adjust", reason=ask.reason
        )
        who = Staff.objects.filter(pk=place.staff or 0).first() or approver
        made = ledger.post(entry, at=place.now, source=place.source, staff=who)
        audit.record(
            who,
            "goodwill.give",
            f"member:{found.member.pk}",
            entry=made.id,
            unit=ask.unit,
            amount=ask.amount,
            approved_by=approver.pk if approver else None,
        )
    return Adjusted(
        entry=made.id,
        member=found.member.ref,
        unit=ask.unit,
        amount=ask.amount,
        balances=books.balances_of(found.member.pk, place.now),
        approved_by=approver.username if approver else "",
    )


def _given_away(place: Place, program: Program, unit: str) -> int:
    """Return what the cashier gave away today; through a till's software, what all of it did."""
    rows = Posting.objects.filter(
        account__unit=unit,
        account__member__isnull=False,
        amount__gt=0,
        entry__kind="adjust",
        entry__occurred_at__gte=_midnight(program, place.now),
        entry__program=program.id,
        entry__staff__isnull=False,
    )
    if place.staff is not None:
        rows = rows.filter(entry__staff=place.staff)
    else:
        rows = rows.filter(entry__source=place.source)
    return int(rows.aggregate(total=Sum("amount"))["total"] or 0)


def _midnight(program: Program, now: dt.datetime) -> dt.datetime:
    return dt.datetime.combine(program.today(now), dt.time(), program.tz)
