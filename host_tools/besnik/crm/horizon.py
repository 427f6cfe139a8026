"""Up to which moment every row has come that will: what was written before cannot grow.

PostgreSQL hands out row ids before rows are committed, so a row can appear below one that was seen
before. It belongs to a transaction that was running then: what was written a good while before
the oldest running transaction began has nothing more to come below it. A row's own time is a little
before its id, by as long as a batch of the bridge takes, and clocks of two machines differ.
SQLite has one writer, whose ids come in the order of commits.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection

MARGIN: Final = dt.timedelta(seconds=60)
_OLDEST: Final = """
    SELECT coalesce(min(xact_start), now()) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def settled_before(now: dt.datetime) -> dt.datetime | None:
    """Return that moment, None: all that is there now. Ask before the rows are read."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        oldest: dt.datetime = cursor.fetchone()[0]
    return min(oldest, now) - MARGIN
