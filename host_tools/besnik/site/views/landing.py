"""Where a card's own address leads: to the page of its member, for a while."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from besnik.credentials.assess import Assessor
from besnik.credentials.keyring import Keys
from besnik.credentials.keys import KeyFileError, load_keys
from besnik.site.access import public
from besnik.site.rate import Limiter
from besnik.store.people import landing, links

_log = logging.getLogger(__name__)

# A person holds a card to a phone a few times; a forger would try for ever.
_LOOKS: Final = Limiter(30, 60)
_PRIVATE: Final = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
}


@public
@require_GET
def card(request: HttpRequest) -> HttpResponse:
    """Open the member's page for who holds the card, or say why it opens nothing."""
    response = _answer(request)
    for name, value in _PRIVATE.items():
        response.headers[name] = value
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    if not _LOOKS.count(str(request.META.get("REMOTE_ADDR", ""))):
        return render(request, "site/own/busy.html", status=429)
    landed = landing.land(_assessor(), request.META.get("QUERY_STRING", ""))
    if landed.member is None:
        return render(request, "site/own/card.html", {"why": landed.refusal}, status=404)
    return redirect("own", landed.member.ref, links.visit_token(landed.member, timezone.now()))


@functools.cache
def _assessor() -> Assessor:
    """Return what proves cards by the shop's keys; by none, if their file is no good."""
    shop = settings.BESNIK
    try:
        keys = load_keys(Path(shop.state) / shop.credentials.keys)
    except KeyFileError as error:
        # The bridge refuses to start with it, and says the same.
        _log.error("cards cannot prove themselves: %s", error)
        keys = Keys()
    return Assessor(keys)
