"""Keyed digests: what names a person to us alone, and says nothing to who reads the database."""

from __future__ import annotations

import hmac

from django.conf import settings

_SEPARATOR = "\x1f"


def keyed(purpose: str, *parts: str) -> bytes:
    """Return HMAC-SHA-256 of ``parts`` under the installation's key; 32 bytes.

    Digests of different purposes have nothing in common. The key is the one in the state folder
    (``besnik.site.secret``): who restores a database without it has to enter phone numbers anew.
    """
    text = _SEPARATOR.join((purpose, *parts))
    return hmac.digest(settings.SECRET_KEY.encode(), text.encode(), "sha256")
