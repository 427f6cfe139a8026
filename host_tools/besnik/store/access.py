"""The bridge's database connection, and the threads it is used on, one at a time.

SQLite is used on the event loop's own thread: a batch that is handed to another one costs a fifth
more, for the interpreter goes to and fro (`bench throughput`). What may wait goes to a thread
beside: all of PostgreSQL; SQLite while somebody else writes, while it is opened, and while its disk
is slow. A disk that hangs all of a sudden takes the loop with it, and that is seen from outside by
``busy_here_s``.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from besnik.config import Config
from besnik.store.beginning import is_busy
from besnik.store.database import is_sqlite
from besnik.store.hot import HotStore, open_hot

_T = TypeVar("_T")
_Piece = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]

# A batch of 512 takes a fifth of this here.
_LONG_S: Final = 0.25
# After one piece that took longer, so long all goes beside.
_APART_S: Final = 10.0


class StoreUnavailableError(Exception):
    """The database cannot be used now; the same work may be tried again later."""


class StoreAccess:
    """Runs work on the hot store, one piece at a time.

    The connection is opened when first needed and again after the database was away.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._hot: HotStore | None = None
        self._is_sqlite = is_sqlite(config.database.url)
        self._beside = 0
        self._apart_until_s = 0.0
        self._here_since_s: float | None = None
        self._queue: SimpleQueue[_Piece | None] = SimpleQueue()
        # A daemon: a process that is told to leave does not wait for work that hangs there.
        self._thread = Thread(target=self._work_off, name="store", daemon=True)
        self._thread.start()

    @property
    def busy_here_s(self) -> float:
        """For how long the event loop has been in the database; 0.0 if it is not. Any thread."""
        since_s = self._here_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    async def call(self, work: Callable[[HotStore], _T]) -> _T:
        """Return ``work(store)``; StoreUnavailableError if the database is away.

        Work that meets somebody who writes is begun again.
        """
        if self._is_at_hand():
            with contextlib.suppress(_WouldWaitError):
                return self._run_here(work)
        return await self._done(lambda: self._run(work, waits=True))

    async def aclose(self, timeout_s: float = 1.0) -> None:
        """Close the connection after the work that is running, or give up after a while."""
        closed = self._done(self._close)
        self._queue.put(None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closed, timeout_s)

    def _is_at_hand(self) -> bool:
        """Tell whether work can be done on this thread now, as far as that can be known."""
        if not self._is_sqlite or self._hot is None or self._beside:
            return False
        return time.monotonic() >= self._apart_until_s

    def _run_here(self, work: Callable[[HotStore], _T]) -> _T:
        self._here_since_s = time.monotonic()
        try:
            return self._run(work, waits=False)
        finally:
            if self.busy_here_s > _LONG_S:
                self._apart_until_s = time.monotonic() + _APART_S
            self._here_since_s = None

    def _done(self, work: Callable[[], _T]) -> asyncio.Future[_T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._beside += 1
        self._queue.put((loop, future, work))
        return future

    def _work_off(self) -> None:
        for loop, future, work in iter(self._queue.get, None):
            result, error = None, None
            if not future.cancelled():
                try:
                    result = work()
                except BaseException as raised:
                    error = raised
            # A loop that is closed has nobody who waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._tell, future, result, error)

    def _tell(
        self, future: asyncio.Future[Any], result: object, error: BaseException | None
    ) -> None:
        self._beside -= 1
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _run(self, work: Callable[[HotStore], _T], *, waits: bool) -> _T:
        try:
            if self._hot is None:
                self._hot = open_hot(self._config)
            self._hot.waits = waits
            return work(self._hot)
        except Exception as error:
            if not waits and is_busy(error):
                raise _WouldWaitError from error
            reason = self._why_unavailable(error)
            if reason is None:
                raise
            if waits:
                self._close()
            else:
                # The last to close an SQLite file copies its whole log: not in the loop's time.
                hot, self._hot = self._hot, None
                self._done(lambda: _close(hot))
            raise StoreUnavailableError(reason) from error

    def _close(self) -> None:
        hot, self._hot = self._hot, None
        _close(hot)

    def _why_unavailable(self, error: Exception) -> str | None:
        """Return why the database is away, without values of rows; None if it is not."""
        if is_sqlite(self._config.database.url):
            return _sqlite_reason(error)
        return _postgres_reason(error)


class _WouldWaitError(Exception):
    """Somebody else writes; nothing was done."""


def _close(hot: HotStore | None) -> None:
    if hot is not None:
        # What is broken may break here again, and has been said by then.
        with contextlib.suppress(Exception):
            hot.close()


def _sqlite_reason(error: Exception) -> str | None:
    # A plain DatabaseError is a file that is no database; its subclasses other than
    # OperationalError are faults of our statements or values.
    if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
        return str(error)
    return str(error) if isinstance(error, OSError) else None


def _postgres_reason(error: Exception) -> str | None:
    import psycopg

    away = (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        # The tables are not there yet: `besnik.store migrate` has still to run.
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        # Somebody has still to grant rights, or the server is the wrong one of two (a standby).
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.ReadOnlySqlTransaction,
    )
    if not isinstance(error, away):
        return None
    # The server's DETAIL line would quote values of rows; its primary message does not.
    text = error.diag.message_primary or str(error) or type(error).__name__
    return text.splitlines()[0]
