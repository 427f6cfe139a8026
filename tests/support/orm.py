"""Django in tests: set up once a process when this is imported, then pointed at databases.

The settings are the ones that ship, with a state folder outside the repository.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import pytest
from django.conf import settings

from besnik.store.database import django_entry
from support.store import settings_for


def _set_up() -> None:
    folder = Path(tempfile.mkdtemp(prefix="besnik-django-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "besnik.toml"
    file.write_text(f'state = "{folder}"\n', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESNIK_CONFIG", str(file))
        patch.delenv("BESNIK_DATABASE_URL", raising=False)
        os.environ["DJANGO_SETTINGS_MODULE"] = "besnik.site.settings"
        django.setup()


if not settings.configured:
    _set_up()


@contextmanager
def models_on(url: str) -> Iterator[None]:
    """Within this context the models of this thread work on the database at ``url``."""
    from django.db import connections

    before = connections.settings
    connections.close_all()
    connections.settings = connections.configure_settings(
        {"default": django_entry(settings_for(url))}
    )
    _forget()
    try:
        yield
    finally:
        connections.close_all()
        _hang_up_streams()
        connections.settings = before
        _forget()


def _forget() -> None:
    """Let the next use of the models open a connection by the settings of that moment."""
    from django.db import connections

    if hasattr(connections._connections, "default"):
        del connections["default"]


def _hang_up_streams() -> None:
    """Close the connections of the site's threads: they outlive a test, its database does not."""
    from django.db import connections

    streams = sys.modules.get("besnik.site.streams")
    count = len(streams._threads._threads) if streams else 0
    if streams is None or not count:
        return
    together = threading.Barrier(count)

    def close() -> None:
        together.wait(10)
        connections.close_all()
        _forget()

    for closed in [streams._threads.submit(close) for _ in range(count)]:
        closed.result(15)
