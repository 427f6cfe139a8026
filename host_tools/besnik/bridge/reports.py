"""What readers say about themselves, from the broker to the database, beside the taps.

Only the latest of each kind is kept, so a burst costs one row a reader. A thread of its own
writes it, at most once a second for all readers, over a connection of its own: no tap waits for
it, and a database that is away costs a report nothing but time.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Final

from besnik.bridge.intake import Report
from besnik.bridge.log import pairs
from besnik.bridge.tally import Tally
from besnik.config import Config
from besnik.store.reports import ReaderKey, ReportStore, Said, open_reports

_log = logging.getLogger(__name__)

LEAVES: Final = ("/state", "/info", "/health")  # how topics of reports end
INTERVAL_S: Final = 1.0
# A reader may speak for any shop (its access list knows only its own name), so the number of
# those that wait is limited; far above what a shop has.
WAITING_MAX: Final = 10_000


class Reports:
    """Takes reports on the event loop and writes them on a thread, until ``stop``."""

    def __init__(self, config: Config, tally: Tally) -> None:
        self._config = config
        self._tally = tally
        self._waiting: dict[ReaderKey, Said] = {}
        self._lock = Lock()
        self._news = Event()
        self._stopped = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # A daemon: a process that is told to leave does not wait for a database that hangs.
        self._thread = Thread(target=self._write_on, name="reports", daemon=True)

    def hear(self, report: Report) -> None:
        """Keep a report until it is written; from the event loop, without waiting."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread.start()
        key = ReaderKey(report.shop, report.reader)
        with self._lock:
            if key not in self._waiting and len(self._waiting) >= WAITING_MAX:
                self._tally.count("report_dropped", "too_many")
                return
            said = self._waiting.setdefault(key, Said())
            said.hear(report.message, dt.datetime.now(dt.UTC))
        self._news.set()

    def stop(self) -> None:
        """Let the thread end; what is not written the readers say again."""
        self._stopped.set()
        self._news.set()

    def _write_on(self) -> None:
        store: ReportStore | None = None
        said = ""
        while self._news.wait() and not self._stopped.is_set():
            self._news.clear()
            taken = self._take()
            try:
                store = store or open_reports(self._config)
                unknown = store.write(taken)
            except Exception as error:  # sqlite3's or psycopg's
                _close(store)
                store = None
                self._give_back(taken)
                # By its kind: the text of a database error can quote what was to be written.
                if said != (said := type(error).__name__):
                    _log.warning(pairs("reports_wait", reason=said))
            else:
                if said:
                    _log.info(pairs("reports_written", readers=len(taken)))
                said = ""
                for _ in unknown:
                    self._on_loop(lambda: self._tally.count("report_dropped", "unknown_reader"))
            self._stopped.wait(INTERVAL_S)
        _close(store)

    def _take(self) -> dict[ReaderKey, Said]:
        with self._lock:
            taken, self._waiting = self._waiting, {}
        return taken

    def _give_back(self, taken: dict[ReaderKey, Said]) -> None:
        with self._lock:
            for key, said in taken.items():
                self._waiting.setdefault(key, Said()).earlier(said)
        self._news.set()

    def _on_loop(self, work: Callable[[], None]) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is leaving
            self._loop.call_soon_threadsafe(work)


def _close(store: ReportStore | None) -> None:
    if store is not None:
        with contextlib.suppress(Exception):
            store.close()
