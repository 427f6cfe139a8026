"""Using what was collected: at once, or reserved until the sale is paid."""

from __future__ import annotations

from besnik.loyalty import operations
from besnik.loyalty.program import Program
from besnik.store import books
from besnik.store.books import Books
from besnik.store.models import Member, Redemption, Staff
from besnik.store.till import holding
from besnik.store.till.asks import Commit, Redeem, Release
from besnik.store.till.doing import do
from besnik.store.till.offer import Offer, offer, take_coupon, take_piece
from besnik.store.till.place import Place
from besnik.store.till.results import Committed, Held, Redeemed, Released
from besnik.store.till.who import known, must_prove, vetted


def redeem(place: Place, ask: Redeem, *, key: str = "") -> Redeemed:
    """Use points for a reward or an amount, or a coupon; TillError.

    The receipt ``ask.lines`` comes back with the reward on it; the sale itself is recorded by
    `accrue`, which is told the redemption.
    """
    approver = vetted(place, ask.approval)
    return do(place, key, ask, lambda: _redeem(place, ask, approver), Redeemed)


def hold(place: Place, ask: Redeem, *, key: str = "") -> Held:
    """Reserve what `redeem` would use, for ten minutes; TillError."""
    approver = vetted(place, ask.approval)
    return do(place, key, ask, lambda: _hold(place, ask, approver), Held)


def commit(place: Place, ask: Commit, *, key: str = "") -> Committed:
    """Use what was reserved: the sale was paid; TillError if the ten minutes are over."""
    return do(place, key, ask, lambda: _commit(place, ask), Committed)


def release(place: Place, ask: Release, *, key: str = "") -> Released:
    """Give back what was reserved; TillError if nothing is."""
    return do(place, key, ask, lambda: _release(place, ask), Released)


def _redeem(place: Place, ask: Redeem, approver: Staff | None) -> Redeemed:
    program = place.rules()
    found = known(place, ask.who)
    if not ask.coupon:
        must_prove(place, found, approver)
    with books.writing(place.program, [found.member.pk]) as ledger:
        holding.sweep(place, ledger, found.member)
        wanted = offer(place, program, found.member, ask)
        take_coupon(wanted, found.member, place.now)
        take_piece(program, wanted.reward, place.now)
        entry = _burn(place, program, ledger, found.member, wanted)
        given = Redemption.objects.create(
            member=found.member,
            reward=wanted.id,
            title=wanted.title[:80],
            entry_id=entry,
            coupon=wanted.coupon,
            off_minor=wanted.off_minor or 0,
            line=wanted.line,
            at=place.now,
        )
    return Redeemed(
        member=found.member.ref,
        redemption=given.pk,
        reward=wanted.id,
        title=wanted.title,
        unit=wanted.unit,
        cost=wanted.cost,
        off_minor=wanted.off_minor,
        lines=wanted.lines,
        balances=books.balances_of(found.member.pk, place.now),
        entry=entry,
    )


def _burn(
    place: Place, program: Program, ledger: Books, member: Member, wanted: Offer
) -> int | None:
    if not wanted.cost:
        return None
    entry = operations.redeem(
        program.id,
        ledger.lots(member.pk, wanted.unit),
        wanted.cost,
        place.now,
        reason=f"reward {wanted.id}"[:120] if wanted.reward else "amount",
    )
    return ledger.post(entry, at=place.now, source=place.source, staff=place.staff).id


def _hold(place: Place, ask: Redeem, approver: Staff | None) -> Held:
    program = place.rules()
    found = known(place, ask.who)
    if not ask.coupon:
        must_prove(place, found, approver)
    with books.writing(place.program, [found.member.pk]) as ledger:
        holding.sweep(place, ledger, found.member)
        wanted = offer(place, program, found.member, ask)
        held = holding.keep(place, program, ledger, found.member, wanted)
    return Held(
        member=found.member.ref,
        hold=held.name,
        until=held.until,
        reward=wanted.id,
        title=wanted.title,
        unit=wanted.unit,
        cost=wanted.cost,
        off_minor=wanted.off_minor,
        lines=wanted.lines,
        balances=books.balances_of(found.member.pk, place.now),
    )


def _commit(place: Place, ask: Commit) -> Committed:
    member = holding.owner(place, ask.hold)
    with books.writing(place.program, [member.pk]) as ledger:
        given = holding.settle(place, ledger, member, ask.hold, None)
    return Committed(
        member=member.ref, given=given, balances=books.balances_of(member.pk, place.now)
    )


def _release(place: Place, ask: Release) -> Released:
    member = holding.owner(place, ask.hold)
    with books.writing(place.program, [member.pk]) as ledger:
        holding.let_go(place, ledger, member, ask.hold, ask.reason)
    return Released(
        member=member.ref, hold=ask.hold, balances=books.balances_of(member.pk, place.now)
    )
