"""The other side of the till: what the customer sees, in their own language, without history."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from besnik.site import streams
from besnik.site.access import need, staff_of
from besnik.site.hub import hub
from besnik.site.screen import LOOK_S, CustomerScreen
from besnik.site.till import get_till
from besnik.site.views.cashier import exists
from besnik.store.models import Role, Staff


@need(Role.CASHIER, auditor=True)
@require_GET
def page(request: HttpRequest, shop: str, till: str) -> HttpResponse:
    """Show the customer's side; what is on it comes by the stream."""
    place = get_till(staff_of(request), shop, till)
    stream = reverse("customer-events", args=[shop, till])
    return render(request, "site/customer.html", {"till": place, "stream": stream})


@need(Role.CASHIER, auditor=True)
@require_GET
async def events(request: HttpRequest, shop: str, till: str) -> StreamingHttpResponse:
    """Stream the customer's side: ``board`` when it changes, ``link`` for how current it is."""
    where = staff_of(request), shop, till
    await exists(where)
    return streams.stream(_watch(where))


async def _watch(where: tuple[Staff, str, str]) -> AsyncIterator[bytes]:
    with hub.watch(frozenset()) as watch:
        screen = CustomerScreen(watch, where)
        async for line in streams.live(watch, screen.look, screen.link, LOOK_S):
            yield line
