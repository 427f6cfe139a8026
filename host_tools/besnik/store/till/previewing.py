"""What a sale would earn, before it is paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from besnik.loyalty.accrual import accrue_sale
from besnik.loyalty.engine import Earned, Standing, compute
from besnik.loyalty.money import looks_like_a_slip
from besnik.loyalty.program import Program
from besnik.loyalty.rules import TenderBonus
from besnik.store import books
from besnik.store.models import Entry, Member
from besnik.store.models import Sale as SaleRow
from besnik.store.till import standing
from besnik.store.till.asks import Item, Payment, Preview
from besnik.store.till.basket import (
    items_of,
    moment_of,
    sale_of,
    without_visits,
)
from besnik.store.till.earning import parts_of
from besnik.store.till.place import Place
from besnik.store.till.results import Previewed
from besnik.store.till.selling import CASH
from besnik.store.till.who import known, tap_here

_RECENT: Final = 20


def preview(place: Place, ask: Preview) -> Previewed:
    """Return what a sale would earn, paid in each way that makes a difference; nothing is written.

    Without ``ask.who`` it is that of a new member.
    """
    program = place.rules()
    items, at = items_of(ask), moment_of(ask, place)
    member = None if ask.who is None else known(place, ask.who).member
    if ask.tap is not None and Entry.objects.filter(tap=tap_here(place, ask.tap)).exists():
        program = without_visits(program, program.rules_at(at))
    earned = {
        tender: _would_earn(program, place, member, items, tender, at, ask.channel)
        for tender in _ways(program, ask, at)
    }
    first = next(iter(earned.values()))
    total = sum(item.amount_minor for item in items)
    return Previewed(
        earned={tender: each.totals if each else {} for tender, each in earned.items()},
        parts=parts_of(first),
        unusual=looks_like_a_slip(total, _recent(place, member)),
    )


def _would_earn(
    program: Program,
    place: Place,
    member: Member | None,
    items: Sequence[Item],
    tender: str,
    at: dt.datetime,
    channel: str,
) -> Earned | None:
    total = sum(item.amount_minor for item in items)
    payments = [Payment(kind=tender, amount_minor=total)]
    sale = sale_of(items, payments, at, place.shop_slug, channel)
    rules = program.rules_at(at)
    if rules is None:
        return None
    if member is None:
        return compute(rules, sale, Standing(), program.tz)
    stands = standing.before(program, member, at, place.now, rules)
    return accrue_sale(program, member.pk, sale, stands.standing, books.wallet(member.pk)).earned


def _ways(program: Program, ask: Preview, at: dt.datetime) -> tuple[str, ...]:
    """Return the ways to pay: those asked for, or cash and what has a bonus."""
    rules = program.rules_at(at)
    bonus = [
        rule.tender for rule in (rules.rules if rules else ()) if isinstance(rule, TenderBonus)
    ]
    return ask.tenders or tuple(dict.fromkeys((CASH, *bonus)))


def _recent(place: Place, member: Member | None) -> list[int]:
    rows = SaleRow.objects.filter(program=place.program)
    if member is not None and SaleRow.objects.filter(member=member).count() >= _RECENT // 4:
        rows = SaleRow.objects.filter(member=member)
    return list(rows.order_by("-at").values_list("amount_minor", flat=True)[:_RECENT])
