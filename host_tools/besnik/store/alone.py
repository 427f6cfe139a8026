"""One bridge an SQLite file: a second one learns who is there."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from besnik.config import Config, ConfigError
from besnik.store.database import is_sqlite, sqlite_path

# A bridge that was told to leave is gone within 3 s; its successor may wait for that.
_PATIENCE_S: Final = 4.0
_AGAIN_S: Final = 0.05


@contextmanager
def only_bridge(config: Config, patience_s: float = _PATIENCE_S) -> Iterator[None]:
    """Be the only bridge at an SQLite file while the context lasts; ConfigError if there is one.

    The lock is the kernel's (flock), on a file beside the database, so it ends with the process.
    Bridges at PostgreSQL do not exclude each other.
    """
    if not is_sqlite(config.database.url):
        yield
        return
    database = sqlite_path(config)
    descriptor = _open(database.with_name(database.name + ".bridge"))
    if descriptor is None:
        yield
        return
    try:
        deadline_s = time.monotonic() + patience_s
        while not _locked(descriptor):
            if time.monotonic() > deadline_s:
                raise ConfigError(
                    f"another bridge{_holder(descriptor)} works on {database}: stop that one first "
                    "(several bridges need PostgreSQL)"
                )
            time.sleep(_AGAIN_S)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _open(file: Path) -> int | None:
    """Return a descriptor; None where nothing can be written, so no bridge works either."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    number = os.pread(descriptor, 20, 0).decode(errors="replace")
    return f" (process {number})" if number.isdigit() else ""
