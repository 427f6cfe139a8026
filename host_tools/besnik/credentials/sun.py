"""SUN: an NTAG 424 DNA proves itself in the address that it shows (NXP AN12196).

The card mirrors its UID and a counter that rises at every read into its NDEF address, and a
CMAC over them under a key of its own. Reading the address again gives another counter, so
an address is worth one tap. Whoever stores the highest counter of a card decides that;
this module proves only that the card wrote the address.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from besnik.credentials.aes import ZERO_IV, cbc_decrypt, cmac, encrypt_block, short_cmac
from besnik.credentials.an10922 import card_message, diversify
from besnik.credentials.keyring import NTAG_AID, Secret, SunKey
from besnik.credentials.sun_template import SunFields, SunTemplate

SunReason = Literal["bad_mac", "unsupported", "malformed", "no_keys"]

# PICCDataTag: UID and counter are mirrored, the UID has 7 bytes (NT4H2421Gx, 9.3.4). Without
# a counter an address could be shown for ever, so nothing else is accepted.
_UID_AND_COUNTER: Final = 0xC7
_SV1: Final = bytes.fromhex("C33C00010080")
_SV2: Final = bytes.fromhex("3CC300010080")
_TELLING_FIRST: Final[tuple[SunReason, ...]] = ("unsupported", "bad_mac", "malformed")

# What is worked through where there is nothing to check, or no key to check it by.
_NO_FIELDS: Final = SunFields(bytes(16), bytes(7), bytes(3), b"", bytes(8), b"")
_NO_KEY: Final = SunKey(
    version=0,
    template=SunTemplate("e={picc}&m={mac}"),
    meta_key=Secret(bytes(16)),
    file_key=Secret(bytes(16)),
)


class SunError(ValueError):
    """An address that proves nothing; ``reason`` says why.

    ``malformed``: no template fits. ``bad_mac``: a template fits and its keys do not.
    ``unsupported``: the card speaks LRP. ``no_keys``: there is no SUN key at all.
    """

    def __init__(self, reason: SunReason) -> None:
        super().__init__(reason)
        self.reason: SunReason = reason


class SunProof(msgspec.Struct, frozen=True):
    """What a card proved: UID (7 bytes), counter, file data; and by which version of the key."""

    uid: bytes
    counter: int
    file_data: bytes
    key_version: int


def verify(keys: Sequence[SunKey], text: str) -> SunProof:
    """Return what the card that wrote ``text`` proved; SunError if nothing.

    ``text`` is the address after its first ``?``, exactly as it was read. Every key is tried
    in full whatever comes out, so that the time taken says nothing about the answer.
    """
    proofs: list[SunProof] = []
    reasons: set[SunReason] = set()
    for key in keys:
        fields = key.template.read(text)
        if fields is None or fields.is_lrp:
            _prove(key, _NO_FIELDS)
            reasons.add("malformed" if fields is None else "unsupported")
        elif (proof := _prove(key, fields)) is not None:
            proofs.append(proof)
        else:
            reasons.add("bad_mac")
    if proofs:
        return proofs[0]
    if not keys:
        _prove(_NO_KEY, _NO_FIELDS)
        raise SunError("no_keys")
    raise SunError(next(reason for reason in _TELLING_FIRST if reason in reasons))


def session_keys(file_key: bytes, uid: bytes, ctr: bytes) -> tuple[bytes, bytes]:
    """Return the session keys for file data and for MAC (NT4H2421Gx, 9.3.9).

    ``uid`` is 7 bytes, ``ctr`` 3 bytes, least significant first.
    """
    return cmac(file_key, _SV1 + uid + ctr), cmac(file_key, _SV2 + uid + ctr)


def file_iv(enc_key: bytes, ctr: bytes) -> bytes:
    """Return the IV of the file data at counter ``ctr`` (NT4H2421Gx, 9.3.6.1)."""
    return encrypt_block(enc_key, ctr + bytes(13))


def _prove(key: SunKey, fields: SunFields) -> SunProof | None:
    uid, ctr, tagged = fields.uid, fields.ctr, True
    if key.meta_key is not None:
        picc = cbc_decrypt(key.meta_key.reveal(), ZERO_IV, fields.picc)
        uid, ctr, tagged = picc[1:8], picc[8:11], picc[0] == _UID_AND_COUNTER
    file_key = key.file_key.reveal()
    if key.diversified:
        file_key = diversify(file_key, card_message(uid, NTAG_AID, key.system))
    enc_key, mac_key = session_keys(file_key, uid, ctr)
    mac = short_cmac(mac_key, fields.mac_input)
    file_data = cbc_decrypt(enc_key, file_iv(enc_key, ctr), fields.file)
    genuine = hmac.compare_digest(mac, fields.mac)
    if not (genuine and tagged):
        return None
    return SunProof(uid, int.from_bytes(ctr, "little"), file_data, key.version)
