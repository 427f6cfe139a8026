"""Everything that is said of a member at the moment of a tap, read at once."""

from __future__ import annotations

import datetime as dt
from typing import Final

from besnik.loyalty.advice import AtCounter, alert, chips, worth_minor
from besnik.loyalty.lots import balances
from besnik.store import books, programs
from besnik.store.glance import history, standing
from besnik.store.glance.shown import ChipLine, GiftLine, Glance
from besnik.store.glance.tier import level_and_progress
from besnik.store.models import Member, Person, RewardStock

LAST_SALES: Final = 3
MOST_NOTES: Final = 3


def glance(member: Member, at: dt.datetime, *, visits: int = 0) -> Glance:
    """Return what is to be said of ``member`` at ``at``; ``visits`` (with this one) for thanks."""
    program = programs.current(member.program_id)
    day = program.today(at)
    wallet = books.wallet(member.pk)
    by_unit = {unit: balances(lots, at) for unit, lots in wallet.items()}
    level, progress = level_and_progress(program, member, at)
    person = Person.objects.filter(member=member).first()
    born = person.birthday if person else None
    seen = AtCounter(
        member=member.pk,
        level=level,
        day=day,
        active={unit: line.active for unit, line in by_unit.items()},
        birthday=born is not None and (born.month, born.day) == (day.month, day.day),
        expiring=standing.running_out(program, wallet, at),
        progress=progress,
        visits=visits,
        left=dict(RewardStock.objects.filter(program=program.id).values_list("reward", "left")),
        motive=person.motive if person else "",
    )
    sales = history.sales(member)
    money = by_unit.get(program.currency.code)
    return Glance(
        ref=member.ref,
        name=member.name,
        language=member.language,
        status=member.status,
        currency=program.currency,
        level=level,
        tier=program.tiers.tiers[level].name if program.tiers else "",
        flags=standing.flags(program, member, level, day),
        balances=tuple(standing.balance_lines(program, by_unit)),
        worth_minor=worth_minor(program, seen),
        money_minor=money.active if money else None,
        chips=tuple(
            ChipLine(each.id, each.title, each.cost, each.unit, each.member is not None)
            for each in (chip.reward for chip in chips(program, seen))
        ),
        alert=alert(program, seen),
        offers=tuple(standing.offers(program, member, at)),
        last_visit=history.last_visit(member),
        sales=tuple(sales[:LAST_SALES]),
        favourite=history.favourite([sale.id for sale in sales]),
        motive=seen.motive,
        tags=tuple(person.tags) if person else (),
        notes=tuple(member.notes.order_by("-at").values_list("text", flat=True)[:MOST_NOTES]),
        gifts=tuple(
            GiftLine(title, source)
            for title, source in member.gifts.order_by("given_at").values_list("title", "source")
        ),
        phone_tail=person.phone[-4:] if person else "",
        holds=tuple(standing.holds(program, member, at)),
    )
