"""The jobs one after the other, again and again; only one process does them at a time."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from django.db import OperationalError, connection
from django.utils import timezone

from besnik.store import programs
from besnik.store.jobs.expiry import expire_ended, expire_idle, expire_run_out
from besnik.store.jobs.holds import end_holds, forget_reservations
from besnik.store.jobs.tiers import review
from besnik.store.models import ImportRun, Program, ReaderHour, Request

# Holds last ten minutes, and what has run out is not spendable however late it is booked.
EVERY_S: Final = 60
SELDOM_S: Final = 3600
REQUESTS_KEPT: Final = dt.timedelta(days=30)
READER_HOURS_KEPT: Final = dt.timedelta(days=90)
PROBLEMS_KEPT: Final = dt.timedelta(days=30)
# Any number that no other program uses on this server: "besnik" and "jobs" as seen by ord().
_LOCK: Final = 0x6265736E
# Of each index; so it takes milliseconds in a shop of any size.
_ROWS_COUNTED: Final = 400


class Done(msgspec.Struct, frozen=True):
    """How much a round did; all zero when nothing was due."""

    holds: int = 0
    expired: int = 0
    idle: int = 0
    ended: int = 0
    tiers: int = 0

    def __str__(self) -> str:
        did = [f"{name} {count}" for name, count in msgspec.structs.asdict(self).items() if count]
        return ", ".join(did) or "nothing was due"


def run(*, once: bool) -> int:
    """Do what is due: once, or each minute until SIGTERM or Ctrl-C. Return the exit status."""
    if once:
        with turn() as is_ours:
            print(f"jobs: {do_all(timezone.now())}" if is_ours else "jobs: another one is at it")
        return 0
    # In the middle of a page too: what is not committed is done by the next one who runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("jobs: ready", flush=True)
    seldom_s = -float(SELDOM_S)
    try:
        while True:
            if time.monotonic() - seldom_s >= SELDOM_S:
                done = _round(is_seldom=True)
                seldom_s = seldom_s if done is None else time.monotonic()
            else:
                _round(is_seldom=False)
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return 0


def do_all(now: dt.datetime) -> Done:
    """Do everything that is due at ``now``."""
    done = do_often(now)
    idle = ended = tiers = 0
    for program in Program.objects.order_by("pk").values_list("pk", flat=True):
        rules = programs.current(program)
        idle += expire_idle(rules, now)
        ended += expire_ended(rules, now)
        tiers += review(rules, now)
    Request.objects.filter(created_at__lt=now - REQUESTS_KEPT).delete()
    ReaderHour.objects.filter(hour__lt=now - READER_HOURS_KEPT).delete()
    # Wrong rows of a file, with names and phone numbers in them: whoever sent it has seen them.
    ImportRun.objects.filter(at__lt=now - PROBLEMS_KEPT).exclude(problems=[]).update(problems=[])
    _take_stock()
    return msgspec.structs.replace(done, idle=idle, ended=ended, tiers=tiers)


def _take_stock() -> None:
    """Have SQLite look at how its tables are filled: it chooses the ways to its rows by that.

    PostgreSQL does so by itself (sqlite.org/lang_analyze.html#approx).
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit={_ROWS_COUNTED}")
            cursor.execute("ANALYZE")


def do_often(now: dt.datetime) -> Done:
    """Do what is due within minutes: holds, and what has run out."""
    holds = end_holds(now)
    forget_reservations(now)
    return Done(holds=holds, expired=expire_run_out(now))


def _round(*, is_seldom: bool) -> Done | None:
    """Do a round if it is this process's turn; None if it is not, or the database is away."""
    try:
        with turn() as is_ours:
            if not is_ours:
                return None
            done = do_all(timezone.now()) if is_seldom else do_often(timezone.now())
    except OperationalError as error:
        print(f"jobs: the database cannot be used: {error}", file=sys.stderr, flush=True)
        return None
    finally:
        # A connection that is kept for a minute may be gone; and SQLite's would keep its WAL.
        connection.close()
    if done != Done():
        print(f"jobs: {done}", flush=True)
    return done


@contextmanager
def turn() -> Iterator[bool]:
    """Yield whether no other process does the jobs of this database; if so, none begins to."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            is_ours = bool(cursor.fetchone()[0])
            try:
                yield is_ours
            finally:
                if is_ours:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        return
    database = Path(connection.settings_dict["NAME"])
    descriptor = os.open(database.with_name(database.name + ".jobs"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
