"""Django's models on the database of one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.orm import models_on


@pytest.fixture
def orm(database_url: str) -> Iterator[str]:
    """The models work on ``database_url``, which is also the fixture's value."""
    with models_on(database_url):
        yield database_url
