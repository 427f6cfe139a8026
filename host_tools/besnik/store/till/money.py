"""Stored value: money on a card, apart from points. Its unit is the program's currency."""

from __future__ import annotations

from besnik.loyalty import operations
from besnik.loyalty.ledger import NewLot
from besnik.loyalty.periods import expires_at
from besnik.store import books
from besnik.store.books import Posted
from besnik.store.models import Staff
from besnik.store.till import holding
from besnik.store.till.asks import Pay, TopUp
from besnik.store.till.doing import do
from besnik.store.till.place import Place
from besnik.store.till.results import Stored
from besnik.store.till.who import Known, known, must_prove, vetted


def topup(place: Place, ask: TopUp, *, key: str = "") -> Stored:
    """Put money on a member's card; TillError."""
    return do(place, key, ask, lambda: _topup(place, ask), Stored)


def pay(place: Place, ask: Pay, *, key: str = "") -> Stored:
    """Pay with the money on a member's card; TillError for more than there is."""
    approver = vetted(place, ask.approval)
    return do(place, key, ask, lambda: _pay(place, ask, approver), Stored)


def _topup(place: Place, ask: TopUp) -> Stored:
    program = place.rules()
    unit, found = program.currency.code, known(place, ask.who)
    with books.writing(place.program, [found.member.pk]) as ledger:
        until = expires_at(program.expiry_of(unit), place.now, program.tz)
        lot = NewLot(found.member.pk, unit, ask.amount_minor, place.now, place.now, until)
        entry = operations.accrue(program.id, lot, reason=f"top-up {ask.reference}".strip()[:120])
        made = ledger.post(entry, at=place.now, source=place.source, staff=place.staff)
    return _stored(place, found, made, unit, ask.amount_minor)


def _pay(place: Place, ask: Pay, approver: Staff | None) -> Stored:
    program = place.rules()
    unit, found = program.currency.code, known(place, ask.who)
    must_prove(place, found, approver)
    with books.writing(place.program, [found.member.pk]) as ledger:
        holding.sweep(place, ledger, found.member)
        entry = operations.redeem(
            program.id,
            ledger.lots(found.member.pk, unit),
            ask.amount_minor,
            place.now,
            reason=f"payment {ask.reference}".strip()[:120],
        )
        made = ledger.post(entry, at=place.now, source=place.source, staff=place.staff)
    return _stored(place, found, made, unit, ask.amount_minor)


def _stored(place: Place, found: Known, made: Posted, unit: str, amount_minor: int) -> Stored:
    balance = books.balances_of(found.member.pk, place.now)[unit]
    return Stored(
        entry=made.id,
        member=found.member.ref,
        amount_minor=amount_minor,
        stored_minor=balance.active,
    )
