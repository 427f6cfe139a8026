"""What a member has and may have, in few queries.

Nothing here is about one shop being open: it reads the database and nothing else.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from besnik.loyalty.ledger import Unit
from besnik.loyalty.lots import Balances, Lot, balances
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import RewardError, affordable, allow
from besnik.loyalty.text import (
    pace_text,
    program_text,
    progress_text,
    reward_text,
    tier_table,
)
from besnik.loyalty.texts.catalogue import Message
from besnik.loyalty.tiers import Lifetime, Progress, RollingWindow, bounds, months_to_reach
from besnik.store import books, programs
from besnik.store.glance import standing as glance_standing
from besnik.store.glance.tier import level_and_progress
from besnik.store.models import Card, CardKind, CardState, Coupon, Member, RewardStock
from besnik.store.own.shown import (
    CouponShown,
    Expiring,
    OwnPage,
    RewardShown,
    TierRow,
    TierShown,
)
from besnik.store.people.codes import coupon_code

# A pace that is further away than this tells nobody anything.
_MOST_MONTHS: Final = 24


def own_page(member: Member, at: dt.datetime) -> OwnPage:
    """Return what ``member`` sees at ``at``."""
    program = programs.current(member.program_id)
    day = program.today(at)
    wallet = books.wallet(member.pk)
    by_unit = {unit: balances(lots, at) for unit, lots in wallet.items()}
    level, ahead = level_and_progress(program, member, at)
    money = by_unit.get(program.currency.code)
    return OwnPage(
        program=program,
        balances=tuple(glance_standing.balance_lines(program, by_unit)),
        money_minor=None if money is None else money.active,
        tier=_tier(program, member, day, level, ahead),
        services=glance_standing.flags(program, member, level, day),
        rewards=tuple(_rewards(program, member, level, day, by_unit)),
        coupons=tuple(_coupons(program, member, at)),
        expiring=_expiring(program, wallet, at),
        rules=_rules(program),
        code=_printed_code(member),
    )


def _tier(
    program: Program, member: Member, day: dt.date, level: int, ahead: Progress | None
) -> TierShown | None:
    plan = program.tiers
    if plan is None:
        return None
    said = tier_table(plan, program)
    rows = tuple(
        TierRow(tier.name, how, tuple(gives))
        for tier in plan.tiers
        for how, *gives in [[each for each in said if each.values.get("name") == tier.name]]
    )
    window = tuple(each for each in said if "name" not in each.values)
    if ahead is None:
        return TierShown(plan.tiers[level].name, "", 100, None, None, rows, window)
    joined = program.today(member.created_at)
    since = bounds(plan.window, day, joined)[0]
    since = joined if isinstance(plan.window, Lifetime) else max(since, joined)
    pace = None
    # A rolling window forgets as fast as it counts: no pace follows from it.
    if not isinstance(plan.window, RollingWindow):
        months = months_to_reach(ahead.needed, ahead.reached, (day - since).days + 1)
        if months is not None and 0 < months <= _MOST_MONTHS:
            pace = pace_text(ahead, plan, months)
    return TierShown(
        plan.tiers[level].name,
        plan.tiers[ahead.level].name,
        max(0, min(100, ahead.reached * 100 // max(1, ahead.needed))),
        progress_text(ahead, plan, program),
        pace,
        rows,
        window,
    )


def _rewards(
    program: Program,
    member: Member,
    level: int,
    day: dt.date,
    by_unit: Mapping[Unit, Balances],
) -> list[RewardShown]:
    """Return the rewards the member may have, those within reach first, then the nearest."""
    left = dict(RewardStock.objects.filter(program=program.id).values_list("reward", "left"))
    shown = []
    for reward in program.rewards:
        try:
            allow(reward, member.pk, level, day)
        except RewardError:
            continue
        have = by_unit[reward.unit].active if reward.unit in by_unit else 0
        times, rest = affordable(reward, have)
        shown.append(
            RewardShown(
                title=reward.title,
                text=reward_text(reward, program),
                unit=reward.unit,
                cost=reward.cost,
                times=times if reward.cost else 1,
                have=have,
                missing=max(0, reward.cost - (rest if times else have)),
                sold_out=left.get(reward.id, 1) <= 0,
            )
        )
    return sorted(shown, key=lambda each: (each.sold_out, not each.times, each.missing, each.cost))


def _coupons(program: Program, member: Member, at: dt.datetime) -> list[CouponShown]:
    titles = {reward.id: reward.title for reward in program.rewards}
    issued = Coupon.objects.filter(member=member, state="issued").order_by("until", "pk")
    return [
        CouponShown(titles.get(coupon.reward, coupon.reward), _code_of(coupon), coupon.until)
        for coupon in issued
        if coupon.until is None or at < coupon.until
    ]


def _code_of(coupon: Coupon) -> str:
    """Return a coupon's code, "" for one that was issued elsewhere: only its digest is kept."""
    code = coupon_code(coupon.pk)
    return code if hashlib.sha256(code.encode()).hexdigest() == coupon.digest else ""


def _expiring(
    program: Program, wallet: Mapping[Unit, Sequence[Lot]], at: dt.datetime
) -> tuple[Expiring, ...]:
    found = (
        Expiring(unit, day, amount)
        for unit, day, amount in glance_standing.running_out(program, wallet, at)
    )
    return tuple(sorted(found, key=lambda each: (each.last_day, each.unit)))


def _rules(program: Program) -> tuple[Message, ...]:
    """Return what a program promises, but for tiers and rewards, which are shown with it."""
    shown = [] if program.tiers is None else tier_table(program.tiers, program)
    shown += [reward_text(reward, program) for reward in program.rewards]
    return tuple(message for message in program_text(program) if message not in shown)


def _printed_code(member: Member) -> str:
    cards = Card.objects.filter(member=member, kind=CardKind.CODE, state=CardState.ACTIVE)
    return cards.order_by("-pk").values_list("data", flat=True).first() or ""
