"""A member before a sale and after it: the tier held, what caps have counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple

from besnik.loyalty.engine import Standing
from besnik.loyalty.preview import cap_period
from besnik.loyalty.program import Program
from besnik.loyalty.rules import Cap, RuleSet
from besnik.loyalty.tiers import (
    Counted,
    Held,
    Lifetime,
    TierPlan,
    advance,
    bounds,
    from_history,
)
from besnik.store.models import Member, Posting, Sale, TierHeld

# A till's clock may be ahead of ours: what it sold counts all the same.
SOON: Final = dt.timedelta(minutes=10)
_BEGINNING: Final = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


class Past(NamedTuple):
    """A sale as it counts: what it still costs, and what it gave and was not taken back."""

    at: dt.datetime
    counting_minor: int
    earned: Mapping[str, int]


class Before(NamedTuple):
    """A member at the moment of a sale, the sale itself not counted.

    ``counted`` is what ``held`` follows from, None for a sale of a day that has passed.
    """

    standing: Standing
    held: Held | None
    counted: tuple[Counted, ...] | None = None
    row: TierHeld | None = None


def before(
    program: Program,
    member: Member,
    at: dt.datetime,
    now: dt.datetime,
    rules: RuleSet | None = None,
) -> Before:
    """Return how ``member`` stands before a sale at ``at``, which may be long before ``now``.

    ``rules``: those that the sale is counted by; without, no caps are looked at.
    """
    caps = [rule for rule in (rules.rules if rules else ()) if isinstance(rule, Cap)]
    day = program.today(at)
    used = {}
    for cap in caps:
        span = cap_period(cap.per, day)
        if span is not None:
            used[cap.id] = _given(program, member, cap.unit, span, at)
    plan = program.tiers
    if plan is None:
        return Before(Standing(used=used), None)
    seen = _seen(program, plan, member, at, now)
    level = min(seen.held.level, len(plan.tiers) - 1)
    stands = Standing(level, {plan.unit: plan.tiers[level].times_bp}, used)
    return Before(stands, seen.held, seen.counted, seen.row)


def after(
    program: Program, member: Member, stood: Before, sale: Past, now: dt.datetime
) -> Held | None:
    """Return the tier held now that ``sale`` counts too, and remember it."""
    plan = program.tiers
    if plan is None or stood.counted is None or stood.held is None:
        return advanced(program, member, now)
    day = program.today(sale.at)
    joined = program.today(member.created_at)
    items = [*stood.counted, Counted(day, _amount(plan, sale))]
    held = advance(plan, stood.held, items, max(day, joined), joined)
    _write(member, held, stood.row)
    return held


def level_of(program: Program, member: Member, now: dt.datetime) -> int:
    """Return the tier held at ``now``, 0 where there are none."""
    held = held_at(program, member, now, now)
    return (
        0
        if held is None or program.tiers is None
        else min(held.level, len(program.tiers.tiers) - 1)
    )


def held_at(program: Program, member: Member, at: dt.datetime, now: dt.datetime) -> Held | None:
    """Return the tier held at ``at``, not counting what comes later; None without tiers.

    For a day that has passed it follows from the sales before it; today and after, from the tier
    that was remembered.
    """
    plan = program.tiers
    return None if plan is None else _seen(program, plan, member, at, now).held


def advanced(program: Program, member: Member, now: dt.datetime) -> Held | None:
    """Return the tier held now that something more counts, and remember it."""
    held = held_at(program, member, now, now)
    if held is not None:
        remember(member, held)
    return held


def current(program: Program, member: Member, now: dt.datetime) -> Held | None:
    """Return the tier that follows from all sales until now; None without tiers."""
    return history_of(program, member, now, now + SOON)


def recounted(program: Program, member: Member, now: dt.datetime, was: Held | None) -> Held | None:
    """Return the tier held now that less counts than when ``was`` followed from the sales.

    What was bought only to be returned lifts nobody. A tier that was given by hand stays.
    """
    plan = program.tiers
    if plan is None:
        return None
    row = _row(member)
    if row is not None and was is not None and row.level != was.level:
        return advanced(program, member, now)
    held = current(program, member, now)
    if held is not None:
        remember(member, held)
    return held


def history_of(
    program: Program, member: Member, at: dt.datetime, until: dt.datetime
) -> Held | None:
    """Return the tier on the day of ``at`` by all sales before ``until``; None without tiers."""
    plan = program.tiers
    if plan is None:
        return None
    joined = program.today(member.created_at)
    day = max(program.today(at), joined)
    return from_history(plan, counted(program, plan, member, joined, until), day, joined)


def remember(member: Member, held: Held) -> None:
    """Write the tier held, if it is not what is written."""
    _write(member, held, _row(member))


def _write(member: Member, held: Held, row: TierHeld | None) -> None:
    if row is None and held.level == 0:
        return
    if row is None or (row.level, row.since, row.until) != (held.level, held.since, held.until):
        TierHeld.objects.update_or_create(
            member=member,
            defaults={"level": held.level, "since": held.since, "until": held.until},
        )


def counted(
    program: Program, plan: TierPlan, member: Member, first: dt.date, until: dt.datetime
) -> list[Counted]:
    """Return what counts towards a tier from the day ``first`` to the moment ``until``."""
    since = (
        dt.datetime.combine(first, dt.time(), program.tz)
        if first > _BEGINNING.date()
        else _BEGINNING
    )
    found = [
        Counted(program.today(past.at), _amount(plan, past))
        for past in _pasts(member, since, until)
    ]
    if plan.measure == "visits":
        visits = Posting.objects.filter(
            account__member=member,
            amount__gt=0,
            entry__tap__isnull=False,
            entry__tap__sale__isnull=True,
            entry__created_at__gte=since,
            entry__created_at__lt=until,
        ).values_list("entry", "entry__created_at")
        found += [Counted(program.today(at), 1) for _, at in set(visits)]
    return found


class _Seen(NamedTuple):
    held: Held
    counted: tuple[Counted, ...] | None
    row: TierHeld | None


def _seen(
    program: Program, plan: TierPlan, member: Member, at: dt.datetime, now: dt.datetime
) -> _Seen:
    joined = program.today(member.created_at)
    day = max(program.today(at), joined)
    if day < program.today(now):
        past = counted(program, plan, member, joined, at)
        return _Seen(from_history(plan, past, day, joined), None, None)
    row = _row(member)
    held = None if row is None else Held(min(row.level, len(plan.tiers) - 1), row.since, row.until)
    items = counted(program, plan, member, _first(plan, held, day, joined), now + SOON)
    return _Seen(advance(plan, held, items, day, joined), tuple(items), row)


def _first(plan: TierPlan, held: Held | None, day: dt.date, joined: dt.date) -> dt.date:
    """Return the first day whose sales decide about the tier on ``day``."""
    if held is None or isinstance(plan.window, Lifetime):
        return joined
    ended = day
    if held.until is not None:
        ended = min(day, held.until - dt.timedelta(days=plan.grace_days))
    return min(bounds(plan.window, ended, joined)[0], bounds(plan.window, day, joined)[0])


def _given(
    program: Program, member: Member, unit: str, span: tuple[dt.date, dt.date], until: dt.datetime
) -> int:
    first, last = span
    since = _BEGINNING
    if first > _BEGINNING.date():
        since = dt.datetime.combine(first, dt.time(), program.tz)
    end = until + dt.timedelta(days=366)
    if last < end.date():
        end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), program.tz)
    return sum(past.earned.get(unit, 0) for past in _pasts(member, since, end))


def _pasts(member: Member, since: dt.datetime, until: dt.datetime) -> list[Past]:
    rows = Sale.objects.filter(member=member, at__gte=since, at__lt=until)
    return [Past(*row) for row in rows.values_list("at", "counting_minor", "earned")]


def _amount(plan: TierPlan, past: Past) -> int:
    if plan.measure == "spend":
        return past.counting_minor
    if plan.measure == "status":
        return past.earned.get("status", 0)
    return 1 if past.counting_minor > 0 else 0


def _row(member: Member) -> TierHeld | None:
    return TierHeld.objects.filter(member=member).first()
