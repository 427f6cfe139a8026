"""What was given, used and lost of a unit, and what is outstanding."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Min, QuerySet, Sum

from besnik.loyalty import liability, metrics
from besnik.loyalty.metrics import Figure, Window
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import AmountOff
from besnik.loyalty.rules import WHOLE_BP
from besnik.store.measures.windows import moments
from besnik.store.models import Account, Lot, LotMove, Redemption

OLD_DAYS: Final = 365
ENOUGH: Final = 100


class Cohort(msgspec.Struct, frozen=True):
    """What was issued of a unit in a window, and what has become of it since."""

    issued: int
    redeemed: int
    expired: int

    @property
    def open(self) -> int:
        """Return what can still be used, or is owed where it is below zero."""
        return self.issued - self.redeemed - self.expired


class Owed(msgspec.Struct, frozen=True):
    """What the outstanding points of a unit will cost.

    ``past`` is what became of the old ones, ``past_used`` how much of it was used or may be yet;
    ``measured`` tells whether they are enough to conclude from. ``worth``: minor units for how
    many of the unit, None where no reward says.
    """

    unit: str
    active: int
    past: Cohort
    past_used: int
    worth: tuple[int, int] | None
    amount_minor: int | None

    @property
    def measured(self) -> bool:
        """Whether what is expected was measured; else all of it may be used."""
        return self.past.issued >= ENOUGH


def cohort(program: int, unit: str, window: Window) -> Cohort:
    """Return what was issued in the window. What one member gave to another is issued once."""
    first, after = moments(window)
    lots = Lot.objects.filter(
        member__program=program, unit=unit, opened_at__gte=first, opened_at__lt=after
    )
    sums = lots.aggregate(
        main=Sum("main"), held=Sum("held"), spent=Sum("spent"), expired=Sum("expired")
    )
    main, held, spent, expired = (sums[part] or 0 for part in ("main", "held", "spent", "expired"))
    passed_on = _passed_on(lots)
    return Cohort(main + held + spent + expired - passed_on, spent - passed_on, expired)


def redemption(program: int, unit: str, window: Window) -> Figure:
    """Return the share of the points issued in the window that was redeemed since."""
    found = cohort(program, unit, window)
    issued = max(found.issued, found.redeemed, 0)
    return liability.redemption(max(0, found.redeemed), issued, window)


def outstanding(program: int, unit: str) -> int:
    """Return the points of ``unit`` that members have, those on hold included."""
    accounts = Account.objects.filter(member__program=program, unit=unit)
    total = accounts.filter(account__in=("main", "held")).aggregate(sum=Sum("balance"))["sum"]
    return total or 0


def owed(program: Program, unit: str, today: dt.date) -> Owed:
    """Return what the outstanding points of ``unit`` will cost, as a manager reckons it.

    What is expected to be redeemed is what was redeemed of everything issued a year ago or
    longer; of few points nothing is concluded, and all may be redeemed.
    """
    active = max(0, outstanding(program.id, unit))
    old = Window(dt.date(2000, 1, 1), today - dt.timedelta(days=OLD_DAYS), program.zone)
    past = cohort(program.id, unit, old)
    # What is still open of the old points may be used yet.
    used = max(0, min(past.issued, past.redeemed + max(0, past.open)))
    share = used * WHOLE_BP // past.issued if past.issued >= ENOUGH else WHOLE_BP
    worth = worth_of(program, unit)
    amount = None
    if worth is not None:
        amount = liability.simple_liability_minor(active, worth[0], share) // worth[1]
    return Owed(unit, active, past, used, worth, amount)


def worth_of(program: Program, unit: str) -> tuple[int, int] | None:
    """Return the best price in money of a unit: so many minor units for so many of it."""
    if unit == program.currency.code:
        return 1, 1
    rates = [
        (reward.kind.amount_minor, reward.cost)
        for reward in program.rewards
        if reward.unit == unit and reward.cost and isinstance(reward.kind, AmountOff)
    ]
    return max(rates, key=lambda rate: rate[0] / rate[1], default=None)


class Wait(msgspec.Struct, frozen=True):
    """The median days from joining to the first reward, of ``n`` members, and its interval."""

    days: float
    n: int
    low: float | None
    high: float | None


def days_to_first_reward(program: int, window: Window) -> Wait | None:
    """Return how long members waited whose first reward was in the window; None without any."""
    first, after = moments(window)
    rows = (
        Redemption.objects.filter(member__program=program)
        .values("member", "member__created_at")
        .annotate(first=Min("at"))
        .filter(first__gte=first, first__lt=after)
        .values_list("member", "member__created_at", "first")
    )
    zone = ZoneInfo(window.zone)
    joined, had = {}, {}
    for member, since, at in rows.iterator():
        joined[member], had[member] = since.astimezone(zone).date(), at.astimezone(zone).date()
    if not had:
        return None
    days = metrics.days_to_first_reward(joined, had)
    waits = [(had[member] - joined[member]).days for member in had]
    low, high = metrics.median_interval(waits) or (None, None)
    return Wait(days, len(had), low, high)


def _passed_on(lots: QuerySet[Lot]) -> int:
    moves = LotMove.objects.filter(lot__in=lots, part="spent", entry__kind="transfer")
    total = moves.aggregate(sum=Sum("amount"))["sum"]
    return total or 0
