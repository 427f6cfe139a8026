"""A purchase at the till: what it would earn, and recording it, with or without a member."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from besnik.site import figures, formats
from besnik.site.access import need
from besnik.site.cashier import answers
from besnik.site.cashier.buying import Typed, UnsureError, ahead, buy, join
from besnik.site.cashier.menu import CASH
from besnik.site.cashier.serving import Serving, serving
from besnik.site.views.acts import key_of
from besnik.store.models import Role
from besnik.store.till import TillError

_SHEET = "site/_sell_again.html"


@need(Role.CASHIER)
@require_GET
def preview(request: HttpRequest, shop: str, till: str, member: str) -> JsonResponse:
    """Answer with ``text``, what the typed amount would earn; ``tone`` wrong if it is none."""
    served = serving(request, shop, till, member)
    typed = Typed(request.GET.get("amount", "")[:40], request.GET.get("tender", CASH))
    said = ahead(served, typed)
    return JsonResponse({"text": said.text, "tone": said.tone})


@need(Role.CASHIER)
@require_POST
def purchase(request: HttpRequest, shop: str, till: str, member: str = "") -> HttpResponse:
    """Record a purchase; without a member it waits for the next card."""
    served = serving(request, shop, till, member)
    typed = Typed(
        request.POST.get("amount", "")[:40],
        request.POST.get("tender", CASH),
        tuple(request.POST.getlist("hold")[:8]),
        request.POST.get("sure", ""),
    )
    try:
        done = buy(served, typed, key_of(request))
    except (figures.TypedError, TillError) as wrong:
        return _again(request, served, typed, {"wrong": str(wrong)})
    except UnsureError as unsure:
        slip = figures.parse_typed_amount(typed.amount, served.currency)
        return _again(request, served, typed, {"wrong": str(unsure), "slip": slip})
    return answers.was_done(request, served, done)


@need(Role.CASHIER)
@require_POST
def attach(request: HttpRequest, shop: str, till: str, member: str) -> HttpResponse:
    """Give the purchase that waits for a card to the member whose card was held to the reader."""
    served = serving(request, shop, till, member)
    try:
        done = join(served, request.POST.get("receipt", ""), key_of(request))
    except TillError as refused:
        text = refused.said(formats.number)
        return answers.sheet(request, served, "site/_refused.html", {"refused": text})
    return answers.was_done(request, served, done)


def _again(
    request: HttpRequest, served: Serving, typed: Typed, said: dict[str, Any]
) -> HttpResponse:
    asked = {"typed": typed.amount, "tender_chosen": typed.tender, "by": served.by, **said}
    return answers.sheet(request, served, _SHEET, asked)
