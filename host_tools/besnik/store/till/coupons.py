"""Coupons: codes that give a reward once, to one member or to whoever brings them."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from besnik.loyalty import operations
from besnik.loyalty.lots import spendable
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import Reward, RewardError, affordable, allow
from besnik.loyalty.stock import Coupon as CouponState
from besnik.loyalty.stock import CouponState as State
from besnik.store import books
from besnik.store.books import Books
from besnik.store.models import Coupon, Member
from besnik.store.models import Sale as SaleRow
from besnik.store.people.codes import derived_code, read_code
from besnik.store.till import standing
from besnik.store.till.asks import GiveCoupon
from besnik.store.till.doing import do
from besnik.store.till.errors import TillError
from besnik.store.till.place import Place
from besnik.store.till.results import CouponGiven, CouponLine
from besnik.store.till.who import known


def give_coupon(place: Place, ask: GiveCoupon, *, key: str = "") -> CouponGiven:
    """Issue a coupon that nobody pays for; TillError."""
    return do(place, key, ask, lambda: _give(place, ask), CouponGiven)


def coupon_code(coupon: Coupon) -> str:
    """Return the code of a coupon: always the same, though only its digest is kept."""
    return derived_code("coupon", str(coupon.pk))


def issue_earned(
    place: Place, ledger: Books, program: Program, member: Member, row: SaleRow
) -> tuple[CouponLine, ...]:
    """Turn what ``member`` has into coupons, for each reward that comes by itself."""
    issued: list[CouponLine] = []
    by_itself = [reward for reward in program.rewards if reward.coupon_days is not None]
    if not by_itself:
        return ()
    level = standing.level_of(program, member, place.now)
    for reward in by_itself:
        if not _allowed(reward, member, level, program, place.now):
            continue
        lots = ledger.lots(member.pk, reward.unit)
        active = sum(amount for _, amount in spendable(lots, place.now))
        for _ in range(affordable(reward, active)[0]):
            paid = operations.redeem(
                place.program,
                ledger.lots(member.pk, reward.unit),
                reward.cost,
                place.now,
                reason=f"coupon {reward.id}"[:120],
            )
            entry = ledger.post(
                paid, at=place.now, source=place.source, staff=place.staff, sale=row.pk
            )
            issued.append(_issue(program, reward, member, place.now, entry.id))
    return tuple(issued)


def reserve(place: Place, typed: str) -> Coupon:
    """Return the coupon with the code that was typed, its row locked; TillError."""
    code = read_code(typed)
    if code is None:
        raise TillError("coupon_unknown")
    row = (
        Coupon.objects.filter(program=place.program, digest=_digest(code))
        .select_for_update()
        .first()
    )
    if row is None:
        raise TillError("coupon_unknown")
    return row


def state_of(row: Coupon) -> CouponState:
    """Return the coupon of a row as `besnik.loyalty.stock` knows it."""
    states: dict[str, State] = {
        "issued": "issued",
        "reserved": "reserved",
        "redeemed": "redeemed",
        "cancelled": "cancelled",
    }
    return CouponState(
        code=row.tail,
        reward=row.reward,
        member=row.member_id,
        until=row.until,
        state=states.get(row.state, "expired"),
        held_until=row.held_until,
    )


def write_state(row: Coupon, coupon: CouponState) -> None:
    """Write a coupon's state back to its row."""
    row.state, row.held_until = coupon.state, coupon.held_until
    row.save(update_fields=["state", "held_until"])


def cancel_of_sale(place: Place, ledger: Books, row: SaleRow, reason: str) -> None:
    """Cancel the unused coupons that a sale earned, and give back what they cost."""
    earned = Coupon.objects.filter(entry__sale=row, state="issued").select_for_update(of=("self",))
    for coupon in earned:
        assert coupon.entry_id is not None
        books.reverse(
            ledger,
            coupon.entry_id,
            at=place.now,
            source=place.source,
            staff=place.staff,
            reason=reason,
        )
        coupon.state = "cancelled"
        coupon.save(update_fields=["state"])


def _give(place: Place, ask: GiveCoupon) -> CouponGiven:
    program = place.rules()
    reward = next((each for each in program.rewards if each.id == ask.reward), None)
    if reward is None:
        raise TillError("reward_unknown")
    member = None if ask.who is None else known(place, ask.who).member
    days = ask.days or reward.coupon_days
    line = _issue(program, reward, member, place.now, None, days)
    return CouponGiven(coupon=line, member=member.ref if member else "")


def _issue(
    program: Program,
    reward: Reward,
    member: Member | None,
    now: dt.datetime,
    entry: int | None,
    days: int | None = None,
) -> CouponLine:
    days = days or reward.coupon_days
    until = None if days is None else now + dt.timedelta(days=days)
    # The code follows from the row's number, so the row comes first, with a digest of nothing.
    row = Coupon.objects.create(
        program_id=program.id,
        digest=secrets.token_hex(32),
        reward=reward.id,
        member=member,
        entry_id=entry,
        until=until,
        issued_at=now,
    )
    code = coupon_code(row)
    row.digest, row.tail = _digest(code), code[-4:]
    row.save(update_fields=["digest", "tail"])
    return CouponLine(reward.id, reward.title, row.tail, until, code)


def _allowed(
    reward: Reward, member: Member, level: int, program: Program, now: dt.datetime
) -> bool:
    try:
        allow(reward, member.pk, level, program.today(now))
    except RewardError:
        return False
    return True


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
