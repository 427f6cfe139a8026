"""Whose turn it is to do what one process alone does at a database, while it lives.

``crm``: to speak with its CRMs; ``fleet``: to give its readers releases.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from besnik.config import Config
from besnik.store.database import connect_postgres, is_sqlite, sqlite_path

if TYPE_CHECKING:
    import psycopg

# Any numbers that no other program uses on this server: "besnicrm" and "besniflt", in ASCII.
_LOCKS: Final = {
    "crm": int.from_bytes(b"besnicrm"),
    "fleet": int.from_bytes(b"besniflt"),
}


Work = Literal["crm", "fleet"]


def is_taken(settings: Config, work: Work) -> bool:
    """Tell whether a process does that work now; True as well where nobody can tell.

    It leaves nothing behind: whoever asks may be another user than the one who works.
    """
    if is_sqlite(settings.database.url) and not _file(settings, work).exists():
        return False
    turn = Turn(settings, work)
    try:
        return not turn.take()
    except OSError:
        return True
    finally:
        turn.close()


class Turn:
    """A lock that ends with the process: the kernel's beside an SQLite file, else the server's."""

    def __init__(self, settings: Config, work: Work) -> None:
        self._settings = settings
        self._work = work
        self._descriptor: int | None = None
        self._connection: psycopg.Connection[Any] | None = None

    def take(self) -> bool:
        """Take the turn if nobody has it, and tell whether it is ours; OSError: nobody knows."""
        if is_sqlite(self._settings.database.url):
            return self._file_is_ours()
        return self._server_is_ours()

    def close(self) -> None:
        """Give it back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None

    def _file_is_ours(self) -> bool:
        if self._descriptor is not None:
            return True
        descriptor = os.open(_file(self._settings, self._work), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def _server_is_ours(self) -> bool:
        """Ask on the connection that holds the lock: one that broke has lost it."""
        import psycopg

        try:
            if self._connection is not None:
                self._connection.execute("SELECT 1")
                return True
            connection = connect_postgres(self._settings)
            found = connection.execute(
                "SELECT pg_try_advisory_lock(%s)", (_LOCKS[self._work],)
            ).fetchone()
            if found is not None and found[0]:
                self._connection = connection
                return True
            connection.close()
        except psycopg.Error as error:
            self.close()
            raise OSError(type(error).__name__) from error
        return False


def _file(settings: Config, work: Work) -> Path:
    database = sqlite_path(settings)
    return database.with_name(f"{database.name}.{work}")
