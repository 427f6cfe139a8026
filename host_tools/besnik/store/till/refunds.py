"""Refunds by lines of a receipt: what the sale gave without them is all that stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from besnik.loyalty.accrual import refund_threshold
from besnik.loyalty.engine import compute, take_back
from besnik.loyalty.ledger import Unit
from besnik.loyalty.program import Program
from besnik.loyalty.reversal import left
from besnik.loyalty.rules import RuleSet, SpendThreshold
from besnik.loyalty.sale import Sale
from besnik.store import books
from besnik.store.books import Books
from besnik.store.models import Member, Redemption, SaleLine, SaleReturn
from besnik.store.models import Sale as SaleRow
from besnik.store.till import selling, standing
from besnik.store.till.asks import Refund
from besnik.store.till.basket import returned_of, stored_sale
from besnik.store.till.counting import accrual_of, changes, count_again, rules_of, standing_of
from besnik.store.till.doing import do
from besnik.store.till.errors import TillError
from besnik.store.till.place import Place
from besnik.store.till.results import Refunded
from besnik.store.till.undo import give_back


def refund(place: Place, ask: Refund, *, key: str = "") -> Refunded:
    """Take back what lines of a receipt gave; TillError.

    What the points were spent on stays, so they may be owed afterwards. A reward whose own line
    comes back, or whose whole receipt does, gives its points back to the same lots.
    """
    return do(place, key, ask, lambda: _refund(place, ask), Refunded)


def _refund(place: Place, ask: Refund) -> Refunded:
    program = place.rules()
    seen = selling.sale_row_unlocked(place, ask.receipt, ask.shop)
    members = [seen.member_id] if seen.member_id is not None else []
    with books.writing(place.program, members) as ledger:
        row = selling.sale_row(place, ask.receipt, ask.shop)
        if row.member_id != seen.member_id:
            raise TillError("changed")
        sale, earlier = stored_sale(row), returned_of(row)
        returned = _lines(sale, earlier, ask.lines)
        _write(place, row, returned, ask.reason)
        taken: dict[Unit, int] = {}
        restored: dict[Unit, int] = {}
        if row.member is None:
            count_again(program, row)
        else:
            was = standing.current(program, row.member, place.now)
            taken = _take(place, ledger, program, row, sale, returned, earlier, ask.reason)
            restored = _restore(place, ledger, row, sale, earlier | returned, ask.reason)
            if row.counting_minor:
                count_again(program, row)
            standing.recounted(program, row.member, place.now, was)
    return _refunded(place, program, row, sale, returned, taken, restored)


def _lines(sale: Sale, earlier: set[str], asked: Collection[str]) -> set[str]:
    known = {line.id for line in sale.lines}
    for line in asked:
        if line not in known:
            raise TillError("line_unknown", line=line)
        if line in earlier:
            raise TillError("line_returned", line=line)
    returned = set(asked) or known - earlier
    if not returned:
        raise TillError("already_reversed")
    return returned


def _write(place: Place, row: SaleRow, returned: set[str], reason: str) -> None:
    lines = SaleLine.objects.filter(sale=row, line__in=returned)
    SaleReturn.objects.bulk_create(
        SaleReturn(line=line, staff_id=place.staff, reason=reason, at=place.now) for line in lines
    )


def _take(
    place: Place,
    ledger: Books,
    program: Program,
    row: SaleRow,
    sale: Sale,
    returned: set[str],
    earlier: set[str],
    reason: str,
) -> dict[Unit, int]:
    """Take back what the lines earned; return it by unit, as the member's balances changed."""
    rules, entry, member = rules_of(program, row), accrual_of(row), row.member
    # A sale that was taken back as a whole has nothing more to give.
    if rules is None or entry is None or member is None or not row.counting_minor:
        return {}
    stands, taken = standing_of(row), Counter[Unit]()
    lost = take_back(rules, sale, stands, program.tz, returned=returned, earlier=earlier)
    target, after = ledger.written(entry), ledger.later(entry)
    there = left(target, after, ledger.lots_of([target, *after]))
    amounts = {unit: min(amount, there.get(unit, 0)) for unit, amount in lost.items()}
    amounts = {unit: amount for unit, amount in amounts.items() if amount}
    if amounts:
        done = books.reverse(
            ledger,
            entry,
            at=place.now,
            source=place.source,
            amounts=amounts,
            reason=reason or "refund",
            staff=place.staff,
            sale=row,
        )
        taken.update(changes(done, member.pk))
    before, now = sale.without(earlier), sale.without(earlier | returned)
    amount = before.earning_minor() - now.earning_minor()
    for rule in _carrying(rules, sale, row, program):
        settled = refund_threshold(
            program, member.pk, rule, amount, ledger.wallet(member.pk), place.now, entry
        )
        if settled is not None:
            posted = ledger.post(
                settled, at=place.now, source=place.source, staff=place.staff, sale=row
            )
            taken.update(changes(posted, member.pk))
    return {unit: amount for unit, amount in taken.items() if amount}


def _carrying(rules: RuleSet, sale: Sale, row: SaleRow, program: Program) -> list[SpendThreshold]:
    """Return the thresholds that counted the sale and carry what is over."""
    counted = compute(rules, sale, standing_of(row), program.tz).counted_minor
    return [
        rule
        for rule in rules.rules
        if isinstance(rule, SpendThreshold) and rule.carry_over and rule.id in counted
    ]


def _restore(
    place: Place, ledger: Books, row: SaleRow, sale: Sale, gone: set[str], reason: str
) -> dict[Unit, int]:
    """Give back the rewards whose line came back, all of them if nothing of the receipt is left."""
    restored: Counter[Unit] = Counter()
    whole = all(line.id in gone for line in sale.lines)
    given = Redemption.objects.filter(sale=row, returned_at=None).select_related("coupon")
    for each in given:
        if whole or each.line in gone:
            restored.update(give_back(place, ledger, each, reason or "refund"))
    return dict(restored)


def _refunded(
    place: Place,
    program: Program,
    row: SaleRow,
    sale: Sale,
    returned: set[str],
    taken: dict[Unit, int],
    restored: dict[Unit, int],
) -> Refunded:
    member: Member | None = row.member
    amount = sum(line.amount_minor for line in sale.lines if line.id in returned)
    tier = ""
    if member is not None and program.tiers is not None:
        tier = program.tiers.tiers[standing.level_of(program, member, place.now)].name
    return Refunded(
        receipt=row.receipt,
        amount_minor=amount,
        lines=tuple(sorted(returned)),
        member=member.ref if member else "",
        taken=taken,
        restored=restored,
        balances=books.balances_of(member.pk, place.now) if member else {},
        tier=tier,
    )
