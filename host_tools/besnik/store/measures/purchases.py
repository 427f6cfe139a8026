"""Purchases that were not given back: who bought, how often, for how much.

A sale counts with what is left of it: a receipt that came back whole is no purchase.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, Least

from besnik.loyalty import metrics
from besnik.loyalty.metrics import Difference, Figure, Window
from besnik.store.measures.windows import moments
from besnik.store.models import Sale, SaleReturn

_BIG = BigIntegerField()


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
    )
    found: QuerySet[Any] = sales.annotate(net_minor=F("amount_minor") - returned)
    return found


def turnover(program: int, window: Window) -> Turnover:
    """Return how much was bought in the window, by members and others."""
    found = purchases(program, window).aggregate(
        purchases=Count("pk"),
        amount_minor=Coalesce(Sum("net_minor"), 0),
        members=Count("member", distinct=True),
        with_card=Count("pk", filter=Q(member__isnull=False)),
    )
    return Turnover(**found)


def by_shop(program: int, window: Window) -> list[ShopLine]:
    """Return the window's purchases shop by shop, the largest first."""
    rows = (
        purchases(program, window)
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


def net_churn(program: int, early: Window, late: Window) -> tuple[float | None, int]:
    """Return the net revenue churn of the customers of ``early``, in percent, and their number.

    See `besnik.loyalty.metrics.net_revenue_churn_of`.
    """
    (first, _), (middle, after) = moments(early), moments(late)
    sales = with_net(
        Sale.objects.filter(
            program=program, member__isnull=False, at__gte=first, at__lt=after
        ).exclude(at__gte=moments(early)[1], at__lt=middle)
    )
    zero = Value(0, output_field=_BIG)
    spent = (
        sales.filter(net_minor__gt=0)
        .values("member")
        .annotate(
            was=Coalesce(Sum("net_minor", filter=Q(at__lt=moments(early)[1])), zero),
            now=Coalesce(Sum("net_minor", filter=Q(at__gte=middle)), zero),
        )
        .filter(was__gt=0)
        .annotate(down=Greatest(F("was") - F("now"), zero), up=Least(F("was") - F("now"), zero))
        .aggregate(n=Count("member"), start=Sum("was"), down=Sum("down"), up=Sum("up"))
    )
    n = spent["n"]
    if n < metrics.LEAST_N:
        return None, n
    # Whoever stays away has spent nothing: lost is the largest contraction.
    return metrics.net_revenue_churn(spent["start"], spent["down"], 0, -spent["up"]), n


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
