"""What a tap proved: which card it claims to be, and how far that claim can be trusted."""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal

import msgspec

from besnik.credentials import ev2, originality, sun
from besnik.credentials.exchange import Exchange, ExchangeError, ExchangeReason, Steps
from besnik.credentials.keyring import NTAG_AID, Keys

Tier = Literal["A", "B", "C", "D", "X"]
Failure = sun.SunReason
# What a tap's card was found to be beside its tier; for people, not for the verdict.
Finding = Failure | originality.Originality

_UID: Final = re.compile(r"(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})\Z")
_CARD_KINDS: Final = ("uid", "ntag", "ev2")
# credentials.md, section 0: what anyone can copy earns, and what proves nothing not even that.
_REDEEMING: Final[tuple[Tier, ...]] = ("A", "B", "C")
# How a card of another system answers a challenge: it is none of ours, and no forgery either.
_FOREIGN: Final[tuple[ExchangeReason, ...]] = (
    "unsupported",
    "no_application",
    "no_key",
    "not_authentic",
    "refused",
)


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
    ``reason`` says why evidence failed; ``key_version`` which key proved the card;
    ``originality`` whether NXP signed the UID, which raises no tier.
    """

    ref: CardRef
    tier: Tier
    counter: int | None = None
    reason: Failure | None = None
    key_version: int | None = None
    originality: originality.Originality = ""

    @property
    def finding(self) -> Finding:
        """What there is to say about the card or its evidence; "" if nothing."""
        return self.reason or self.originality


class Assessor:
    """Turns evidence into credentials with the keys of one installation."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._signers = originality.Signers(keys.originality)

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

    def examine(self, uid: str, *, is_type2: bool) -> Exchange[Credential] | None:
        """Begin to ask a card that nobody knows what it is; None if it can say nothing.

        As ``challenge``, if a key is for it; a card that then proves nothing comes back as tier D
        with its originality. ``is_type2``: it takes no APDUs. CredentialError if ``uid`` is none.
        """
        shown = assess("uid", uid)
        if shown.tier == "X":
            return None if is_type2 else self.challenge(uid)
        return Exchange(self._examine(shown, is_type2))

    def _examine(self, shown: Credential, is_type2: bool) -> Steps[Credential]:
        uid = bytes.fromhex(shown.ref.data)
        if not is_type2 and ev2.usable(self._keys.ev2, uid):
            try:
                return (yield from self._challenge(uid))
            except ExchangeError as error:
                if error.reason not in _FOREIGN:
                    raise
        found = yield from originality.examine(self._signers, uid, is_type2=is_type2)
        return msgspec.structs.replace(shown, originality=found)

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


def may_redeem(tier: Tier) -> bool:
    """Whether a card of this tier may pay with what it has earned; otherwise it only earns."""
    return tier in _REDEEMING


def assess(kind: str, data: str) -> Credential:
    """Return the credential for evidence that needs no key: ``uid``; CredentialError."""
    if kind != "uid":
        raise CredentialError(f"kind {kind!r} of evidence is unknown; known: uid")
    if not _UID.match(data):
        raise CredentialError("a UID is 4, 7 or 10 bytes as upper-case hex")
    return Credential(CardRef(kind, data), "X" if _is_random(data) else "D")


def _is_random(uid: str) -> bool:
    # ISO/IEC 14443-3 6.5.4: a single-size UID whose uid0 is 08 is a random number, made anew
    # at each activation.
    return len(uid) == 8 and uid.startswith("08")


def card_ref(kind: str, data: str) -> CardRef:
    """Return the reference of a card that can be enrolled or looked up; CredentialError.

    This proves nothing: it only says that the two are of the form that a proof has.
    """
    if kind not in _CARD_KINDS:
        raise CredentialError(f"kind {kind!r} names no card; known: {', '.join(_CARD_KINDS)}")
    if not _UID.match(data) or _is_random(data):
        raise CredentialError("a card has a UID of 4, 7 or 10 bytes as upper-case hex, not random")
    return CardRef(kind, data)
