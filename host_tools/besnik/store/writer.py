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
REST_TIMES: Final = 6
_REST_MAX_S: Final = 0.5


class Writer:
    """Holds the writer for one kind of work, and rests ``times`` as long between two transactions.

    For a thread that may wait.
    """

    def __init__(self, times: float = REST_TIMES) -> None:
        self._times = times
        self._until_s = 0.0

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

    def rest(self) -> None:
        """Wait until what was held has been left to others for long enough."""
        time.sleep(max(self._until_s - time.monotonic(), 0.0))

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Rest, then do what is within it as one transaction."""
        self.rest()
        with transaction.atomic():
            # From here on others wait; before, this did.
            began_s = time.monotonic()
            yield
        ended_s = time.monotonic()
        # PostgreSQL's rows are held by those who want the same ones only.
        times = self._times if connection.vendor == "sqlite" else 0
        self._until_s = ended_s + min((ended_s - began_s) * times, _REST_MAX_S)
