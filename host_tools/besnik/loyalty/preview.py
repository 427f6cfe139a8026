"""What a program would have given on sales that have been: the question before it starts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from besnik.loyalty.engine import Standing, compute, local_day
from besnik.loyalty.ledger import Unit
from besnik.loyalty.periods import period
from besnik.loyalty.program import Program
from besnik.loyalty.rules import WHOLE_BP, Cap, Period, RuleSet, SpendThreshold
from besnik.loyalty.sale import Sale
from besnik.loyalty.threshold import spend
from besnik.loyalty.tiers import Counted, Held, TierPlan, advance


class Past(msgspec.Struct, frozen=True):
    """A sale of ``member`` that was not reversed."""

    member: int
    sale: Sale


class Preview(msgspec.Struct, frozen=True):
    """What the sales would have earned: ``given`` by unit, over ``turnover_minor``."""

    sales: int
    members: int
    turnover_minor: int
    given: Mapping[Unit, int]

    def cost_minor(self, worth_minor: Mapping[Unit, int], redemption_bp: int = WHOLE_BP) -> int:
        """Return what it would cost if ``redemption_bp`` of it is redeemed, rounded up.

        ``worth_minor``: what one of each unit costs the shop; units left out cost nothing.
        """
        worth = sum(amount * worth_minor.get(unit, 0) for unit, amount in self.given.items())
        return -(-worth * redemption_bp // WHOLE_BP)


class Replay:
    """Counts sales by a program one after the other; it keeps what it knows of each member."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._files: dict[int, _File] = {}
        self._given: Counter[Unit] = Counter()
        self._sales = self._turnover_minor = 0

    def count(self, item: Past) -> None:
        """Count the next sale, which is not before the last one."""
        day = local_day(item.sale.at, self._program.tz)
        file = self._files.setdefault(item.member, _File(day))
        self._sales += 1
        self._turnover_minor += item.sale.earning_minor()
        rules = self._program.rules_at(item.sale.at)
        if rules is not None:
            self._given.update(file.sell(self._program, rules, item.sale, day))

    def result(self) -> Preview:
        """Return what was given so far."""
        return Preview(self._sales, len(self._files), self._turnover_minor, dict(self._given))


def preview(program: Program, past: Iterable[Past]) -> Preview:
    """Return what ``program`` would have given for ``past``, from a standing start.

    Everybody begins in the first tier, with nothing carried and no cap used.
    """
    replay = Replay(program)
    for item in sorted(past, key=lambda item: item.sale.at):
        replay.count(item)
    return replay.result()


def cap_period(per: Period, day: dt.date) -> tuple[dt.date, dt.date] | None:
    """Return first and last day of the period a cap counts in; None for each sale by itself.

    Weeks begin on Monday (ISO 8601).
    """
    if per == "sale":
        return None
    if per == "day":
        return day, day
    if per == "week":
        first = day - dt.timedelta(days=day.weekday())
        return first, first + dt.timedelta(days=6)
    if per == "ever":
        return dt.date.min, dt.date.max
    return period(1 if per == "month" else 12, day)


class _File:
    """What a preview remembers of one member."""

    def __init__(self, joined: dt.date) -> None:
        self._joined = joined
        self._held: Held | None = None
        self._counted: list[Counted] = []
        self._carried: dict[str, int] = {}
        self._used: Counter[tuple[str, dt.date]] = Counter()

    def sell(self, program: Program, rules: RuleSet, sale: Sale, day: dt.date) -> dict[Unit, int]:
        """Count a sale; return what it earns."""
        caps = {
            rule.id: (rule.unit, span[0])
            for rule in rules.rules
            if isinstance(rule, Cap) and (span := cap_period(rule.per, day))
        }
        used = {id: self._used[id, first] for id, (_, first) in caps.items()}
        standing = self._standing(program.tiers, day, used)
        earned = compute(rules, sale, standing, program.tz)
        for id, (unit, first) in caps.items():
            self._used[id, first] += earned.totals.get(unit, 0)
        for rule in rules.rules:
            if isinstance(rule, SpendThreshold) and rule.id in earned.counted_minor:
                before, amount = self._carried.get(rule.id, 0), earned.counted_minor[rule.id]
                self._carried[rule.id] = spend(rule, before, amount).carried_minor
        self._count(program.tiers, sale, earned.totals, day)
        return earned.totals

    def _standing(self, plan: TierPlan | None, day: dt.date, used: Mapping[str, int]) -> Standing:
        if plan is None:
            return Standing(used=used, carried_minor=self._carried)
        self._held = advance(plan, self._held, self._counted, day, self._joined)
        level = self._held.level
        times = {plan.unit: plan.tiers[level].times_bp}
        return Standing(level, times, used, self._carried)

    def _count(
        self, plan: TierPlan | None, sale: Sale, totals: Mapping[Unit, int], day: dt.date
    ) -> None:
        if plan is None:
            return
        amounts = {
            "spend": sale.earning_minor(),
            "status": totals.get("status", 0),
            "visits": 1,
        }
        self._counted.append(Counted(day, amounts[plan.measure]))
        self._held = advance(plan, self._held, self._counted, day, self._joined)
