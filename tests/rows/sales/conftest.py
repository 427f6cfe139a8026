"""One database for all tests of a file: each opens a shop and a program of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.database import Databases
from support.orm import models_on


@pytest.fixture(scope="module")
def orm(prepared_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The models work on one database, whose URL is the fixture's value."""
    for url in prepared_databases.copy(tmp_path_factory.mktemp("sales")):
        with models_on(url):
            yield url
