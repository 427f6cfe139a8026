"""How an action is answered: a script gets the stage or the sheet alone, a form whole pages."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render

from besnik.site.cashier.context import till_context
from besnik.site.cashier.done import Done
from besnik.site.cashier.serving import Serving
from besnik.site.hub import hub
from besnik.store.models import Member, Reader

_PAGE = "site/cashier.html"


def is_scripted(request: HttpRequest) -> bool:
    """Tell whether a script asks, which puts the answer into the page itself."""
    return request.headers.get("X-Requested-With") == "fetch"


def stage(request: HttpRequest, serving: Serving, done: Done | None = None) -> HttpResponse:
    """Show the member who is served, and what was done."""
    context = _context(request, serving, done)
    template = "site/_stage.html" if is_scripted(request) else _PAGE
    return render(request, template, context)


def page_with(request: HttpRequest, serving: Serving, more: dict[str, Any]) -> HttpResponse:
    """Show the whole page with something more on it."""
    return render(request, _PAGE, _context(request, serving) | more)


def was_done(request: HttpRequest, serving: Serving, done: Done) -> HttpResponse:
    """Answer an action that was done, and wake the other screens of the till."""
    for reader in Reader.objects.filter(till=serving.till).values_list("slug", flat=True):
        hub.poke(reader)
    member = Member.objects.filter(ref=done.member).first() if done.member else None
    by = serving.by if member == serving.member else ""
    shown = serving._replace(member=member, by=by)
    request.session["done"] = {**msgspec.to_builtins(done), "till": serving.till.slug}
    if is_scripted(request):
        return stage(request, shown, done)
    where = serving.till.shop.slug, serving.till.slug
    if member is None:
        return redirect("cashier", *where)
    return redirect("cashier-member", *where, member.ref)


def sheet(
    request: HttpRequest, serving: Serving, template: str, asked: dict[str, Any]
) -> HttpResponse:
    """Show a sheet, over the desk or again with what is wrong in it."""
    status = 422 if request.method == "POST" else 200
    context = _context(request, serving) | asked
    if is_scripted(request):
        # Browsers report anything but 200 as an error, and a mistyped amount is none.
        return render(request, template, context)
    return render(request, _PAGE, context | {"panel": template}, status=status)


def _context(request: HttpRequest, serving: Serving, done: Done | None = None) -> dict[str, Any]:
    return till_context(
        serving.till,
        serving.staff,
        get_token(request),
        served=serving.member,
        by=serving.by,
        done=done or _before(request, serving.till.slug),
    )


def _before(request: HttpRequest, till: str) -> Done | None:
    """Return what a whole page says of what was done before it was opened, or opened again.

    As long as that can be taken back, so that a page that is loaded anew has its button still; of
    what cannot, once.
    """
    if is_scripted(request) or "done" not in request.session:
        return None
    done = msgspec.convert(request.session["done"], Done)
    if not done.undo_s:
        del request.session["done"]
    is_over = bool(done.undo) and not done.undo_s
    return None if is_over or done.till != till else done
