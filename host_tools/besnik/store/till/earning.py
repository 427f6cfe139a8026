"""What a sale earns its member: worked out before it is written, posted after."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from besnik.loyalty.accrual import Accrual, NotEarningError, accrue_sale
from besnik.loyalty.engine import Earned
from besnik.loyalty.program import Program
from besnik.loyalty.sale import Sale
from besnik.store.books import Books
from besnik.store.models import Entry, Member
from besnik.store.models import Sale as SaleRow
from besnik.store.till import coupons, standing
from besnik.store.till.basket import counting_of, returned_of, stored_sale, without_visits
from besnik.store.till.place import Place
from besnik.store.till.results import CouponLine, Part

# What of a sale is not in `Standing`: that its visit was counted at the reader.
VISIT_COUNTED: Final = "visit_counted"
_FILLED: Final = ("member", "tap", "counting_minor", "version", "earned", "standing")


class Worked(NamedTuple):
    """What a sale earns ``member``, not written yet; ``accrual`` None: nothing is given."""

    member: Member
    before: standing.Before
    accrual: Accrual | None


class Taken(msgspec.Struct, frozen=True):
    """What a sale did to its member; ``note`` says why it gave nothing."""

    row: SaleRow
    accrual: Accrual | None = None
    entry: int | None = None
    tier: str = ""
    tier_reached: str = ""
    coupons: tuple[CouponLine, ...] = ()
    note: str = ""


def earn(
    place: Place, ledger: Books, program: Program, row: SaleRow, member: Member, *, repost: str = ""
) -> Taken:
    """Post what a recorded sale of ``member`` earns, and write down what it was counted by.

    ``repost`` tells a later posting of the same sale, to another member, from the first.
    """
    sale = stored_sale(row).without(returned_of(row))
    worked = work_out(place, ledger, program, row, member, sale)
    row.save(update_fields=_FILLED)
    return post(place, ledger, program, row, worked, repost=repost)


def work_out(
    place: Place, ledger: Books, program: Program, row: SaleRow, member: Member, sale: Sale
) -> Worked:
    """Return what ``sale`` earns ``member``, and fill its row, which is not saved."""
    rules = program.rules_at(sale.at)
    counted = row.tap is not None and Entry.objects.filter(tap=row.tap).exists()
    counting = without_visits(program, rules) if counted else program
    before = standing.before(program, member, sale.at, place.now, rules)
    row.member, row.counting_minor = member, counting_of(sale, ())
    try:
        accrual = accrue_sale(counting, member.pk, sale, before.standing, ledger.wallet(member.pk))
    except NotEarningError:
        return Worked(member, before, None)
    row.version, row.earned = accrual.version, accrual.earned.totals
    row.standing = msgspec.to_builtins(accrual.standing) | {VISIT_COUNTED: counted}
    return Worked(member, before, accrual)


def post(
    place: Place,
    ledger: Books,
    program: Program,
    row: SaleRow,
    worked: Worked,
    *,
    repost: str = "",
) -> Taken:
    """Post what was worked out for a sale whose row is saved now."""
    accrual, before = worked.accrual, worked.before
    if accrual is None:
        return Taken(row, note="not_earning")
    entry = None
    if accrual.entry is not None:
        entry = ledger.post(
            accrual.entry,
            at=row.at,
            source=place.source,
            staff=place.staff,
            sale=row.pk,
            key=f"sale:{row.pk}{repost}",
        ).id
    issued = coupons.issue_earned(place, ledger, program, worked.member, row)
    past = standing.Past(row.at, row.counting_minor, row.earned)
    reached = standing.after(program, worked.member, before, past, place.now)
    level = before.standing.level
    return Taken(
        row,
        accrual,
        entry,
        tier=_tier_name(program, level),
        tier_reached=_tier_name(program, reached.level)
        if reached and reached.level > level
        else "",
        coupons=issued,
    )


def _tier_name(program: Program, level: int) -> str:
    return program.tiers.tiers[level].name if program.tiers else ""


def parts_of(earned: Earned | None) -> tuple[Part, ...]:
    """Return what each rule gave, as it is answered."""
    parts = earned.parts if earned else ()
    return tuple(Part(part.rule, part.unit, part.amount) for part in parts)
