"""Keys by which a till's software asks the API: shown once, kept as a digest, revocable."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from typing import Final

from besnik.store.models import Till, TillKey

PREFIX: Final = "besnik_"
_BYTES: Final = 32


def make(till: Till, name: str) -> str:
    """Make a key for ``till`` and return it; nobody can read it again later."""
    key = PREFIX + secrets.token_urlsafe(_BYTES)
    TillKey.objects.create(till=till, name=name, digest=_digest(key))
    return key


def find(key: str) -> TillKey | None:
    """Return the row of a key that was not taken back, with its till and shop; None if none is."""
    digest = _digest(key)
    row = (
        TillKey.objects.filter(digest=digest, revoked_at=None).select_related("till__shop").first()
    )
    return row if row is not None and hmac.compare_digest(row.digest, digest) else None


def revoke(row: TillKey, now: dt.datetime) -> None:
    """Take a key back: it opens nothing from now on."""
    TillKey.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=now)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
