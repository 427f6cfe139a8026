"""The counter page: the virtual reader, its light and sound, and what to hold to it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_GET, require_POST

from besnik.sim.control import ControlError
from besnik.sim.signals import Recogniser, Seen
from besnik.site import counter, signals, streams
from besnik.site.access import public
from besnik.site.hub import hub


@public
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Show the counter; 404 where there is none."""
    _socket()
    return render(request, "site/counter.html")


@public
@require_GET
async def events(_request: HttpRequest) -> StreamingHttpResponse:
    """Stream what happens at the counter, as `Teller` puts it."""
    language = translation.get_language() or "en"
    return streams.stream(_watch(_socket(), Teller(language)))


@public
@require_POST
async def move(request: HttpRequest, card: str) -> JsonResponse:
    """Hold a card to the reader (``present=yes``) or take it away (``present=no``)."""
    wanted = request.POST.get("present")
    if wanted not in ("yes", "no"):
        return JsonResponse({"error": f"present = {wanted!r}: must be yes or no"}, status=400)
    try:
        await counter.move(_socket(), card, present=wanted == "yes")
    except (ControlError, TimeoutError) as error:
        return JsonResponse({"error": str(error) or "the counter does not answer"}, status=503)
    return JsonResponse({"card": card, "present": wanted == "yes"})


class Teller:
    """Turns the counter's feed into what one page, in one language, is told.

    ``link`` (live, off: no reader runs, away: no counter), ``tray`` (the cards as HTML), ``pins``
    (all of them now), ``pin``, ``tone`` and ``card`` (as `besnik.sim.control.Event`), ``signal``
    (a recognised signal as HTML).
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._link = ""
        self._recogniser = Recogniser()

    def tell(self, event: dict[str, Any]) -> list[bytes]:
        """Return the page's events for one event of the feed."""
        with translation.override(self._language):
            return self._tell(event)

    def _tell(self, event: dict[str, Any]) -> list[bytes]:
        match event["ev"]:
            case "away":
                return self._set_link("away")
            case "cards":
                return [streams.event("tray", _tray(event["cards"]))]
            case "state":
                self._recogniser = Recogniser()
                self._recogniser.feed(event)
                connected = self._set_connected(event["state"]["connected"])
                return [*connected, streams.event("pins", event["state"]["pins"])]
            case "tick":
                return self._set_connected(event["connected"])
            case "tone":
                told = streams.event("tone", event | {"text": signals.pitch(event["hz"])})
            case kind:
                told = streams.event(kind, event)
        return [told, *self._signals(self._recogniser.feed(event))]

    def _set_connected(self, connected: bool) -> list[bytes]:
        return self._set_link("live" if connected else "off")

    def _set_link(self, link: str) -> list[bytes]:
        if link == self._link:
            return []
        self._link = link
        return [streams.event("link", link)]

    def _signals(self, seen: list[Seen]) -> list[bytes]:
        return [
            streams.event(
                "signal",
                render_to_string(
                    "site/_signal.html",
                    {"seen": one, "text": signals.name(one), "parts": signals.parts(one)},
                ),
            )
            for one in seen
        ]


def _in_words(label: str) -> str:
    return translation.gettext(label)


def _tray(cards: list[dict[str, Any]]) -> str:
    named = [card | {"text": _in_words(card["label"])} for card in cards]
    return render_to_string("site/_tray.html", {"cards": named})


async def _watch(path: str, teller: Teller) -> AsyncIterator[bytes]:
    said_at = time.monotonic()
    async for event in counter.feed(path):
        if hub.closing:
            return
        lines = teller.tell(event)
        if not lines and time.monotonic() - said_at > streams.BEAT_S:
            lines = [streams.BEAT]
        for line in lines:
            said_at = time.monotonic()
            yield line


def _socket() -> str:
    path: str = settings.BESNIK.site.counter_socket
    if not path:
        raise Http404
    return path
