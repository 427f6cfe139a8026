"""A shop whose program has another CRM: its server, its adapter, and the worker between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.orm import models_on  # isort: split

from besnik.store.models import CrmSource
from support.bridge import BridgeRunner
from support.crm_chaos import connect
from support.paper_crm import PaperServer
from support.processes import Processes
from support.worker import CARD, Workers


@pytest.fixture
def orm(database_url: str) -> Iterator[str]:
    with models_on(database_url):
        yield database_url


@pytest.fixture
def paper(processes: Processes, state: Path) -> PaperServer:
    """A CRM with one customer."""
    server = PaperServer(processes, state / "paper.sqlite3")
    server.start()
    server.add("Zana Krasniqi", CARD)
    return server


@pytest.fixture
def source(orm: str, paper: PaperServer) -> CrmSource:
    return connect(paper)


@pytest.fixture
def workers(
    processes: Processes, bridges: BridgeRunner, paper: PaperServer, source: CrmSource
) -> Workers:
    return Workers(processes, bridges, paper)
