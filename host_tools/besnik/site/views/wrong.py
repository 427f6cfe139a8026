"""What a visitor sees when a page cannot be made."""

from __future__ import annotations

import sys

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def failed(request: HttpRequest) -> HttpResponse:
    """Say what is wrong, with 503 while the database is away; the page tries again by itself."""
    is_away = isinstance(sys.exc_info()[1], DatabaseAway)
    return render(request, "500.html", {"database": is_away}, status=503 if is_away else 500)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's call
    """Answer a form without the token of its page: it is too old, or from another site."""
    text = _("This form is too old. Please open its page again and send it once more.")
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(text, status=403, content_type="text/plain; charset=utf-8")
    return render(request, "site/forged.html", {"text": text}, status=403)
