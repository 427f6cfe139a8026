"""What a visit earns at the reader: a card was held to it, and no sale is known (yet).

It is what the engine gives for a sale without lines: rules by visit count, with tier, campaigns
and caps; what needs an amount gives nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec

from besnik.loyalty.engine import Standing, compute
from besnik.loyalty.guards import Velocity
from besnik.loyalty.ledger import Entry, NewLot, Posting, Unit
from besnik.loyalty.periods import expires_at, midnight_after
from besnik.loyalty.preview import cap_period
from besnik.loyalty.program import Program
from besnik.loyalty.rules import Cap
from besnik.loyalty.sale import Sale
from besnik.loyalty.tiers import TierPlan

_REMEMBERED: Final = 256
_BEGINNING: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_END: Final = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


class _Gift(msgspec.Struct, frozen=True):
    """``issued``: the program's side of it."""

    unit: Unit
    amount: int
    expires_at: dt.datetime | None
    issued: Posting


class Limit(msgspec.Struct, frozen=True):
    """A cap (``rule``) on what a member earns of ``unit`` from ``since`` to before ``until``."""

    rule: str
    unit: Unit
    since: dt.datetime
    until: dt.datetime


class _Day(msgspec.Struct, frozen=True):
    gifts: tuple[_Gift, ...]
    limits: tuple[Limit, ...]


class VisitRules:
    """What visits earn by one version of a program; what a day gives is worked out once.

    ``program`` is the program's row.
    """

    def __init__(self, program: Program) -> None:
        self.program: Final = program.id
        self._rules = program
        self._zone = program.tz
        self._pending = dt.timedelta(days=program.pending_days)
        # The program's day that was asked for last, and its bounds: nearly always it is today.
        self._since = self._until = _END
        self._today = dt.date.min
        self._days: dict[tuple[str, int, dt.date], _Day] = {}

    def accrue(
        self,
        member: int,
        shop: str,
        at: dt.datetime,
        level: int = 0,
        used: Mapping[str, int] | None = None,
    ) -> Entry | None:
        """Return the balanced entry that a visit of ``member`` in ``shop`` (its slug) earns.

        ``at`` is aware; ``level`` is the member's tier; ``used`` what the limits have counted, by
        rule. None if the visit earns nothing.
        """
        gifts = self._gifts(shop, at, level, used) if used else self._day(shop, at, level).gifts
        if not gifts:
            return None
        available_at = at + self._pending if self._pending else at
        postings: list[Posting] = []
        opens: list[NewLot] = []
        for gift in gifts:
            unit, amount = gift.unit, gift.amount
            postings += (Posting(member, unit, amount), gift.issued)
            opens.append(NewLot(member, unit, amount, at, available_at, gift.expires_at))
        return Entry(self.program, "accrue", tuple(postings), tuple(opens))

    def bounds(self, shop: str, at: dt.datetime, level: int = 0) -> Bounds | None:
        """Return what a visit has to be held against, None if there is nothing."""
        limits = self._day(shop, at, level).limits
        velocity = self._rules.velocity
        if velocity is None and not limits:
            return None
        return Bounds(velocity, limits, self, shop, at, level)

    def _day(self, shop: str, at: dt.datetime, level: int) -> _Day:
        if not self._since <= at < self._until:
            today = self._rules.today(at)
            self._since = midnight_after(today - dt.timedelta(days=1), self._zone)
            self._until = midnight_after(today, self._zone)
            self._today = today
        key = shop, level, self._today
        day = self._days.get(key)
        if day is None:
            if len(self._days) >= _REMEMBERED:
                self._days.clear()
            gifts = self._gifts(shop, at, level, {})
            units = {gift.unit for gift in gifts}
            limits = tuple(limit for limit in self._limits(at) if limit.unit in units)
            day = self._days[key] = _Day(gifts, limits)
        return day

    def _gifts(
        self, shop: str, at: dt.datetime, level: int, used: Mapping[str, int]
    ) -> tuple[_Gift, ...]:
        rules = self._rules.rules_at(at)
        if rules is None:
            return ()
        standing = _standing(self._rules.tiers, level, used)
        earned = compute(rules, Sale(at, lines=(), shop=shop), standing, self._zone)
        return tuple(
            _Gift(
                unit,
                amount,
                expires_at(self._rules.expiry_of(unit), at, self._zone),
                Posting(None, unit, -amount),
            )
            for unit, amount in earned.totals.items()
        )

    def _limits(self, at: dt.datetime) -> list[Limit]:
        rules = self._rules.rules_at(at)
        today = self._rules.today(at)
        found = []
        for rule in () if rules is None else rules.rules:
            if not isinstance(rule, Cap) or rule.per == "sale":
                continue
            span = None if rule.per == "ever" else cap_period(rule.per, today)
            since, until = _BEGINNING, _END
            if span is not None:
                since = midnight_after(span[0] - dt.timedelta(days=1), self._zone)
                until = midnight_after(span[1], self._zone)
            found.append(Limit(rule.id, rule.unit, since, until))
        return found


class Bounds(msgspec.Struct, frozen=True):
    """What one visit is held against, among all that its card and its member earned."""

    velocity: Velocity | None
    limits: tuple[Limit, ...]
    rules: VisitRules
    shop: str
    at: dt.datetime
    level: int

    def accrue(self, member: int, used: Mapping[str, int]) -> Entry | None:
        """Return what the visit earns after ``used`` (by rule) was earned; see VisitRules."""
        return self.rules.accrue(member, self.shop, self.at, self.level, used)


def _standing(plan: TierPlan | None, level: int, used: Mapping[str, int]) -> Standing:
    if plan is None or level >= len(plan.tiers):
        return Standing(used=used)
    return Standing(level, {plan.unit: plan.tiers[level].times_bp}, used)
