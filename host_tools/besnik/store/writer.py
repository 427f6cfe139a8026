"""The database's writer, for long work that can wait: held briefly, and mostly left to others.

SQLite has one writer for all. A tap that comes while somebody else has it waits until they are
done. So whoever writes much reads first, and then rests several times as long as it held the
writer: few taps meet it, however slow the machine is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

# Times as long as it was held: one tap in seven may find it taken.
_REST_TIMES: Final = 6
_REST_MAX_S: Final = 0.5


class Writer:
    """Used by one thread. ``rest_s``: how long it is to be left to others now."""

    def __init__(self) -> None:
        self.rest_s = 0.0

    @staticmethod
    def version() -> int | None:
        """Return a number that stays the same as long as nobody else writes anything (SQLite).

        Who read outside of a transaction, and finds the number in it unchanged, need not read
        again (sqlite.org/pragma.html#pragma_data_version). None where that cannot be told.
        """
        if connection.vendor != "sqlite":
            return None
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            return int(cursor.fetchone()[0])

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Do what is within it as one transaction, and work out the rest that follows."""
        with transaction.atomic():
            # From here on others wait; before, this did.
            began_s = time.monotonic()
            yield
        held_s = time.monotonic() - began_s
        # PostgreSQL's rows are held by those who want the same ones only.
        times = _REST_TIMES if connection.vendor == "sqlite" else 1
        self.rest_s = min(held_s * times, _REST_MAX_S)
