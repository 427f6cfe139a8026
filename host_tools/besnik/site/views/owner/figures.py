"""The figures of the shop: each with its window, its number and its interval."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language_bidi, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from besnik.loyalty.metrics import Window
from besnik.loyalty.program import Program
from besnik.site import figures, formats
from besnik.site.access import need, shops
from besnik.site.owner import charts, report
from besnik.site.owner.fields import DayField, WholeField
from besnik.site.owner.sheets import Cell, sheet
from besnik.site.views.owner.common import in_force, page
from besnik.store.measures import purchases
from besnik.store.measures.windows import last_days, moments
from besnik.store.models import Role, Tap

# What books on loyalty claim of 5 % more retention (Reichheld and Sasser, HBR 1990: 25 to 85 %,
# told on as up to 100 %).
CLAIM_PER: Final = 5
CLAIM_PERCENT: Final = (25, 100)


class AskForm(forms.Form):
    """Over which days."""

    first = DayField(required=False, label=gettext_lazy("From"))
    last = DayField(required=False, label=gettext_lazy("to"))
    lost = WholeField(
        7,
        1_000,
        required=False,
        label=gettext_lazy("Lost after days without a purchase"),
    )


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the figures as pictures and as a table."""
    program = in_force(request)
    form, window, lost = _asked(request, program)
    lines = report.lines(program, window, lost)
    known = report.months(program, program.today(timezone.now()))
    forecast = report.forecast(program, known)
    return page(
        request,
        "figures.html",
        form=form,
        program=program,
        window=window,
        lines=[_shown(line, program) for line in lines],
        forecast=_shown(forecast, program) if forecast else None,
        months=_months_chart(program, known, forecast),
        shares=_shares(lines),
        shops=purchases.by_shop(program.id, window, shops(request)),
        total=purchases.turnover(program.id, window, shops(request)),
        visits=Tap.objects.filter(
            reader__shop__in=shops(request),
            outcome="accepted",
            received_at__range=moments(window),
        ).count(),
        claim=_claim(request),
        query=request.GET.urlencode(),
    )


@need(Role.MANAGER, auditor=True)
@require_GET
def download(request: HttpRequest) -> StreamingHttpResponse:
    """Send the figures as a sheet."""
    program = in_force(request)
    _form, window, lost = _asked(request, program)
    known = report.months(program, program.today(timezone.now()))
    found = report.lines(program, window, lost)
    forecast = report.forecast(program, known)
    header = (
        *("figure", "name", "value", "unit", "low_95", "high_95", "n", "n_of"),
        *("first_day", "last_day", "time_zone"),
    )
    lines = [*found, forecast] if forecast else found
    places: list[tuple[Cell, ...]] = [
        (
            "turnover",
            shop.shop,
            *_plain(shop.amount_minor, program),
            None,
            None,
            shop.purchases,
            "purchases",
            *_days(window),
        )
        for shop in purchases.by_shop(program.id, window, shops(request))
    ]
    return sheet("figures.csv", header, [[*(_row(line, program) for line in lines), *places]])


def _asked(request: HttpRequest, program: Program) -> tuple[AskForm, Window, int]:
    today = program.today(timezone.now())
    usual = last_days(90, today, program.zone)
    form = AskForm(request.GET if "first" in request.GET else None)
    given: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    first, last = given.get("first") or usual.first, given.get("last") or usual.last
    if first > last:
        form.add_error("last", _("The last day is before the first."))
        first, last = usual.first, usual.last
    lost = given.get("lost") or 90
    form.initial = {"first": first, "last": last, "lost": lost}
    return form, Window(first, last, program.zone), lost


def _shown(line: report.Line, program: Program) -> dict[str, Any]:
    return {
        "line": line,
        "value": _text(line, line.value, program),
        "low": _text(line, line.low, program),
        "high": _text(line, line.high, program),
    }


def _text(line: report.Line, value: float | None, program: Program) -> str:
    if value is None:
        return ""
    match line.kind:
        case "percent":
            return formats.percent(_share(value))
        case "percent_points":
            return _("%(points)s percentage points") % {
                "points": formats.number(formats.rounded(_decimal(value), 1), 1, signed=True)
            }
        case "amount" | "forecast":
            return figures.amount(round(value), program.currency)
        case "days":
            return figures.points(round(value), "day")
    return formats.number(round(value))


def _decimal(value: float) -> Decimal:
    return Decimal(repr(round(value, 6)))


def _share(percent: float) -> Decimal:
    return _decimal(percent) / 100


def _months_chart(
    program: Program, known: list[report.Month], forecast: report.Line | None
) -> charts.Columns | None:
    if not any(month.turnover.purchases for month in known):
        return None
    columns = [
        charts.Column(
            formats.day(month.window.first),
            month.turnover.amount_minor,
            figures.amount(month.turnover.amount_minor, program.currency),
        )
        for month in known
    ]
    if forecast is not None:
        columns.append(
            charts.Column(
                _("forecast"),
                forecast.value or 0,
                _text(forecast, forecast.value, program),
                forecast.low,
                forecast.high,
            )
        )
    most = max(max(column.value, column.high or 0) for column in columns)
    scale = [
        (step, figures.amount(round(step), program.currency, short=True))
        for step in charts.steps(most)
    ]
    return charts.columns(_("Turnover by month"), columns, scale, rtl=bool(get_language_bidi()))


def _shares(lines: list[report.Line]) -> list[charts.Share]:
    return [
        charts.Share(
            line.label,
            formats.percent(_share(line.value)),
            line.value,
            line.low or 0.0,
            line.high if line.high is not None else 100.0,
        )
        for line in lines
        if line.kind == "percent" and line.value is not None and line.key != "net_churn"
    ]


def _claim(request: HttpRequest) -> dict[str, int]:
    """Return what is claimed of so many percent more retention."""
    typed = request.GET.get("more", "")
    more = min(20, int(typed)) if typed.isdecimal() else CLAIM_PER
    low, high = (percent * more // CLAIM_PER for percent in CLAIM_PERCENT)
    per_low, per_high = CLAIM_PERCENT
    claim = {"more": more, "low": low, "high": high, "per": CLAIM_PER}
    return {**claim, "per_low": per_low, "per_high": per_high}


def _days(window: Window) -> tuple[str, str, str]:
    return window.first.isoformat(), window.last.isoformat(), window.zone


def _row(line: report.Line, program: Program) -> tuple[Cell, ...]:
    value, unit = line.value, {"percent": "%", "percent_points": "pp"}.get(line.kind, line.kind)
    low, high = line.low, line.high
    if line.kind in ("amount", "forecast"):
        scale = 10**program.currency.exponent
        value, low, high = (None if one is None else one / scale for one in (value, low, high))
        unit = program.currency.code
    cells = (_rounded(value), unit, _rounded(low), _rounded(high))
    return (line.key, line.label, *cells, line.n, line.of, *_days(line.window))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _plain(amount_minor: int, program: Program) -> tuple[Cell, Cell]:
    return amount_minor / 10**program.currency.exponent, program.currency.code
