"""How a balance asks the database: lots that are simply there are not read, however many."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from besnik.store import books
from support.books import Till
from support.points import day

# What each kind of exception is found by, in SQLite's words.
SEARCHES = {
    "store_lot USING INDEX lot_owed (member_id=?)",
    "store_lot USING INDEX lot_delayed (member_id=? AND available_at>?)",
    "store_lot USING INDEX lot_open (member_id=? AND expires_at<?)",
}


@pytest.mark.parametrize("has_statistics", [False, True])
def test_only_lots_that_owe_wait_or_have_run_out_are_read(orm: str, has_statistics: bool) -> None:
    till = Till()
    for _ in range(20):
        till.earn(5)
        till.earn(5, until=100)
    if connection.vendor != "sqlite":
        pytest.skip("the plan is read in SQLite's words")

    with connection.cursor() as cursor:
        if has_statistics:
            cursor.execute("ANALYZE")
        with CaptureQueriesContext(connection) as asked:
            assert books.balances_of(till.anna, day(9))["point"].active == 200
        [query] = [each["sql"] for each in asked.captured_queries if "store_lot" in each["sql"]]
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        plan = [str(row[3]) for row in cursor.fetchall()]

    found = {step.removeprefix("SEARCH ") for step in plan if "store_lot" in step}
    assert found == SEARCHES
