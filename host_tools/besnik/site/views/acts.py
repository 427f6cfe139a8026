"""What a cashier does for a member: each is a sheet that is shown (GET) and sent (POST)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from besnik.site import formats
from besnik.site.access import need
from besnik.site.cashier import answers, correcting, spending
from besnik.site.cashier.cards import ReplaceSheet
from besnik.site.cashier.correcting import MoveSheet, RefundSheet, ReverseSheet
from besnik.site.cashier.done import Done
from besnik.site.cashier.giving import GoodwillSheet
from besnik.site.cashier.serving import Serving, serving
from besnik.site.cashier.sheet import Sheet
from besnik.site.cashier.spending import PaySheet, RedeemSheet, TopUpSheet
from besnik.store import audit
from besnik.store.models import Role
from besnik.store.till import TillError

_PANEL = "site/_panel.html"
_View = Callable[..., HttpResponse]


def _act(url: str, kind: type[Sheet]) -> _View:
    """Return the view of a sheet; ``url`` is its page's name."""

    @need(Role.CASHIER)
    @require_http_methods(["GET", "POST"])
    def view(request: HttpRequest, shop: str, till: str, member: str) -> HttpResponse:
        served = serving(request, shop, till, member)
        if request.method == "GET":
            return _show(request, served, url, kind(served))
        form = kind(served, request.POST)
        done = form.done(key_of(request))
        if done is not None:
            _note(request, served, url, done)
            return answers.was_done(request, served, done)
        return _show(request, served, url, form)

    view.__doc__ = kind.__doc__
    return view


def _show(request: HttpRequest, served: Serving, url: str, form: Sheet) -> HttpResponse:
    assert served.member is not None
    asked = {
        "form": form,
        "panel_url": reverse(
            url, args=[served.till.shop.slug, served.till.slug, served.member.ref]
        ),
        "panel_title": form.title,
        "panel_hint": form.hint,
        "panel_do": form.submit,
        "by": served.by,
    }
    return answers.sheet(request, served, _PANEL, asked)


def key_of(request: HttpRequest) -> str:
    """Return the key of the sheet that was sent; one without is done by itself."""
    return request.POST.get("key", "")[:80] or secrets.token_hex(8)


def _note(request: HttpRequest, served: Serving, url: str, done: Done) -> None:
    """Write into the audit log who did what to whom, at which till."""
    audit.record(
        served.staff,
        f"till.{url.partition('-')[2]}",
        done.member,
        till=served.till.slug,
        key=key_of(request),
        undo=done.undo,
    )


def _at_once(url: str, work: Callable[[Serving, str, str], Done], field: str) -> _View:
    """Return the view of something that is done by one press; ``field`` names what it is about."""

    @need(Role.CASHIER)
    @require_POST
    def view(request: HttpRequest, shop: str, till: str, member: str = "") -> HttpResponse:
        served = serving(request, shop, till, member)
        try:
            done = work(served, request.POST.get(field, ""), key_of(request))
        except TillError as refused:
            return _refused(request, served, refused)
        _note(request, served, url, done)
        return answers.was_done(request, served, done)

    view.__doc__ = work.__doc__
    return view


def _refused(request: HttpRequest, served: Serving, refused: TillError) -> HttpResponse:
    text = refused.said(formats.number)
    return answers.sheet(request, served, "site/_refused.html", {"refused": text})


redeem = _act("cashier-redeem", RedeemSheet)
topup = _act("cashier-topup", TopUpSheet)
pay = _act("cashier-pay", PaySheet)
goodwill = _act("cashier-goodwill", GoodwillSheet)
refund = _act("cashier-refund", RefundSheet)
move = _act("cashier-move", MoveSheet)
reverse_later = _act("cashier-reverse", ReverseSheet)
replace = _act("cashier-replace", ReplaceSheet)
# A chip is the redeem sheet with its reward filled in: refused, it asks for what is missing.
hold = _act("cashier-redeem", RedeemSheet)
commit = _at_once("cashier-commit", spending.commit, "hold")
release = _at_once("cashier-release", spending.release, "hold")
undo = _at_once("cashier-undo", correcting.undo, "what")
