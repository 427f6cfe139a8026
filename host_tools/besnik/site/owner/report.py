"""The figures of a program over a window, one line each, for the page and for the sheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Literal

import msgspec
from django.utils.translation import gettext as _

from besnik.loyalty import liability, metrics
from besnik.loyalty.forecast import next_month
from besnik.loyalty.metrics import Difference, Figure, Window
from besnik.loyalty.program import Program
from besnik.loyalty.rules import WHOLE_BP
from besnik.site import figures
from besnik.store.measures import points, purchases
from besnik.store.measures.windows import before, full_months

Kind = Literal["percent", "percent_points", "amount", "count", "days", "forecast"]


class Line(msgspec.Struct, frozen=True):
    """One figure: ``value`` (None where it is not shown), its 95 % interval, what it rests on.

    ``n`` counts ``of``; None where the figure is a total and no estimate.
    """

    key: str
    label: str
    explained: str
    kind: Kind
    value: float | None
    window: Window
    n: int | None = None
    of: str = ""
    low: float | None = None
    high: float | None = None


class Month(msgspec.Struct, frozen=True):
    """The purchases of one calendar month."""

    window: Window
    turnover: purchases.Turnover


def lines(program: Program, window: Window, lost_days: int) -> list[Line]:
    """Return the figures of ``window``; lost is who did not buy for ``lost_days``."""
    return [
        *_customers(program, window, lost_days),
        *_members_and_others(program, window),
        *_points(program, window),
    ]


def months(program: Program, today: dt.date) -> list[Month]:
    """Return the last 12 calendar months that are over, the oldest first."""
    return [
        Month(window, purchases.turnover(program.id, window))
        for window in full_months(12, today, program.zone)
    ]


def forecast(program: Program, known: list[Month]) -> Line | None:
    """Return what the running month may bring, from the months since the first purchase."""
    amounts = [month.turnover.amount_minor for month in known]
    while amounts and not amounts[0]:
        del amounts[0]
    found = next_month(amounts)
    if found is None:
        return None
    return Line(
        "forecast",
        _("Forecast for this month's turnover"),
        _("If it is a month like those before; no trend and no season is assumed."),
        "forecast",
        found.expected,
        Window(known[-found.n].window.first, known[-1].window.last, program.zone),
        found.n,
        _("months"),
        found.low,
        found.high,
    )


def _customers(program: Program, window: Window, lost_days: int) -> Iterator[Line]:
    kept = purchases.retention(program.id, window, lost_days)
    lost = figures.points(lost_days, "day")
    customers = _("customers")
    yield _line(
        "retention",
        _("Customers who stayed"),
        _(
            "Of those who were customers before, how many still are. Lost is no purchase for "
            "%(span)s."
        )
        % {"span": lost},
        kept,
        customers,
    )
    yield _line(
        "churn",
        _("Customers who were lost"),
        _("What is missing to 100 % above."),
        metrics.churn(kept),
        customers,
    )
    yield _line(
        "repeat",
        _("Customers who came back"),
        _("Bought at least twice in this time."),
        purchases.repeat_rate(program.id, window),
        customers,
    )
    yield _line(
        "net_churn",
        _("Net revenue churn"),
        _(
            "Lost and smaller spending less what others spend more; below zero is good. The same "
            "customers, compared with the time before."
        ),
        purchases.net_churn(program.id, before(window), window),
        customers,
    )


def _members_and_others(program: Program, window: Window) -> Iterator[Line]:
    _ours, others, difference = purchases.members_and_others(program.id, window)
    yield _line(
        "repeat_others",
        _("Other buyers who came back"),
        _("As far as your till can tell them apart, by their payment card for instance."),
        others,
        _("buyers"),
    )
    yield _difference(difference, window)


def _difference(found: Difference, window: Window) -> Line:
    return Line(
        "members_and_others",
        _("Members against others"),
        _(
            "Those who join may be the ones who come often anyway: this is a difference, not an "
            "effect."
        ),
        "percent_points",
        found.points,
        window,
        sum(found.n),
        _("buyers"),
        found.low,
        found.high,
    )


def _points(program: Program, window: Window) -> Iterator[Line]:
    units = sorted({reward.unit for reward in program.rewards if reward.cost} | {"point", "stamp"})
    for unit in units:
        issued = points.cohort(program.id, unit, window).issued
        owed = points.owed(program, unit, window.last)
        if not issued and not owed.active:
            continue
        word = figures.unit_name(unit, program.currency)
        yield _line(
            f"redemption_{unit}",
            _("Redeemed: %(unit)s") % {"unit": word},
            _("Of what was given in this time, how much was used since."),
            points.redemption(program.id, unit, window),
            word,
        )
        yield from _owed(owed, word, window)
    wait = points.days_to_first_reward(program.id, window)
    if wait is not None:
        yield Line(
            "first_reward",
            _("Days to the first reward"),
            _("Half of the members waited longer. Above 90 they forget about it."),
            "days",
            wait.days,
            window,
            wait.n,
            _("members"),
            wait.low,
            wait.high,
        )


def _owed(owed: points.Owed, word: str, window: Window) -> Iterator[Line]:
    breakage = (
        metrics.share(owed.past.issued - owed.past_used, owed.past.issued, window)
        if owed.measured
        else Figure(None, max(0, owed.past.issued), window=window)
    )
    yield _line(
        f"breakage_{owed.unit}",
        _("Never used: %(unit)s") % {"unit": word},
        _(
            "Expected, by what became of those that are older than a year. Without such, nothing "
            "is expected to be lost."
        ),
        breakage,
        word,
    )
    if owed.amount_minor is not None and owed.worth is not None:
        low, high = owed.amount_minor, owed.amount_minor
        if breakage.low is not None and breakage.high is not None:
            minor, per = owed.worth
            low, high = (
                liability.simple_liability_minor(
                    owed.active, minor, round(WHOLE_BP * (1 - bound / 100))
                )
                // per
                for bound in (breakage.high, breakage.low)
            )
        yield Line(
            f"liability_{owed.unit}",
            _("What you owe: %(unit)s") % {"unit": word},
            _("Outstanding, times what one is worth, times what will be used of it."),
            "amount",
            owed.amount_minor,
            window,
            owed.active,
            word,
            low,
            high,
        )


def _line(key: str, label: str, explained: str, figure: Figure, of: str) -> Line:
    assert figure.window is not None
    return Line(
        key,
        label,
        explained,
        "percent",
        figure.percent,
        figure.window,
        figure.n,
        of,
        figure.low,
        figure.high,
    )
