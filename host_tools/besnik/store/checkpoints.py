"""SQLite's log brought into the database beside the taps, not by one of them.

Left to itself SQLite does that at the end of a commit, once the log is long enough: one tap in a
thousand waits until thousands of pages are copied, on a slow card for seconds, and with 500 readers
it is a fifth of the bridge's time. Here another thread copies, on a connection of its own, while
taps go on: a passive checkpoint waits for nobody and holds up nobody (sqlite.org/wal.html#ckpt).
What was written meanwhile is little, and the writer copies it: only when all is copied does the
log begin again at its start.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Final

_log = logging.getLogger(__name__)

# What goes to the log in pages of 4 KiB, nearly: a commit, and each tap in it; 20 for a tap alone
# and 260 for a batch of 49. SQLite does not tell how long its log is.
_COMMIT_PAGES: Final = 16
_TAP_PAGES: Final = 5
EACH_PAGES: Final = 8000
# During the first many taps are written, after the third few pages are left for the writer.
_PASSES: Final = 3
# Where the other thread does not get to it, the log still has an end: 64 MB.
PAGES_MAX: Final = 16_000


class Checkpoints:
    """Keeps the log of the database that ``connection`` writes to short."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA wal_autocheckpoint={PAGES_MAX}")
        [(_, _, file)] = connection.execute("PRAGMA database_list")
        self._writer = connection
        self._address = f"{Path(file).as_uri()}?mode=rw"
        self._beside: Thread | None = None
        self._pages = 0

    def written(self, taps: int) -> None:
        """Note that so many taps were committed together: on the writer's thread, afterwards."""
        self._pages += _COMMIT_PAGES + _TAP_PAGES * taps
        if self._beside is not None:
            if self._beside.is_alive():
                return
            self._beside = None
            _copy(self._writer)
        if self._pages >= EACH_PAGES:
            self._pages = 0
            # A daemon: what is not copied when the process leaves stays in the log.
            beside = Thread(target=self._copy_beside, name="checkpoint", daemon=True)
            try:
                beside.start()
            except RuntimeError as error:  # no more threads; what was written is written
                _fail(error)
            else:
                self._beside = beside

    def _copy_beside(self) -> None:
        try:
            with closing(sqlite3.connect(self._address, uri=True, isolation_level=None)) as beside:
                for _ in range(_PASSES):
                    _copy(beside)
        except sqlite3.Error as error:
            _fail(error)


def _copy(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error as error:
        _fail(error)


def _fail(error: Exception) -> None:
    # What was not copied is still in the log, and taps that cannot be written say why themselves.
    _log.warning("event=checkpoint_failed error=%s", type(error).__name__)
