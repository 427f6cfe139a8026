"""The cashier's page of one till, a member on it, and its event stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.views.decorators.http import require_GET

from besnik.site import streams
from besnik.site.access import need, staff_of
from besnik.site.cashier import answers
from besnik.site.cashier.serving import serving
from besnik.site.hub import hub
from besnik.site.screen import LOOK_S, TillScreen
from besnik.site.till import get_till
from besnik.store.models import Role, Staff


@need(Role.CASHIER, auditor=True)
@require_GET
def page(request: HttpRequest, shop: str, till: str) -> HttpResponse:
    """Show a till's screen."""
    return answers.stage(request, serving(request, shop, till))


@need(Role.CASHIER, auditor=True)
@require_GET
def member(request: HttpRequest, shop: str, till: str, member: str) -> HttpResponse:
    """Show a till's screen with a member who was found."""
    return answers.stage(request, serving(request, shop, till, member))


@need(Role.CASHIER, auditor=True)
@require_GET
async def events(request: HttpRequest, shop: str, till: str) -> StreamingHttpResponse:
    """Stream a till's screen: ``board`` when there is something new, ``link`` for how current.

    ``?after=`` names the newest tap the page knows from before: its first board then has
    everything since.
    """
    where = staff_of(request), shop, till
    await exists(where)
    after = request.GET.get("after", "")
    known = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    return streams.stream(_watch(where, get_token(request), known))


async def exists(where: tuple[Staff, str, str]) -> None:
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
