"""Django's models on the database of one test, a counter, and another CRM."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.orm import models_on  # isort: split

from django.utils import timezone

from besnik.crm import horizon, sources
from besnik.store.hot import open_hot
from besnik.store.models import CrmSource, Shop
from support.hot_counter import CARD, HotCounter
from support.paper_crm import PaperServer
from support.processes import Processes
from support.store import settings_for


@pytest.fixture
def orm(database_url: str) -> Iterator[str]:
    """The models work on ``database_url``, which is also the fixture's value."""
    with models_on(database_url):
        yield database_url


@pytest.fixture
def paper(processes: Processes, state: Path) -> PaperServer:
    """A CRM with one customer, who has ``CARD``."""
    server = PaperServer(processes, state / "paper.sqlite3")
    server.start()
    server.add("Zana Krasniqi", CARD)
    return server


@pytest.fixture
def source(orm: str, paper: PaperServer) -> CrmSource:
    """It is on for the demo's program."""
    program = Shop.objects.get(slug="corner").program
    chosen = [{"name": "note", "label": "Note", "role": "cashier"}]
    made = CrmSource(
        program=program, adapter="paper", settings=paper.settings, unit="stamp", fields=chosen
    )
    sources.switch_on(made, timezone.now())
    return made


@pytest.fixture
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's clock differs here, and no batch waits."""
    monkeypatch.setattr(horizon, "MARGIN", dt.timedelta())


@pytest.fixture
def other_crm(orm: str) -> CrmSource:
    """A CRM that is on for the demo's program, and that nobody asks."""
    made = CrmSource(program=Shop.objects.get(slug="corner").program, adapter="other", unit="stamp")
    sources.switch_on(made, timezone.now())
    return made


@pytest.fixture
def counter(orm: str) -> Iterator[HotCounter]:
    """Reader counter-1 of a program whose other CRM is on."""
    program = Shop.objects.get(slug="corner").program
    CrmSource.objects.get_or_create(program=program, defaults={"adapter": "paper", "is_on": True})
    hot = open_hot(settings_for(orm))
    yield HotCounter(hot, program.pk)
    hot.close()
