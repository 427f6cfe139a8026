"""A repeated request is done once: its answer is kept in the transaction of its work."""

from __future__ import annotations

from collections.abc import Callable
from sqlite3 import SQLITE_BUSY
from typing import Final

import msgspec
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from besnik.loyalty.idempotency import InFlightError, Remembered, digest, recall
from besnik.store.models import Request

_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
_BUSY: Final = "the first request with this key is still being worked on: ask again later"


class Answer(msgspec.Struct, frozen=True):
    """A status code and a body (JSON text); ``repeat`` if the request had been answered before."""

    status: int
    body: str
    repeat: bool = False


def once(client: str, key: str, payload: object, make: Callable[[], tuple[int, object]]) -> Answer:
    """Return what ``make`` answers (status, and a body that msgspec can encode), once per key.

    ``client`` is who asks, ``payload`` (encodable too) what for. ``make`` works in this function's
    transaction; what it raises undoes its work and leaves the key unused. KeyConflictError (422)
    if the key came with another payload; InFlightError (409) if the first request is still being
    worked on: at once on PostgreSQL, on SQLite after the seconds that anybody waits to write.
    """
    try:
        with transaction.atomic():
            return _answer(client, key, payload, make)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlite_errorcode", None) == SQLITE_BUSY:
            raise InFlightError(_BUSY) from error
        raise


def _answer(
    client: str, key: str, payload: object, make: Callable[[], tuple[int, object]]
) -> Answer:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [f"{client}\n{key}"])
            if not cursor.fetchone()[0]:
                raise InFlightError(_BUSY)
    known = recall(_remembered(client, key), payload)
    if known is not None:
        return known
    status, body = make()
    text = msgspec.json.encode(body).decode()
    Request.objects.create(
        client=client,
        key=key,
        digest=digest(payload).hex(),
        status=status,
        answer=text,
        created_at=timezone.now(),
    )
    return Answer(status, text)


def _remembered(client: str, key: str) -> Remembered[Answer] | None:
    row = Request.objects.filter(client=client, key=key).first()
    if row is None:
        return None
    return Remembered(bytes.fromhex(row.digest), Answer(row.status, row.answer, repeat=True))
