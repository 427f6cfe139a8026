"""The one thread that owns the bridge's database connection."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from besnik.config import Config
from besnik.store.database import is_sqlite
from besnik.store.hot import HotStore, open_hot

_T = TypeVar("_T")
_Piece = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class StoreUnavailableError(Exception):
    """The database cannot be used now; the same work may be tried again later."""


class StoreThread:
    """Runs work on the hot store, one piece at a time, off the event loop.

    The connection is opened when first needed and again after the database was away.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._hot: HotStore | None = None
        self._queue: SimpleQueue[_Piece | None] = SimpleQueue()
        # A daemon: a process that is told to leave does not wait for a database that hangs.
        self._thread = Thread(target=self._work_off, name="store", daemon=True)
        self._thread.start()

    async def call(self, work: Callable[[HotStore], _T]) -> _T:
        """Return ``work(store)``; StoreUnavailableError if the database is away."""
        return await self._done(lambda: self._run(work))

    async def aclose(self, timeout_s: float = 1.0) -> None:
        """Close the connection after the work that is running, or give up after a while."""
        closed = self._done(self._close)
        self._queue.put(None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closed, timeout_s)

    def _done(self, work: Callable[[], _T]) -> asyncio.Future[_T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._queue.put((loop, future, work))
        return future

    def _work_off(self) -> None:
        for loop, future, work in iter(self._queue.get, None):
            if future.cancelled():
                continue
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            # A loop that is closed has nobody who waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_tell, future, result, error)

    def _run(self, work: Callable[[HotStore], _T]) -> _T:
        try:
            if self._hot is None:
                self._hot = open_hot(self._config)
            return work(self._hot)
        except Exception as error:
            reason = self._why_unavailable(error)
            if reason is None:
                raise
            self._close()
            raise StoreUnavailableError(reason) from error

    def _close(self) -> None:
        hot, self._hot = self._hot, None
        if hot is not None:
            # What is broken may break here again, and has been said by then.
            with contextlib.suppress(Exception):
                hot.close()

    def _why_unavailable(self, error: Exception) -> str | None:
        """Return why the database is away, without values of rows; None if it is not."""
        if is_sqlite(self._config.database.url):
            return _sqlite_reason(error)
        return _postgres_reason(error)


def _tell(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


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
