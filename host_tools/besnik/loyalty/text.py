"""A program in plain words, written from the same objects that compute.

Each function returns messages without a language; ``texts.catalogue.say`` says them in one.
"""

from __future__ import annotations

from typing import Final

from besnik.loyalty.ledger import Unit
from besnik.loyalty.periods import AfterDays, AfterMonths, Expiry, Idle, PeriodEnd
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import AmountOff, PercentOff, Reward
from besnik.loyalty.rule_text import amount_of, rule_text
from besnik.loyalty.rules import WHOLE_BP
from besnik.loyalty.texts.catalogue import (
    Count,
    Message,
    Money,
    Names,
    Share,
    Value,
)
from besnik.loyalty.tiers import (
    CalendarWindow,
    Progress,
    RollingWindow,
    TierPlan,
    Window,
)

_MEASURE: Final = {"status": "status", "visits": "visit"}
_WINDOWS: Final = {"Anniversary": "anniversary", "Lifetime": "lifetime"}


def program_text(program: Program, version: int | None = None) -> list[Message]:
    """Return what a program promises: its rules (the newest, or ``version``), tiers, rewards."""
    messages: list[Message] = []
    chosen = [rules for rules in program.rule_sets if version in (None, rules.version)]
    for rules in chosen[-1:]:
        for rule in rules.rules:
            messages += rule_text(rule, program)
        if rules.base == "best":
            messages.append(Message("base_best"))
    if program.joining_gift is not None:
        gift = program.joining_gift
        messages.append(Message("joining_gift", {"give": amount_of(gift.unit, gift.give, program)}))
    if program.tiers is not None:
        messages += tier_table(program.tiers, program)
    messages += [reward_text(reward, program) for reward in program.rewards]
    messages += [expiry_text(unit, expiry) for unit, expiry in program.expiry.items()]
    if program.pending_days:
        messages.append(Message("pending", {"days": Count(program.pending_days, "day")}))
    if program.paid is not None:
        values: dict[str, Value] = {
            "fee": Money(program.paid.fee_minor, program.currency),
            "days": Count(program.paid.days, "day"),
            "names": Names(program.paid.benefits),
        }
        messages.append(Message("paid", values))
    if program.sunset is not None:
        messages.append(Message("sunset", {"day": program.sunset.last_burn_day}))
    return messages


def tier_table(plan: TierPlan, program: Program) -> list[Message]:
    """Return what each tier needs and gives, and what counts towards it."""
    messages: list[Message] = []
    for tier in plan.tiers:
        if tier.threshold == 0:
            messages.append(Message("tier_first", {"name": tier.name}))
        else:
            needed = _measured(plan, tier.threshold, program)
            id = "tier_spend" if plan.measure == "spend" else "tier_count"
            messages.append(Message(id, {"name": tier.name, "needed": needed}))
        if tier.times_bp > WHOLE_BP:
            more = Share(tier.times_bp - WHOLE_BP)
            messages.append(Message("tier_times", {"name": tier.name, "share": more}))
        if tier.benefits:
            values: dict[str, Value] = {"name": tier.name, "names": Names(tier.benefits)}
            messages.append(Message("tier_benefits", values))
    return [*messages, _window(plan.window)]


def progress_text(progress: Progress, plan: TierPlan, program: Program) -> Message:
    """Return how much is missing to the next tier."""
    missing = _measured(plan, progress.missing, program)
    return Message("tier_missing", {"missing": missing, "name": plan.tiers[progress.level].name})


def pace_text(progress: Progress, plan: TierPlan, months: int) -> Message:
    """Return when the next tier is reached at this pace (``tiers.months_to_reach``)."""
    name = plan.tiers[progress.level].name
    return Message("tier_pace", {"name": name, "months": Count(months, "month")})


def reward_text(reward: Reward, program: Program) -> Message:
    """Return what a reward costs and gives."""
    cost = amount_of(reward.unit, reward.cost, program)
    if isinstance(reward.kind, AmountOff):
        amount = Money(reward.kind.amount_minor, program.currency)
        return Message("reward_amount_off", {"cost": cost, "amount": amount})
    if isinstance(reward.kind, PercentOff):
        share = Share(reward.kind.share_bp)
        return Message("reward_percent_off", {"cost": cost, "share": share})
    return Message("reward_other", {"cost": cost, "title": Names((reward.title,))})


def expiry_text(unit: Unit, expiry: Expiry) -> Message:
    """Return how long what is earned can be used."""
    names = Names((unit,))
    if isinstance(expiry, AfterDays):
        return Message("expiry_after_days", {"names": names, "days": Count(expiry.days, "day")})
    if isinstance(expiry, AfterMonths):
        months = Count(expiry.months, "month")
        return Message("expiry_after_months", {"names": names, "months": months})
    if isinstance(expiry, PeriodEnd):
        months = Count(expiry.months, "month")
        if not expiry.grace_days:
            return Message("expiry_period", {"names": names, "months": months})
        grace = Count(expiry.grace_days, "day")
        return Message("expiry_period_end", {"names": names, "days": grace, "months": months})
    if isinstance(expiry, Idle):
        return Message("expiry_idle", {"names": names, "days": Count(expiry.days, "day")})
    return Message("expiry_never", {"names": names})


def _window(window: Window) -> Message:
    if isinstance(window, CalendarWindow):
        return Message("tier_window_calendar", {"months": Count(window.months, "month")})
    if isinstance(window, RollingWindow):
        return Message("tier_window_rolling", {"days": Count(window.days, "day")})
    return Message(f"tier_window_{_WINDOWS[type(window).__name__]}")


def _measured(plan: TierPlan, amount: int, program: Program) -> Count | Money:
    if plan.measure == "spend":
        return Money(amount, program.currency)
    return Count(amount, _MEASURE[plan.measure])
