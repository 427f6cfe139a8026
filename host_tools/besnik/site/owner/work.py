"""Work that takes longer than a page may: in a thread of its own, with how far it is."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from django.db import connection

KEPT: Final = 50
WAIT_S: Final = 2.0
_log = logging.getLogger(__name__)


class Work:
    """One piece of work: ``done`` of ``total``, its ``result`` once it is ``over``.

    ``failed`` is set where it ended without one; the log says why. ``owner`` is who may see it.
    """

    def __init__(self, owner: int, total: int) -> None:
        self.key = secrets.token_urlsafe(12)
        self.owner, self.total = owner, total
        self.done = 0
        self.result: Any = None
        self.failed = False
        self._over = threading.Event()

    @property
    def over(self) -> bool:
        """Whether it has ended, well or not."""
        return self._over.is_set()

    def told(self, done: int) -> None:
        """Take how far it is."""
        self.done = done

    def run(self, job: Callable[[Work], Any]) -> None:
        """Do the job in this thread."""
        try:
            self.result = job(self)
        except Exception:
            _log.exception("work in the background failed")
            self.failed = True
        finally:
            connection.close()
            self._over.set()

    def wait(self) -> bool:
        """Wait as long as somebody waits for a page; tell whether it is over."""
        return self._over.wait(WAIT_S)


_works: OrderedDict[str, Work] = OrderedDict()
_lock = threading.Lock()


def start(owner: int, total: int, job: Callable[[Work], Any]) -> Work:
    """Begin ``job`` and return its `Work`; the last few are kept until the site stops."""
    work = Work(owner, total)
    with _lock:
        _works[work.key] = work
        while len(_works) > KEPT:
            _works.popitem(last=False)
    threading.Thread(target=work.run, args=(job,), name=f"work-{work.key}", daemon=True).start()
    return work


def find(key: str, owner: int) -> Work | None:
    """Return the work that somebody began, None if it is unknown or another's."""
    with _lock:
        work = _works.get(key)
    return work if work is not None and work.owner == owner else None
