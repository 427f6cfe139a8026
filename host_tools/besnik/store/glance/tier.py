"""The tier a member holds, and how far the next one is, by what counts in the running window."""

from __future__ import annotations

import datetime as dt

from besnik.loyalty.program import Program
from besnik.loyalty.tiers import Lifetime, Progress, bounds, progress, reached
from besnik.store.models import Member
from besnik.store.till import standing


def level_and_progress(
    program: Program, member: Member, at: dt.datetime
) -> tuple[int, Progress | None]:
    """Return the tier held at ``at`` and the way to the next."""
    plan = program.tiers
    if plan is None:
        return 0, None
    day, joined = program.today(at), program.today(member.created_at)
    first = joined if isinstance(plan.window, Lifetime) else bounds(plan.window, day, joined)[0]
    soon = at + dt.timedelta(seconds=1)
    counted = standing.counted(program, plan, member, first, soon)
    level = standing.level_of(program, member, at)
    return level, progress(plan, level, reached(plan.window, counted, day, joined))
