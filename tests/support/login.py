"""Somebody who is logged in, without the pages having been asked."""

from __future__ import annotations

from pathlib import Path

from django.test import Client, override_settings

from besnik.site.secret import secret_key
from support.orm import models_on

COOKIE = "session"


def session_key(database_url: str, state: Path, role: str = "owner") -> str:
    """Log the demo's person of ``role`` in at the site that keeps its state in ``state``.

    Returns what the cookie ``session`` has to hold. The thread must be free for Django: none in
    which an event loop runs.
    """
    with models_on(database_url), override_settings(SECRET_KEY=secret_key(state)):
        from besnik.store.models import Staff

        browser = Client()
        browser.force_login(Staff.objects.get(username=f"demo-{role}"))
        return str(browser.cookies[COOKIE].value)
