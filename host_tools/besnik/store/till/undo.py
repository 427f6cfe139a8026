"""Taking back what was booked: a sale's points, a redemption, a transfer, goodwill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from besnik.loyalty.accrual import settle_threshold
from besnik.loyalty.ledger import Unit, Written
from besnik.loyalty.program import Program
from besnik.loyalty.rules import RuleSet, SpendThreshold
from besnik.store import audit, books
from besnik.store.books import Books
from besnik.store.models import Coupon, Entry, Member, Redemption, Staff
from besnik.store.models import Sale as SaleRow
from besnik.store.till import coupons, selling, standing
from besnik.store.till.asks import Reverse
from besnik.store.till.counting import (
    accrual_of,
    changes,
    count_again,
    count_for_nothing,
    rules_of,
)
from besnik.store.till.doing import do
from besnik.store.till.errors import TillError
from besnik.store.till.offer import put_piece_back, take_piece
from besnik.store.till.place import Place
from besnik.store.till.results import Reversed
from besnik.store.till.who import lead_agrees, vetted

# So long a cashier may take back without a word what was just typed.
UNDO: Final = dt.timedelta(seconds=60)

_CAN_BE: Final = ("accrue", "redeem", "commit", "transfer", "adjust", "reverse")


def reverse(place: Place, ask: Reverse, *, key: str = "") -> Reversed:
    """Take back an entry, the points of a receipt, or a redemption; TillError.

    It goes to the same lots. What was spent meanwhile is owed. A reversal can be reversed once.
    """
    approver = vetted(place, ask.approval)
    return do(place, key, ask, lambda: _reverse(place, ask, approver), Reversed)


def settle_thresholds(
    place: Place, ledger: Books, program: Program, member: Member, rules: RuleSet
) -> None:
    """Give or take what a member's carried spend is due after a sale was taken back."""
    for rule in rules.rules:
        if isinstance(rule, SpendThreshold):
            due = settle_threshold(program, member.pk, rule, ledger.wallet(member.pk), place.now)
            if due is not None:
                ledger.post(due, at=place.now, source=place.source, staff=place.staff)


def give_back(place: Place, ledger: Books, given: Redemption, reason: str) -> dict[Unit, int]:
    """Take a reward back: points to the same lots, its piece to stock, its coupon to its owner."""
    changed: dict[Unit, int] = {}
    if given.entry_id is not None:
        done = books.reverse(
            ledger,
            given.entry_id,
            at=place.now,
            source=place.source,
            staff=place.staff,
            reason=reason,
        )
        changed = changes(done, given.member_id)
    if given.coupon is not None:
        Coupon.objects.filter(pk=given.coupon.pk).update(state="issued", held_until=None)
    put_piece_back(place.program, given.reward)
    given.returned_at = place.now
    given.save(update_fields=["returned_at"])
    return changed


def _reverse(place: Place, ask: Reverse, approver: Staff | None) -> Reversed:
    entry, given = _target(place, ask)
    if entry is None:
        assert given is not None
        may_undo(place, given.at, ask.reason, approver)
        with books.writing(place.program, [given.member_id]) as ledger:
            _not_returned(given)
            give_back(place, ledger, given, ask.reason)
        return _reversed(place, given.member, None, {})
    may_undo(place, _typed_at(entry), ask.reason, approver)
    members = books.members_of(entry.pk)
    if not members or entry.kind not in _CAN_BE:
        raise TillError("not_reversible")
    with books.writing(place.program, members) as ledger:
        done = _undo(place, ledger, entry, ask.reason)
        note(place, approver, "entry.reverse", f"entry:{entry.pk}", by=done.id)
    member = Member.objects.get(pk=members[0])
    return _reversed(place, member, done.id, changes(done, member.pk), entry.sale)


def _target(place: Place, ask: Reverse) -> tuple[Entry | None, Redemption | None]:
    if sum([ask.entry is not None, bool(ask.receipt), ask.redemption is not None]) != 1:
        raise TillError("nothing_asked")
    if ask.redemption is not None:
        given = (
            Redemption.objects.filter(pk=ask.redemption, member__program=place.program)
            .select_related("member", "entry", "coupon")
            .first()
        )
        if given is None:
            raise TillError("entry_unknown")
        return given.entry, given
    number = ask.entry
    if ask.receipt:
        number = accrual_of(selling.sale_row_unlocked(place, ask.receipt, ask.shop))
    entry = (
        Entry.objects.filter(pk=number or 0, program=place.program)
        .select_related("sale__shop", "sale__member", "sale__tap", "refers_to")
        .first()
    )
    if entry is None:
        raise TillError("entry_unknown")
    return entry, None


def _typed_at(entry: Entry) -> dt.datetime:
    """Return when an entry was asked for: a sale may have been long before."""
    if entry.kind == "accrue" and entry.sale is not None:
        return entry.sale.created_at
    return entry.occurred_at or entry.created_at


def may_undo(place: Place, since: dt.datetime, reason: str, approver: Staff | None) -> None:
    """TillError unless what was typed at ``since`` may be taken back by who does it."""
    if place.now - since <= UNDO:
        return
    if not reason.strip():
        raise TillError("reason")
    if place.role:
        lead_agrees(place, approver, "needs_lead")


def _undo(place: Place, ledger: Books, entry: Entry, reason: str) -> Written:
    given = Redemption.objects.filter(entry=entry).select_related("coupon").first()
    if given is not None:
        _not_returned(given)
        give_back(place, ledger, given, reason)
        return ledger.later(entry.pk)[-1]
    if (bought := Coupon.objects.filter(entry=entry).first()) is not None:
        if bought.state != "issued":
            raise TillError("coupon_redeemed")
        Coupon.objects.filter(pk=bought.pk).update(state="cancelled")
    sale, program = entry.sale, place.rules()
    takes_back_sale = entry.kind == "accrue" and sale is not None
    was = None
    if takes_back_sale and sale is not None and sale.member is not None:
        was = standing.current(program, sale.member, place.now)
        coupons.cancel_of_sale(place, ledger, sale, reason)
    done = books.reverse(
        ledger,
        entry.pk,
        at=place.now,
        source=place.source,
        staff=place.staff,
        sale=sale,
        reason=reason,
    )
    if takes_back_sale and sale is not None and sale.member is not None:
        count_for_nothing(sale)
        rules = rules_of(program, sale)
        if rules is not None:
            settle_thresholds(place, ledger, program, sale.member, rules)
        standing.recounted(program, sale.member, place.now, was)
    elif entry.kind == "reverse" and entry.refers_to is not None:
        _again(place, program, entry.refers_to)
    return done


def _again(place: Place, program: Program, first: Entry) -> None:
    """Count again what was taken back, now that taking it back was undone."""
    given = Redemption.objects.filter(entry=first).first()
    if given is not None:
        reward = next((each for each in program.rewards if each.id == given.reward), None)
        take_piece(program, reward, place.now)
        Redemption.objects.filter(pk=given.pk).update(returned_at=None)
    row = first.sale
    if first.kind == "accrue" and row is not None and row.member is not None:
        count_again(program, row)
        standing.advanced(program, row.member, place.now)


def note(place: Place, approver: Staff | None, action: str, target: str, **detail: int) -> None:
    """Write who took something back into the audit log."""
    who = Staff.objects.filter(pk=place.staff or 0).first() or approver
    audit.record(who, action, target, program=place.program, till=place.till, **detail)


def _not_returned(given: Redemption) -> None:
    # Read again: whoever was first has it.
    if Redemption.objects.filter(pk=given.pk, returned_at__isnull=False).exists():
        raise TillError("already_reversed")


def _reversed(
    place: Place,
    member: Member,
    entry: int | None,
    changed: Mapping[Unit, int],
    sale: SaleRow | None = None,
) -> Reversed:
    return Reversed(
        member=member.ref,
        entry=entry,
        changed=changed,
        balances=books.balances_of(member.pk, place.now),
        receipt=sale.receipt if sale else "",
    )
