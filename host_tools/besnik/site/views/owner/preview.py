"""What the program would have cost on the sales that were, beside the one in force."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from besnik.loyalty.metrics import Window
from besnik.loyalty.preview import Preview
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import AmountOff, Reward
from besnik.loyalty.rules import WHOLE_BP
from besnik.site.access import need, staff_of
from besnik.site.owner import work
from besnik.site.owner.checks import set_currency
from besnik.site.owner.fields import AmountField, PercentField, WholeField
from besnik.site.views.owner.common import draft_of, in_force, page
from besnik.store import history
from besnik.store.measures.windows import full_months
from besnik.store.models import Role


class AskForm(forms.Form):
    """Over which months, how much of it is redeemed, and what the rewards cost the shop."""

    months = WholeField(1, 36, label=_("Months before this one"), initial=1)
    redeemed_bp = PercentField(0, label=_("Percent of it that members redeem"), initial=WHOLE_BP)

    def __init__(self, programs: list[Program], data: Any = None) -> None:
        super().__init__(data)
        self.worth = {}
        for program in programs:
            for reward in program.rewards:
                if reward.cost and not isinstance(reward.kind, AmountOff):
                    name = f"worth_{reward.id}"
                    self.worth[reward.id] = name
                    self.fields[name] = AmountField(
                        required=False,
                        label=_("What one costs you: %(title)s") % {"title": reward.title},
                    )
        set_currency(self, programs[0])


@need(Role.MANAGER, auditor=True)
@require_GET
def ask(request: HttpRequest) -> HttpResponse:
    """Ask over which months, and count; a count that takes long goes on by itself."""
    programs = [draft_of(request).program, in_force(request)]
    form = AskForm(programs, request.GET if "months" in request.GET else None)
    if not form.is_valid():
        return page(request, "preview.html", form=form)
    window = _window(programs[0], form.cleaned_data["months"])
    total = history.how_many(programs[0].id, window)

    def count(job: work.Work) -> list[Preview]:
        return history.compare(programs, window, job.told)

    started = work.start(staff_of(request).pk, total, count)
    started.wait()
    if not started.over:
        response = redirect("owner-program-counting", started.key)
        response["Location"] += f"?{request.GET.urlencode()}"
        return response
    return _result(request, form, programs, window, started)


@need(Role.MANAGER, auditor=True)
@require_GET
def counting(request: HttpRequest, key: str) -> HttpResponse:
    """Show how far the count is, and the result once it is there."""
    started = work.find(key, staff_of(request).pk)
    if started is None:
        raise Http404
    programs = [draft_of(request).program, in_force(request)]
    form = AskForm(programs, request.GET)
    if not form.is_valid():
        return page(request, "preview.html", form=form)
    if not started.over:
        response = page(request, "preview.html", form=form, running=started)
        response.headers["Refresh"] = "2"
        return response
    return _result(
        request, form, programs, _window(programs[0], form.cleaned_data["months"]), started
    )


def _result(
    request: HttpRequest,
    form: AskForm,
    programs: list[Program],
    window: Window,
    started: work.Work,
) -> HttpResponse:
    if started.failed:
        return page(request, "preview.html", status=500, form=form, failed=True)
    columns = [
        _column(program, found, form)
        for program, found in zip(programs, started.result, strict=True)
    ]
    return page(
        request,
        "preview.html",
        form=form,
        window=window,
        coming=columns[0],
        present=columns[1],
        program=programs[0],
        edited=draft_of(request).edited,
    )


def _window(program: Program, months: int) -> Window:
    """Return the last so many calendar months that are over."""
    found = full_months(months, program.today(timezone.now()), program.zone)
    return Window(found[0].first, found[-1].last, program.zone)


def _column(program: Program, found: Preview, form: AskForm) -> dict[str, Any]:
    """Return what one program would have given and cost; a unit without a price costs nothing."""
    share: int = form.cleaned_data["redeemed_bp"]
    cost, unpriced = 0, []
    for unit, amount in found.given.items():
        price = _price(program, unit, form)
        if price is None:
            unpriced.append(unit)
        else:
            minor, per = price
            cost += -(-amount * minor * share // (per * WHOLE_BP))
    turnover = found.turnover_minor
    return {
        "given": sorted(found.given.items()),
        "sales": found.sales,
        "members": found.members,
        "turnover": turnover,
        "cost": cost,
        "share": cost / turnover if turnover else None,
        "unpriced": [unit for unit in unpriced if _is_spent(program, unit)],
    }


def _price(program: Program, unit: str, form: AskForm) -> tuple[int, int] | None:
    """Return the dearest use of a unit: so many minor units for so many of it."""
    if unit == program.currency.code:
        return 1, 1
    rates = [
        (minor, reward.cost)
        for reward in program.rewards
        if reward.unit == unit and reward.cost and (minor := _worth(reward, form)) is not None
    ]
    return max(rates, key=lambda rate: rate[0] / rate[1], default=None)


def _worth(reward: Reward, form: AskForm) -> int | None:
    if isinstance(reward.kind, AmountOff):
        return reward.kind.amount_minor
    worth: int | None = form.cleaned_data.get(form.worth.get(reward.id, ""))
    return worth


def _is_spent(program: Program, unit: str) -> bool:
    return any(reward.unit == unit and reward.cost for reward in program.rewards)
