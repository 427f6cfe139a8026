"""How a till's screen asks the database: as fast in a shop with a million taps."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from besnik import demo
from besnik.site.board import board
from besnik.store.models import Till

from .conftest import Tapped


def test_the_newest_taps_are_read_by_their_index(tapped: Tapped) -> None:
    tapped("ana", "ok")
    till = Till.objects.get(slug=demo.TILL)
    if connection.vendor != "sqlite":
        pytest.skip("the plan is read in SQLite's words")

    # With statistics SQLite may begin with the one reader there is, and then sorts.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as asked:
        board(till)

    newest = [
        query["sql"] for query in asked.captured_queries if '"received_at" DESC' in query["sql"]
    ]
    assert newest
    for sql in newest:
        plan = _plan(sql)
        assert not any(step.startswith("SCAN") for step in plan), plan
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan, "all taps would be sorted"


def _plan(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [str(row[3]) for row in cursor.fetchall()]
