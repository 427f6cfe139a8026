"""What is true of every CRM, on Besnik's own store and on those that run within a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.crm_every import EveryCrm, ForeignRecords, Records
from support.database import Databases
from support.embedded_crm import EmbeddedRecords
from support.mapped import opened, written
from support.mapped_crm import MappedBooks
from support.notebook_crm import KEY, Notebook, NotebookCrm
from support.paper_crm import PaperServer
from support.store import assert_ledger_adds_up


class TestEmbedded(EveryCrm):
    """Besnik's own store, on the database of this run."""

    @pytest.fixture
    async def records(self, orm: str, prepared_databases: Databases) -> AsyncIterator[Records]:
        """See EveryCrm."""
        made = EmbeddedRecords(orm, prepared_databases)
        yield made
        await made.aclose()
        assert_ledger_adds_up(orm)


class TestMapped(EveryCrm):
    """An adapter that is a mapping file."""

    @pytest.fixture
    def books(self) -> Iterator[MappedBooks]:
        """The CRM, with its server running."""
        made = MappedBooks()
        with made.server:
            yield made

    @pytest.fixture
    async def records(self, books: MappedBooks, tmp_path: Path) -> AsyncIterator[Records]:
        """See EveryCrm."""
        crm = opened(written(tmp_path), books.server)
        yield ForeignRecords(crm, books)
        await crm.aclose()


class TestPaper(EveryCrm):
    """A stranger's adapter, on a process that writes down twice what it is told twice."""

    @pytest.fixture
    async def records(self, paper: PaperServer) -> AsyncIterator[Records]:
        """See EveryCrm."""
        crm = paper.open()
        yield ForeignRecords(crm, paper)
        await crm.aclose()


class TestNotebook(EveryCrm):
    """A stranger's adapter on a file."""

    @pytest.fixture
    def records(self, tmp_path: Path) -> Records:
        """See EveryCrm."""
        notebook = Notebook(tmp_path / "notebook.sqlite3")
        return ForeignRecords(NotebookCrm(notebook.file, KEY), notebook)
