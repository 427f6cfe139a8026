"""The same request twice is done once: what a repeated key gets.

Status codes of draft-ietf-httpapi-idempotency-key-header-07: 422 another payload, 409 in flight.
"""

from __future__ import annotations

import hashlib
from typing import Generic, TypeVar

import msgspec

Answer = TypeVar("Answer")


class KeyConflictError(ValueError):
    """The key was used for another request (status 422): use a new key for a new request."""

    status = 422


class InFlightError(ValueError):
    """The first request with this key has no answer yet (status 409): ask again later."""

    status = 409


class Remembered(msgspec.Struct, Generic[Answer], frozen=True):
    """What is kept under a key: the payload's digest, and the answer once there is one."""

    digest: bytes
    answer: Answer | None = None


def digest(payload: object) -> bytes:
    """Return the SHA-256 of ``payload`` as JSON with sorted keys; equal payloads, equal digest."""
    return hashlib.sha256(msgspec.json.encode(payload, order="sorted")).digest()


def recall(remembered: Remembered[Answer] | None, payload: object) -> Answer | None:
    """Return the answer this key was given, None if the request is new.

    KeyConflictError if the key came with another payload; InFlightError if it has no answer yet.
    """
    if remembered is None:
        return None
    if remembered.digest != digest(payload):
        raise KeyConflictError("this idempotency key was used for another request: use a new key")
    if remembered.answer is None:
        raise InFlightError(
            "the first request with this key is still being worked on: ask again later"
        )
    return remembered.answer
