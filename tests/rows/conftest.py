"""Rows of the requirements through the public face, on a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache

from besnik.loyalty.program import Program
from besnik.site import catalogues
from support.orm import models_on
from support.pos import Clock, Open, Pos


@pytest.fixture(autouse=True, scope="session")
def _compiled() -> None:
    catalogues.compile_stale(settings.STATE / "locale")


@pytest.fixture
def orm(database_url: str) -> Iterator[str]:
    """The models work on ``database_url``, which is also the fixture's value."""
    with models_on(database_url):
        yield database_url


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What time it is: noon of 1 June 2026 until the test says otherwise."""
    from besnik.site.api import verbs

    cache.clear()  # who asked how often, in tests before
    made = Clock()
    monkeypatch.setattr(verbs, "now", lambda: made.now)
    return made


@pytest.fixture
def open_shop(orm: str, clock: Clock) -> Open:
    """Opens a shop with a program of its own, and returns its till."""

    def opened(program: Program) -> Pos:
        return Pos(program, clock)

    return opened
