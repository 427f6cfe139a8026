"""What a tap proved: which card it claims to be, and how far that claim can be trusted."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

Tier = Literal["A", "B", "C", "D", "X"]

_UID: Final = re.compile(r"(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})\Z")
# ISO/IEC 14443-3 6.5.4: a single-size UID whose uid0 is 08 is a random number, made anew
# at each activation.
_RANDOM_UID: Final = re.compile(r"08[0-9A-F]{6}\Z")


class CredentialError(ValueError):
    """Evidence of an unknown kind or in the wrong form."""


class CardRef(msgspec.Struct, frozen=True):
    """Names one card: the kind of evidence and its canonical data (``uid``: upper-case hex)."""

    kind: str
    data: str


class Credential(msgspec.Struct, frozen=True):
    """What a tap proved.

    ``tier``: A fresh challenge, B pass with a time window, C single-use code, D a UID anyone
    can copy, X a random UID that names nobody and must never be looked up or enrolled.
    """

    ref: CardRef
    tier: Tier


def assess(kind: str, data: str) -> Credential:
    """Return the credential for evidence ``data`` of ``kind``; CredentialError if it is none."""
    if kind != "uid":
        raise CredentialError(f"kind {kind!r} of evidence is unknown; known: uid")
    if not _UID.match(data):
        raise CredentialError("a UID is 4, 7 or 10 bytes as upper-case hex")
    return Credential(CardRef(kind, data), "X" if _RANDOM_UID.match(data) else "D")
