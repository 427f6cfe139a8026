"""What a tap proved: which card it claims to be, and how far that claim can be trusted."""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal

import msgspec

from besnik.credentials import ev2, sun
from besnik.credentials.exchange import Exchange, Steps
from besnik.credentials.keyring import NTAG_AID, Keys

Tier = Literal["A", "B", "C", "D", "X"]
Failure = sun.SunReason

_UID: Final = re.compile(r"(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})\Z")
# ISO/IEC 14443-3 6.5.4: a single-size UID whose uid0 is 08 is a random number, made anew
# at each activation.
_RANDOM_UID: Final = re.compile(r"08[0-9A-F]{6}\Z")
_CARD_KINDS: Final = ("uid", "ntag", "ev2")


class CredentialError(ValueError):
    """Evidence of an unknown kind or in the wrong form."""


class CardRef(msgspec.Struct, frozen=True):
    """Names one card: the kind of proof and the canonical data, a UID in upper-case hex.

    ``uid``: a UID that anyone can copy. ``ntag``: the UID that an NTAG 424 DNA proved, by its
    address or by challenge. ``ev2``: the UID that another card proved by challenge.
    The kinds are never the same card: a copied UID does not become the card that proves it.
    """

    kind: str
    data: str


class Credential(msgspec.Struct, frozen=True):
    """What a tap proved.

    ``tier``: A fresh challenge or a counter that has to rise, B pass with a time window,
    C single-use code, D a UID anyone can copy, X nothing: a random UID, or evidence that
    failed; it names nobody and must never be looked up or enrolled.
    ``counter`` is set for an address (SUN): it is proven only if it is above the highest that
    this card has ever shown, compared and stored in one transaction.
    ``reason`` says why evidence failed; ``key_version`` which key proved the card.
    """

    ref: CardRef
    tier: Tier
    counter: int | None = None
    reason: Failure | None = None
    key_version: int | None = None


class Assessor:
    """Turns evidence into credentials with the keys of one installation."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def assess(self, kind: str, data: str) -> Credential:
        """Return the credential for evidence ``data`` of ``kind``.

        ``uid``: upper-case hex. ``sun``: the address that the card showed, after its first
        ``?``. Raises CredentialError for another kind and for what is no UID. An address that
        proves nothing raises nothing: it comes back, after the same work, as tier X with a reason.
        """
        if kind == "sun":
            return self._assess_address(data)
        return assess(kind, data)

    def challenge(self, uid: str) -> Exchange[Credential] | None:
        """Begin to challenge the card that showed ``uid`` (hex); None if no key is for it.

        The exchange yields APDUs for the card and ends with a credential of tier A, or with
        ExchangeError. CredentialError if ``uid`` is none.
        """
        claimed = bytes.fromhex(assess("uid", uid).ref.data)
        if not ev2.usable(self._keys.ev2, claimed):
            return None
        return Exchange(self._challenge(claimed))

    def _challenge(self, uid: bytes) -> Steps[Credential]:
        proof = yield from ev2.prove(self._keys.ev2, uid)
        kind = "ntag" if proof.application == NTAG_AID else "ev2"
        ref = CardRef(kind, proof.uid.hex().upper())
        return Credential(ref, "A", key_version=proof.key_version)

    def _assess_address(self, text: str) -> Credential:
        # A name for what failed, so that it can be stored and never be taken for a card.
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32].upper()
        try:
            proof = sun.verify(self._keys.sun, text)
        except sun.SunError as error:
            return Credential(CardRef("sun", digest), "X", reason=error.reason)
        ref = CardRef("ntag", proof.uid.hex().upper())
        return Credential(ref, "A", counter=proof.counter, key_version=proof.key_version)


def assess(kind: str, data: str) -> Credential:
    """Return the credential for evidence that needs no key: ``uid``; CredentialError."""
    if kind != "uid":
        raise CredentialError(f"kind {kind!r} of evidence is unknown; known: uid")
    if not _UID.match(data):
        raise CredentialError("a UID is 4, 7 or 10 bytes as upper-case hex")
    return Credential(CardRef(kind, data), "X" if _RANDOM_UID.match(data) else "D")


def card_ref(kind: str, data: str) -> CardRef:
    """Return the reference of a card that can be enrolled or looked up; CredentialError.

    This proves nothing: it only says that the two are of the form that a proof has.
    """
    if kind not in _CARD_KINDS:
        raise CredentialError(f"kind {kind!r} names no card; known: {', '.join(_CARD_KINDS)}")
    if not _UID.match(data) or _RANDOM_UID.match(data):
        raise CredentialError("a card has a UID of 4, 7 or 10 bytes as upper-case hex, not random")
    return CardRef(kind, data)
