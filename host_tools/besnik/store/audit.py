"""Who did what, in one chain: whoever changes or takes out a record breaks it.

A record's hash is SHA-256 over its canonical JSON, which holds the hash of the record before it.
What is cut off at the end leaves a chain that is whole, so note the newest hash elsewhere
(``besnik audit verify`` prints it) and have it looked for later.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from besnik.store.models import AuditRecord, Staff

START: Final = "0" * 64
"""What the first record follows."""

# Any number that nothing else locks by (postgresql.org/docs/current/explicit-locking.html).
_LOCK: Final = 0x42_65_73_6E_61_75_64
_CHUNK: Final = 2000


class Broken(NamedTuple):
    """The first record (its row) that does not follow the one before it, and why."""

    row: int
    why: str


class Chain(NamedTuple):
    """How many records were read, the hash of the newest, and where the chain breaks, if so."""

    length: int
    head: str
    broken: Broken | None = None


def record(
    staff: Staff | None, action: str, target: str = "", *, program: int | None = None, **detail: Any
) -> AuditRecord:
    """Write that ``staff`` (None: somebody at the machine itself) did ``action`` to ``target``.

    ``detail`` holds text, integers, booleans, None, and lists and dicts of these: no name, no
    phone, no card. ``program`` is the program's row, that of ``staff`` if it is left out. Within a
    transaction it counts with that, and everybody else's record waits for its end: record last.
    """
    _check(detail)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        # SQLite has one writer, and our transactions begin as one (database.py).
        newest = AuditRecord.objects.order_by("-pk").values_list("hash", flat=True).first()
        made = AuditRecord(
            program_id=staff.program_id if staff and program is None else program,
            at=timezone.now(),
            staff=staff,
            action=action,
            target=target,
            detail=detail,
            previous=newest or START,
        )
        made.hash = digest(made)
        made.save(force_insert=True)
    return made


def digest(made: AuditRecord) -> str:
    """Return the hash of a record: SHA-256, in hex, over its canonical JSON."""
    said = {
        "program": made.program_id,
        "at": made.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "staff": made.staff_id,
        "action": made.action,
        "target": made.target,
        "detail": made.detail,
        "previous": made.previous,
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode()).hexdigest()


def verify(*, newest: int | None = None, holds: str = "") -> Chain:
    """Read the chain and say whether it is whole; ``newest`` reads only so many at its end.

    ``holds`` is a hash noted earlier: a chain that does not hold it any more is broken at its end.
    """
    previous, count, found = START, 0, not holds
    is_first = True
    for each in _records(newest):
        if is_first and newest is not None:
            previous = each.previous
        is_first = False
        if each.previous != previous:
            return Chain(count, previous, Broken(each.pk, "it does not follow the one before it"))
        if digest(each) != each.hash:
            return Chain(count, previous, Broken(each.pk, "its hash is that of another text"))
        previous, count = each.hash, count + 1
        found = found or each.hash == holds
    if not found:
        return Chain(count, previous, Broken(0, "a record that was there is no longer"))
    return Chain(count, previous)


def _records(newest: int | None) -> Iterator[AuditRecord]:
    rows = AuditRecord.objects.order_by("pk")
    if newest is not None:
        last = list(AuditRecord.objects.order_by("-pk").values_list("pk", flat=True)[:newest])
        rows = rows.filter(pk__gte=last[-1]) if last else rows.none()
    return rows.iterator(_CHUNK)


def _check(detail: Any) -> None:
    """Refuse what a database would give back as something else: floats, times, null characters."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            _check(key)
            _check(value)
    elif isinstance(detail, list | tuple):
        for value in detail:
            _check(value)
    elif isinstance(detail, str):
        if "\0" in detail:
            raise ValueError("the detail of an audit record holds a null character")
    elif not (detail is None or isinstance(detail, int)):
        raise TypeError(f"the detail of an audit record holds a {type(detail).__name__}")
