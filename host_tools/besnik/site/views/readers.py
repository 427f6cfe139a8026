"""The owner's page of readers, its event stream, and the page of one reader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_GET

from besnik.site import fleet as readers
from besnik.site import reader_history, streams
from besnik.site.access import need, readers_of, staff_of
from besnik.site.fleet import ReaderLine, fleet, summary
from besnik.site.hub import hub
from besnik.site.views.owner.common import page as owner_page
from besnik.store.models import Role, Staff

# The bridge writes what readers say at most once a second, a little after the site heard it.
LOOK_S = 2.0
# With hundreds of readers there is news at any time, and a look at all of them takes a while.
REST_S = 1.0
# What is said of times ("3 minutes ago") is drawn anew so often.
AGES_S = 30


@need(Role.MANAGER, auditor=True)
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Show every reader, how it does and what to do about it."""
    return render(request, "site/readers.html", _context(fleet(staff_of(request), timezone.now())))


@need(Role.MANAGER, auditor=True)
@require_GET
async def events(request: HttpRequest) -> StreamingHttpResponse:
    """Stream the page: ``list`` (all of it), or ``reader``, ``summary`` and ``map``; ``link``."""
    screen = ReadersScreen(staff_of(request), translation.get_language() or "en")
    return streams.stream(_watch(screen))


@need(Role.MANAGER, auditor=True)
@require_GET
def one(request: HttpRequest, reader: str) -> HttpResponse:
    """Show one reader, and what it did in the hours and days before."""
    now = timezone.now()
    line = readers.one(staff_of(request), reader, now)
    if line is None:
        raise Http404
    row = readers_of(staff_of(request)).get(slug=reader)
    return owner_page(
        request,
        "reader.html",
        reader=line,
        signal=reader_history.signal(row, now),
        taps=reader_history.taps(row, now),
        days=reader_history.days(row, now),
    )


class ReadersScreen:
    """What one person's page of readers, in one language, is told.

    ``look`` is that of `streams.live`.
    """

    def __init__(self, staff: Staff, language: str) -> None:
        self._staff = staff
        self._language = language
        self._said: dict[str, tuple[Any, ...]] | None = None

    def look(self) -> list[bytes]:
        """Return the events that make the page current: the readers that changed, or the list."""
        now = timezone.now()
        lines = fleet(self._staff, now)
        before, self._said = self._said, {line.slug: _key(line, now) for line in lines}
        with translation.override(self._language):
            if before is None or list(before) != list(self._said):
                return [
                    streams.event("list", render_to_string("site/_readers.html", _context(lines)))
                ]
            news = [line for line in lines if before[line.slug] != self._said[line.slug]]
            told = [streams.event("reader", _article(line)) for line in news]
            if not told:
                return []
            return [
                *told,
                streams.event("summary", _summary(lines)),
                streams.event("map", render_to_string("site/_readers_map.html", _context(lines))),
            ]


def _key(line: ReaderLine, now: Any) -> tuple[Any, ...]:
    """Return what changes with anything that is said of a reader."""
    at = line.health.at if line.health else None
    firmware = (line.info.firmware, line.info.since) if line.info else None
    texts = (line.name, line.till, line.shop, line.state, line.faults, line.since)
    update = line.update.words if line.update else None
    return (*texts, line.last_tap, at, firmware, update, int(now.timestamp() // AGES_S))


def _context(lines: list[ReaderLine]) -> dict[str, Any]:
    return {"readers": lines, "summary": summary(lines)}


def _article(line: ReaderLine) -> str:
    return render_to_string("site/_reader.html", {"reader": line})


def _summary(lines: list[ReaderLine]) -> str:
    return render_to_string("site/_readers_summary.html", {"summary": summary(lines)})


async def _watch(screen: ReadersScreen) -> AsyncIterator[bytes]:
    with hub.watch(None) as watch:
        async for line in streams.live(watch, screen.look, lambda: hub.sight, LOOK_S, REST_S):
            yield line
