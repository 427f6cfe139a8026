"""The cashier's page of one till, its event stream, and enrolment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from besnik.site import streams
from besnik.site.access import need, staff_of
from besnik.site.forms import EnrolForm
from besnik.site.hub import hub
from besnik.site.screen import LOOK_S, TillScreen
from besnik.site.till import Source, get_till, till_context
from besnik.store.models import Role, Staff, Tap


@need(Role.CASHIER, auditor=True)
@require_GET
def page(request: HttpRequest, shop: str, till: str) -> HttpResponse:
    """Show a till's screen."""
    place = get_till(staff_of(request), shop, till)
    return render(request, "site/cashier.html", till_context(place, get_token(request)))


@need(Role.CASHIER, auditor=True)
@require_GET
async def events(request: HttpRequest, shop: str, till: str) -> StreamingHttpResponse:
    """Stream a till's screen: ``board`` when there is something new, ``link`` for how current.

    ``?after=`` names the newest tap the page knows from before: its first board then has
    everything since.
    """
    where = staff_of(request), shop, till
    await _exists(where)
    after = request.GET.get("after", "")
    known = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    return streams.stream(_watch(where, get_token(request), known))


@need(Role.CASHIER)
@require_POST
def enrol(request: HttpRequest, shop: str, till: str, tap: int) -> HttpResponse:
    """Enrol the card of a tap at this till; what cannot be used is shown with what was typed.

    A script (``X-Requested-With: fetch``) gets the form alone, or a line that says it is done,
    both with 200: browsers report anything else as an error. Without script: whole pages.
    """
    place = get_till(staff_of(request), shop, till)
    source = get_object_or_404(
        Tap.objects.select_related("reader"), pk=tap, reader__till=place, reason="unknown"
    )
    form = EnrolForm(request.POST)
    scripted = request.headers.get("X-Requested-With") == "fetch"
    member = form.enrol(source)
    if member is not None:
        hub.poke(source.reader.slug)
        if scripted:
            return render(request, "site/_enrolled.html", {"member": member})
        return redirect("cashier", shop, till)
    asked_again = {"form": form, "source": Source(source.pk, source.data, source.finding)}
    context = till_context(place, get_token(request)) | asked_again
    if scripted:
        return render(request, "site/_enrol.html", context)
    return render(request, "site/cashier.html", context, status=422)


async def _exists(where: tuple[Staff, str, str]) -> None:
    """Answer 404 for a till that is not there; a database that is away is the stream's to tell."""
    with contextlib.suppress(DatabaseAway, TimeoutError):
        await asyncio.wait_for(streams.in_thread(get_till, *where), streams.BEAT_S)


async def _watch(
    where: tuple[Staff, str, str], csrf_token: str, after: int | None
) -> AsyncIterator[bytes]:
    with hub.watch(frozenset()) as watch:
        screen = TillScreen(watch, where, csrf_token=csrf_token, after=after)
        async for line in streams.live(watch, screen.look, screen.link, LOOK_S):
            yield line
