"""Who asks: a till's software, by its key in the header ``Authorization: Bearer``."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.throttling import SimpleRateThrottle

from besnik.store.models import TillKey
from besnik.store.till import keys

# Far more than people at one till can do; it stops a program that has lost its way.
RATE: Final = "600/min"


class KeyAuth(HttpBearer):
    """Lets in whoever has a key that was not taken back; ``request.auth`` is the `TillKey`."""

    def authenticate(self, _request: HttpRequest, token: str) -> TillKey | None:
        """Return the key, None if there is no such."""
        return keys.find(token)


class KeyThrottle(SimpleRateThrottle):
    """Limits the requests of each key."""

    def get_cache_key(self, request: HttpRequest) -> str | None:
        """Return what the requests of a key are counted under."""
        key: TillKey = request.auth  # type: ignore[attr-defined]  # ninja sets it
        return f"till-key-{key.pk}"
