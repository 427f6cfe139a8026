"""The cashier's page on a database of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.till_page import TillPage

OpenTill = Callable[..., TillPage]


@pytest.fixture
def open_till(orm: str) -> Iterator[OpenTill]:
    """Opens the demo's till for somebody of a role."""
    opened: list[TillPage] = []

    def at(role: str = "cashier", **options: Any) -> TillPage:
        opened.append(TillPage(orm, role, **options))
        return opened[-1]

    yield at
    for page in opened:
        page.close()


@pytest.fixture
def till(open_till: OpenTill) -> TillPage:
    """The till with a cashier at it."""
    return open_till()
