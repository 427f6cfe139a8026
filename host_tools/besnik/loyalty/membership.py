"""What is not earned by buying: the gift for joining, paid membership, the end of a program."""

from __future__ import annotations

import datetime as dt

import msgspec

from besnik.loyalty.ledger import Unit
from besnik.loyalty.rules import MOST_DAYS, within


class JoiningGift(msgspec.Struct, frozen=True):
    """What a person gets for joining, once however often they join."""

    give: int
    unit: Unit = "point"

    def __post_init__(self) -> None:
        within("joining gift", 1, give=self.give)

    def key(self, program: int, person: str) -> str:
        """Return the idempotency key of the gift to ``person``.

        ``person`` is the same however often somebody joins and names nobody: a keyed digest of
        the phone number in international form.
        """
        return f"join:{program}:{person}"


class PaidPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A membership with a fee for ``days``; ``benefits`` are named to the cashier."""

    fee_minor: int
    days: int = 365
    benefits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within("paid membership", 0, fee_minor=self.fee_minor)
        within("paid membership", 1, MOST_DAYS, days=self.days)


class PaidMembership(msgspec.Struct, frozen=True):
    """A member's paid membership: what was paid, and its first and last day."""

    fee_minor: int
    first_day: dt.date
    last_day: dt.date


def buy(plan: PaidPlan, day: dt.date, running: PaidMembership | None = None) -> PaidMembership:
    """Return the membership bought on ``day``; it follows the ``running`` one without a gap."""
    first = day
    if running is not None and day <= running.last_day:
        first = running.last_day + dt.timedelta(days=1)
    return PaidMembership(plan.fee_minor, first, first + dt.timedelta(days=plan.days - 1))


def benefits(plan: PaidPlan, membership: PaidMembership | None, day: dt.date) -> tuple[str, ...]:
    """Return what the membership gives on ``day``: all of the plan's, or nothing."""
    if membership is None or not membership.first_day <= day <= membership.last_day:
        return ()
    return plan.benefits


def fee_back(membership: PaidMembership, last_used: dt.date) -> int:
    """Return the part of the fee for the days after ``last_used``, rounded half up."""
    days = (membership.last_day - membership.first_day).days + 1
    unused = min(days, max(0, (membership.last_day - last_used).days))
    return (2 * membership.fee_minor * unused + days) // (2 * days)


class Sunset(msgspec.Struct, frozen=True):
    """The end of a program: nothing is earned from ``announced`` on; points stay good for
    ``notice_days`` days, that day counted as the first.
    """

    announced: dt.date
    notice_days: int

    def __post_init__(self) -> None:
        within("end of the program", 1, MOST_DAYS, notice_days=self.notice_days)

    @property
    def last_burn_day(self) -> dt.date:
        """Return the last day on which points can be used."""
        return self.announced + dt.timedelta(days=self.notice_days - 1)

    def may_earn(self, day: dt.date) -> bool:
        """Tell whether a sale on ``day`` still earns."""
        return day < self.announced

    def may_burn(self, day: dt.date) -> bool:
        """Tell whether points can be used on ``day``; after it all that is left is breakage."""
        return day <= self.last_burn_day
