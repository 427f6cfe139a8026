"""What a cashier is told at a tap: what can be redeemed now, and one line worth saying."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import (
    Access,
    AmountOff,
    FreeItem,
    PercentOff,
    Reward,
    RewardError,
    RewardKind,
    affordable,
    allow,
)
from besnik.loyalty.rule_text import amount_of
from besnik.loyalty.rules import WHOLE_BP
from besnik.loyalty.text import progress_text
from besnik.loyalty.texts.catalogue import Count, Message
from besnik.loyalty.tiers import Progress

MOST_CHIPS: Final = 3
SOON_DAYS: Final = 14
NEAR_BP: Final = 1_000
THANKS_EVERY: Final = 10
# What drives a member decides which of the rewards they can have are offered first.
_DRAWN_TO: Final[Mapping[str, tuple[type[RewardKind], ...]]] = {
    "price": (AmountOff, PercentOff),
    "quality": (FreeItem,),
    "status": (Access,),
    "convenience": (Access, FreeItem),
}


class Chip(msgspec.Struct, frozen=True):
    """A reward that can be had now, and how often."""

    reward: Reward
    times: int


class AtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the member at the moment of the tap, in the program's own days.

    ``active`` is what can be spent, by unit; ``expiring`` what runs out, and on which last day;
    ``progress`` towards the next tier; ``visits`` with this one; ``left`` the pieces in stock
    by reward id, where stock is counted. ``motive``: price, quality, status, convenience, or "".
    """

    member: int
    level: int
    day: dt.date
    active: Mapping[Unit, int]
    birthday: bool = False
    expiring: Sequence[tuple[Unit, dt.date, int]] = ()
    progress: Progress | None = None
    visits: int = 0
    left: Mapping[str, int] = msgspec.field(default_factory=dict)
    motive: str = ""


def chips(program: Program, seen: AtCounter) -> list[Chip]:
    """Return at most three rewards that the member can have now: what is theirs alone first,
    then what their motive draws them to, then the dearest.
    """
    found = []
    drawn_to = _DRAWN_TO.get(seen.motive, ())
    for reward in program.rewards:
        times, _ = affordable(reward, seen.active.get(reward.unit, 0))
        stock = seen.left.get(reward.id, times if reward.stock is None else reward.stock)
        times = min(times, stock)
        if times and _allowed(reward, seen):
            found.append(Chip(reward, times))
    found.sort(
        key=lambda chip: (
            chip.reward.member is None,
            not isinstance(chip.reward.kind, drawn_to),
            -chip.reward.cost,
        )
    )
    return found[:MOST_CHIPS]


def worth_minor(program: Program, seen: AtCounter) -> int | None:
    """Return what the member's balance is worth in money by the best reward off; None if none.

    The whole balance counts, also what does not pay for a whole reward yet; rounded down.
    """
    found = [
        seen.active.get(reward.unit, 0) * reward.kind.amount_minor // reward.cost
        for reward in program.rewards
        if isinstance(reward.kind, AmountOff) and reward.cost and _allowed(reward, seen)
    ]
    return max(found, default=None)


def alert(program: Program, seen: AtCounter) -> Message | None:
    """Return the one line to be said: birthday, what expires soon, the tier that is near, thanks.

    Near is at most a tenth of what the tier needs; soon is in the next two weeks.
    """
    if seen.birthday:
        return Message("birthday")
    soon = seen.day + dt.timedelta(days=SOON_DAYS)
    running_out = sorted(
        (last, unit, amount) for unit, last, amount in seen.expiring if seen.day <= last <= soon
    )
    if running_out:
        last, unit, amount = running_out[0]
        return Message("expiring", {"amount": amount_of(unit, amount, program), "day": last})
    if program.tiers is not None and seen.progress is not None:
        missing, needed = seen.progress.missing, seen.progress.needed
        if missing > 0 and missing * WHOLE_BP <= needed * NEAR_BP:
            return progress_text(seen.progress, program.tiers, program)
    if seen.visits and seen.visits % THANKS_EVERY == 0:
        return Message("thanks", {"visits": Count(seen.visits, "visit")})
    return None


def _allowed(reward: Reward, seen: AtCounter) -> bool:
    try:
        allow(reward, seen.member, seen.level, seen.day)
    except RewardError:
        return False
    return True
