"""The database's writer, for long work that can wait: held briefly, and mostly left to others.

SQLite has one writer for all. A tap that comes while somebody else has it waits until they are
done. So whoever writes much reads first, and then rests several times as long as it held the
writer: few taps meet it, however slow the machine is.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from django.db import OperationalError, connection, transaction

_T = TypeVar("_T")

# Times as long as it was held: one tap in seven may find it taken.
REST_TIMES: Final = 6
_REST_MAX_S: Final = 0.5
# Where many taps come, somebody writes during each reading: then the writer is taken first.
_OVERTAKEN_MAX: Final = 3
# sqlite.org/rescode.html#busy_snapshot
_OVERTAKEN: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT)
_HOLDING_NOTHING: Final = ("BEGIN", "SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")


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
        self._held_since(began_s)

    def write(self, work: Callable[[], _T]) -> _T:
        """Rest, then return what ``work()`` returns, done as one transaction.

        What it reads before it first writes holds up nobody on SQLite. If somebody has written
        meanwhile it is undone and called again, so it may change nothing but the database.
        """
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            for _ in range(_OVERTAKEN_MAX):
                try:
                    return self._read_first(work)
                except OperationalError as error:
                    if not _was_overtaken(error):
                        raise
        with self.hold():
            return work()

    def _read_first(self, work: Callable[[], _T]) -> _T:
        self.rest()
        held = _Held()
        with connection.execute_wrapper(held), _deferred(), transaction.atomic():
            result = work()
        if held.since_s is not None:
            self._held_since(held.since_s)
        return result

    def _held_since(self, began_s: float) -> None:
        ended_s = time.monotonic()
        # PostgreSQL's rows are held by those who want the same ones only.
        times = self._times if connection.vendor == "sqlite" else 0
        self._until_s = ended_s + min((ended_s - began_s) * times, _REST_MAX_S)


class _Held:
    """Notes when a transaction first asked for the writer."""

    def __init__(self) -> None:
        self.since_s: float | None = None

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if self.since_s is None and not sql.lstrip().upper().startswith(_HOLDING_NOTHING):
            self.since_s = time.monotonic()
        return execute(sql, *rest)


@contextmanager
def _deferred() -> Iterator[None]:
    """Let transactions of SQLite begin without the writer."""
    connection.ensure_connection()  # which is when it has a mode
    wrapper: Any = connection
    mode, wrapper.transaction_mode = wrapper.transaction_mode, "DEFERRED"
    try:
        yield
    finally:
        wrapper.transaction_mode = mode


def _was_overtaken(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlite_errorcode", None) in _OVERTAKEN
