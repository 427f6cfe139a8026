"""Purchases that were not given back: who bought, how often, for how much.

A sale counts with what is left of it: a receipt that came back whole is no purchase.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import msgspec
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from besnik.loyalty import metrics
from besnik.loyalty.metrics import Difference, Figure, Window
from besnik.store.measures.windows import moments
from besnik.store.models import Sale, SaleReturn, Shop

_BIG = BigIntegerField()
_REAL = FloatField()


class Turnover(msgspec.Struct, frozen=True):
    """Purchases of a window: how many, for how much, by how many members."""

    purchases: int
    amount_minor: int
    members: int
    with_card: int


class ShopLine(msgspec.Struct, frozen=True):
    """The purchases of one shop in a window."""

    shop: str
    purchases: int
    amount_minor: int
    members: int


def purchases(program: int, window: Window) -> QuerySet[Any]:
    """Return the window's purchases, each with ``net_minor``, what was kept of it."""
    first, after = moments(window)
    sales = Sale.objects.filter(program=program, at__gte=first, at__lt=after)
    return with_net(sales).filter(net_minor__gt=0)


def with_net(sales: QuerySet[Any]) -> QuerySet[Any]:
    """Return ``sales`` with ``net_minor``: what they cost less the lines that came back."""
    back = (
        SaleReturn.objects.filter(line__sale=OuterRef("pk"))
        .values("line__sale")
        .annotate(back=Sum("line__amount_minor"))
        .values("back")
    )
    # Few receipts come back: only those pay for the look at their lines.
    returned = Case(
        When(
            pk__in=SaleReturn.objects.values("line__sale"),
            then=Coalesce(Subquery(back, output_field=_BIG), Value(0, output_field=_BIG)),
        ),
        default=Value(0, output_field=_BIG),
        output_field=_BIG,
    )
    found: QuerySet[Any] = sales.annotate(net_minor=F("amount_minor") - returned)
    return found


def turnover(program: int, window: Window, shops: QuerySet[Shop] | None = None) -> Turnover:
    """Return how much was bought in the window, by members and others; in ``shops`` if given."""
    bought = purchases(program, window)
    if shops is not None:
        bought = bought.filter(shop__in=shops)
    found = bought.aggregate(
        purchases=Count("pk"),
        amount_minor=Coalesce(Sum("net_minor", output_field=_BIG), Value(0, output_field=_BIG)),
        members=Count("member", distinct=True),
        with_card=Count("pk", filter=Q(member__isnull=False)),
    )
    return Turnover(**found)


def by_shop(program: int, window: Window, shops: QuerySet[Shop]) -> list[ShopLine]:
    """Return the window's purchases in each of ``shops``, the largest first."""
    rows = (
        purchases(program, window)
        .filter(shop__in=shops)
        .values("shop__name")
        .annotate(
            purchases=Count("pk"),
            amount_minor=Sum("net_minor"),
            members=Count("member", distinct=True),
        )
        .order_by("-amount_minor", "shop__name")
    )
    return [
        ShopLine(row["shop__name"], row["purchases"], row["amount_minor"], row["members"])
        for row in rows
    ]


def retention(program: int, window: Window, lost_after_days: int) -> Figure:
    """Return the retention over ``window``; see `besnik.loyalty.metrics.retention_of`."""
    span, day = dt.timedelta(days=lost_after_days), dt.timedelta(days=1)
    before = Window(window.first - span, window.first - day, window.zone)
    until = Window(window.last - span + day, window.last, window.zone)
    earlier = _buyers(program, before)
    start = earlier.count()
    end = _buyers(program, until).count()
    kept = _buyers(program, until).filter(member__in=earlier).count()
    return metrics.retention(start, end, end - kept, window)


def repeat_rate(program: int, window: Window) -> Figure:
    """Return the share of the window's customers who bought at least twice."""
    return metrics.share(*_repeats(program, window, "member"), window)


def net_churn(program: int, early: Window, late: Window) -> Figure:
    """Return the net revenue churn of the customers of ``early``, in percent.

    See `besnik.loyalty.metrics.net_revenue_churn_of`. Its interval is that of a ratio of sums
    (W. G. Cochran, Sampling Techniques, 1977, section 2.11).
    """
    (first, early_end), (late_start, after) = moments(early), moments(late)
    lost = F("was") - F("now")
    sums = (
        with_net(
            Sale.objects.filter(
                program=program, member__isnull=False, at__gte=first, at__lt=after
            ).exclude(at__gte=early_end, at__lt=late_start)
        )
        .filter(net_minor__gt=0)
        .values("member")
        .annotate(
            was=_total("net_minor", Q(at__lt=early_end)),
            now=_total("net_minor", Q(at__gte=late_start)),
        )
        .filter(was__gt=0)
        .annotate(x=Cast("was", _REAL), y=Cast(lost, _REAL))
        .aggregate(
            n=Count("member"),
            start=Sum("was"),
            # Whoever stays away has spent nothing: what is lost is the largest contraction.
            down=_total(lost, Q(now__lt=F("was"))),
            up=_total(F("now") - F("was"), Q(now__gt=F("was"))),
            xx=Sum(F("x") * F("x")),
            xy=Sum(F("x") * F("y")),
            yy=Sum(F("y") * F("y")),
        )
    )
    n = sums["n"]
    percent = (
        metrics.net_revenue_churn(sums["start"], sums["down"], 0, sums["up"])
        if n >= metrics.LEAST_N
        else None
    )
    if percent is None:
        return Figure(None, n, window=late)
    ratio = percent / 100
    spread = max(0.0, sums["yy"] - 2 * ratio * sums["xy"] + ratio * ratio * sums["xx"])
    half = 100 * metrics.Z95 * math.sqrt(spread * n / (n - 1)) / sums["start"]
    return Figure(percent, n, percent - half, percent + half, late)


def members_and_others(program: int, window: Window) -> tuple[Figure, Figure, Difference]:
    """Return the repeat rate of members, of other buyers the till can tell apart, and how far
    they differ.
    """
    ours = _repeats(program, window, "member")
    others = _repeats(program, window, "buyer")
    return (
        metrics.share(*ours, window),
        metrics.share(*others, window),
        metrics.compare(*ours, *others),
    )


def _total(what: Any, which: Q) -> Coalesce:
    """Return the sum over the rows ``which``, 0 for none."""
    return Coalesce(Sum(what, filter=which, output_field=_BIG), Value(0, output_field=_BIG))


def _buyers(program: int, window: Window) -> QuerySet[Any, Any]:
    bought = purchases(program, window).filter(member__isnull=False)
    return bought.values("member").distinct()


def _repeats(program: int, window: Window, who: str) -> tuple[int, int]:
    """Return how many bought at least twice, and how many bought."""
    known = Q(member__isnull=False) if who == "member" else Q(member__isnull=True) & ~Q(buyer="")
    found = (
        purchases(program, window)
        .filter(known)
        .values(who)
        .annotate(times=Count("pk"))
        .aggregate(n=Count(who), twice=Count(who, filter=Q(times__gte=2)))
    )
    return found["twice"], found["n"]
