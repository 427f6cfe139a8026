"""A program to begin with: what fits the trade, and how often people buy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from besnik.loyalty.program import Program
from besnik.loyalty.templates import TEMPLATES as MAKERS
from besnik.loyalty.templates import TRADES as MODEL_OF
from besnik.loyalty.templates import Basis, Model, advise
from besnik.site.access import need
from besnik.site.owner import say
from besnik.site.owner.fields import WholeField
from besnik.site.owner.words import MODELS, TEMPLATES, TRADES
from besnik.site.views.owner.common import in_force, keep, page
from besnik.store import drafts
from besnik.store.models import Role


class AskForm(forms.Form):
    """What kind of shop it is."""

    trade = forms.ChoiceField(
        label=_("What kind of shop is it?"),
        required=False,
        choices=[("", _("another one")), *TRADES.items()],
    )
    interval = WholeField(
        1,
        3_650,
        required=False,
        label=_("A customer buys about every … days"),
        help_text=_("1 for a bakery, 30 for a hairdresser, 200 for a hotel."),
    )


@need(Role.MANAGER, auditor=True)
@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """Ask for the trade and the interval, recommend, and show every template in words."""
    form = AskForm(request.GET or None)
    advised = _advice(form.cleaned_data) if request.GET and form.is_valid() else ()
    chosen = [_choice(request, key, advised) for key in TEMPLATES]
    chosen.sort(key=lambda one: one["rank"])
    return page(
        request,
        "templates.html",
        form=form,
        advised=[MODELS[model] for model in advised],
        choices=chosen,
    )


@need(Role.MANAGER)
@require_POST
def take(request: HttpRequest, template: str) -> HttpResponse:
    """Make the draft from a template; name, currency, zone and what members have stay."""
    if template not in TEMPLATES:
        raise Http404
    keep(request, _made(request, template))
    return redirect("owner-program")


def _advice(given: dict[str, Any]) -> tuple[Model, ...]:
    """Return the models that fit: by how often people buy, else by the trade."""
    if given["interval"]:
        return advise(given["interval"])
    return (MODEL_OF[given["trade"]],) if given["trade"] else ()


def _choice(request: HttpRequest, key: str, advised: tuple[Model, ...]) -> dict[str, Any]:
    model, title = TEMPLATES[key]
    models: list[str] = list(advised)
    rank = models.index(model) if model in models else len(models)
    return {
        "key": key,
        "title": title,
        "model": MODELS[model],
        "rank": rank,
        "fits": rank < len(models),
        "lines": say.sentences(_made(request, key)),
    }


def _made(request: HttpRequest, key: str) -> Program:
    """Return the template as a change of the program in force: its rules are new ones."""
    before = in_force(request)
    today = before.today(timezone.now())
    basis = Basis(before.id, before.name, today, before.currency.code, before.zone)
    return drafts.from_template(MAKERS[key](basis), before, timezone.now())
