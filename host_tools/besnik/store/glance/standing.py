"""What a member is entitled to: services, offers, what is held for a sale."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from besnik.loyalty.ledger import MAIN, Unit
from besnik.loyalty.lots import Balances, Lot, expiring
from besnik.loyalty.membership import PaidMembership, benefits
from besnik.loyalty.program import Program
from besnik.store.glance.shown import BalanceLine, HoldLine, Offer
from besnik.store.models import Coupon, Hold, Member, Posting

# Counted, but nothing that a member spends.
_INNER: Final = ("status", "carry:")
_FIRST: Final = "point"


def balance_lines(program: Program, by_unit: Mapping[Unit, Balances]) -> Iterable[BalanceLine]:
    """Yield the balances worth showing; what the program gives first even where it is zero."""
    others = (unit for unit in by_unit if is_shown(program, unit))
    for place, unit in enumerate(dict.fromkeys((*units_of(program), *others))):
        has = by_unit.get(unit, Balances(0, 0, 0, 0, 0, 0))
        line = BalanceLine(unit, has.active, has.pending, has.reserved, has.negative)
        if place == 0 or line != BalanceLine(unit, 0):
            yield line


def units_of(program: Program) -> list[Unit]:
    """Return what members collect in a program, points first."""
    rules = program.rule_sets[-1].rules if program.rule_sets else ()
    units = (*(rule.unit for rule in rules), *(reward.unit for reward in program.rewards))
    known = dict.fromkeys(unit for unit in units if is_shown(program, unit))
    return sorted(known, key=lambda unit: unit != _FIRST)


def is_shown(program: Program, unit: Unit) -> bool:
    """Tell whether members see ``unit`` as something they collect; stored value stands apart."""
    return not unit.startswith(_INNER) and unit != program.currency.code


def running_out(
    program: Program, wallet: Mapping[Unit, Sequence[Lot]], at: dt.datetime
) -> list[tuple[Unit, dt.date, int]]:
    """Return what runs out, by the last whole day it can be used."""
    return [
        (unit, program.today(until - dt.timedelta(microseconds=1)), amount)
        for unit, lots in wallet.items()
        if is_shown(program, unit)
        for until, amount in expiring(lots, at)
    ]


def flags(program: Program, member: Member, level: int, day: dt.date) -> tuple[str, ...]:
    """Return the services of the tier held and of a paid membership."""
    found = list(program.tiers.tiers[level].benefits) if program.tiers else []
    if program.paid is not None:
        for term in member.paid_terms.filter(first_day__lte=day, last_day__gte=day):
            paid = PaidMembership(term.fee_minor, term.first_day, term.last_day)
            found += benefits(program.paid, paid, day)
    return tuple(dict.fromkeys(found))


def offers(program: Program, member: Member, at: dt.datetime) -> Iterable[Offer]:
    """Yield the coupons that are this member's alone and can be used."""
    titles = {reward.id: reward.title for reward in program.rewards}
    for coupon in Coupon.objects.filter(member=member, state="issued").order_by("pk"):
        if coupon.until is None or at < coupon.until:
            yield Offer(titles.get(coupon.reward, coupon.reward), coupon.tail, coupon.until)


def holds(program: Program, member: Member, at: dt.datetime) -> Iterable[HoldLine]:
    """Yield what is reserved for a sale that is not paid yet; three queries, however many."""
    titles = {reward.id: reward.title for reward in program.rewards}
    kept = {hold.entry_id: hold for hold in Hold.objects.filter(member=member, until__gt=at)}
    taken = Posting.objects.filter(
        entry__in=kept, account__member=member, account__account=MAIN
    ).order_by("entry")
    for entry, unit, amount in taken.values_list("entry", "account__unit", "amount"):
        hold = kept[entry]
        title = titles.get(hold.reward, hold.reward)
        yield HoldLine(f"h{entry}", title, -amount, unit, hold.off_minor, hold.until)
    reserved = Coupon.objects.filter(member=member, state="reserved", held_until__gt=at)
    for coupon in reserved.order_by("pk"):
        if coupon.held_until is not None:
            title = titles.get(coupon.reward, coupon.reward)
            yield HoldLine(f"c{coupon.pk}", title, 0, "point", 0, coupon.held_until)
