"""CRMs that take minutes to install: each as a context with the server running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import bottlecrm as bottle
from support import postgres
from support.bottlecrm import BottleCrmServer
from support.directus import DirectusServer
from support.postgres import PostgresServer
from support.processes import Processes


@contextmanager
def directus(processes: Processes, folder: Path) -> Iterator[DirectusServer]:
    """A Directus on SQLite with its collections."""
    server = DirectusServer(processes, folder)
    server.prepare()
    yield server
    server.close()


@contextmanager
def bottlecrm(processes: Processes, folder: Path) -> Iterator[BottleCrmServer]:
    """A BottleCRM on a PostgreSQL of its own, with its custom fields."""
    programs = postgres.programs()
    if programs is None:
        pytest.skip("BottleCRM needs PostgreSQL, and there is none here")
    bottle.installed()
    with PostgresServer(processes, programs) as database:
        server = BottleCrmServer(processes, folder, database)
        server.prepare()
        yield server
