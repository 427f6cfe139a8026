"""What a visitor sees when a page cannot be made."""

from __future__ import annotations

import sys

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def failed(request: HttpRequest) -> HttpResponse:
    """Say what is wrong, with 503 while the database is away; the page tries again by itself."""
    is_away = isinstance(sys.exc_info()[1], DatabaseAway)
    return render(request, "500.html", {"database": is_away}, status=503 if is_away else 500)
