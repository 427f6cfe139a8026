"""The cashier's page of one till, its event stream, and enrolment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_GET, require_POST

from besnik.site import streams
from besnik.site.board import Board, board
from besnik.site.forms import EnrolForm
from besnik.site.hub import hub
from besnik.store.models import Reader, Tap, Till


class _Source(NamedTuple):
    """The tap whose card is to be enrolled: its row, the card's upper-case hex, what was found."""

    id: int
    uid: str
    finding: str


@require_GET
def page(request: HttpRequest, shop: str, till: str) -> HttpResponse:
    """Show a till's screen."""
    place = get_till(shop, till)
    return render(request, "site/cashier.html", till_context(place, get_token(request)))


@require_GET
async def events(request: HttpRequest, shop: str, till: str) -> StreamingHttpResponse:
    """Stream a till's screen: ``board`` when there is something new, ``link`` for its readers."""
    place, readers = await streams.in_thread(_till_and_readers, shop, till)
    language = translation.get_language() or "en"
    return streams.stream(_watch(place, readers, language, get_token(request)))


@require_POST
def enrol(request: HttpRequest, shop: str, till: str, tap: int) -> HttpResponse:
    """Enrol the card of a tap at this till; what cannot be used is shown with what was typed.

    A script (``X-Requested-With: fetch``) gets the form alone, or a line that says it is done,
    both with 200: browsers report anything else as an error. Without script: whole pages.
    """
    place = get_till(shop, till)
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
    asked_again = {"form": form, "source": _Source(source.pk, source.data, source.finding)}
    context = till_context(place, get_token(request)) | asked_again
    if scripted:
        return render(request, "site/_enrol.html", context)
    return render(request, "site/cashier.html", context, status=422)


def get_till(shop: str, till: str) -> Till:
    """Return the till by its shop's slug and its own, or answer 404."""
    return get_object_or_404(
        Till.objects.select_related("shop__program"), shop__slug=shop, slug=till
    )


def till_context(till: Till, csrf_token: str) -> dict[str, Any]:
    """Return what the templates of a till's screen need."""
    shown = board(till)
    tap = shown.tap if shown.view == "new" else None
    return {
        "till": till,
        "board": shown,
        "source": _Source(tap.id, shown.uid, tap.finding) if tap else None,
        "form": EnrolForm(),
        "stream": reverse("cashier-events", args=[till.shop.slug, till.slug]),
        "csrf_token": csrf_token,
    }


def _till_and_readers(shop: str, till: str) -> tuple[Till, frozenset[str]]:
    place = get_till(shop, till)
    return place, frozenset(Reader.objects.filter(till=place).values_list("slug", flat=True))


async def _watch(
    till: Till, readers: frozenset[str], language: str, csrf_token: str
) -> AsyncIterator[bytes]:
    said_key = said_link = ""
    with hub.watch(readers) as watch:
        while not hub.closing:
            link = _link(readers)
            if link != said_link:
                yield streams.event("link", link)
                said_link = link
            key, html = await streams.in_thread(_render, till, language, csrf_token, said_key)
            if key != said_key:
                yield streams.event("board", html)
                said_key = key
            if not await watch.news(streams.BEAT_S):
                yield streams.BEAT


def _link(readers: frozenset[str]) -> str:
    """Return ``live``, ``reader`` (a reader is off line) or ``broker`` (we see nothing)."""
    if not hub.connected:
        return "broker"
    return "live" if all(map(hub.reader_online, readers)) else "reader"


def _render(till: Till, language: str, csrf_token: str, said_key: str) -> tuple[str, str]:
    context = till_context(till, csrf_token)
    shown: Board = context["board"]
    if shown.key == said_key:
        return said_key, ""
    with translation.override(language):
        return shown.key, render_to_string("site/_board.html", context)
