"""Originality signatures: NXP signed this UID (NXP AN11350).

The public keys are those that proxmark3 has collected (``originality.c``).

That a chip shows a signature says that NXP made a chip with this UID, not that this is the
chip: copies carry copied signatures. So it serves to turn cheap copies away, and never raises
a card above tier D. Signatures and keys are public, so nothing here has to be secret.
"""

from __future__ import annotations

from typing import Final

import msgspec
from ecdsa import BadSignatureError, VerifyingKey
from ecdsa.curves import NIST192p, NIST224p, SECP128r1

from besnik.credentials.exchange import ExchangeError, Steps

READ_SIG: Final = bytes.fromhex("3C00")  # NTAG 21x, Ultralight EV1 and AES (NTAG213, 10.8)
_UID_LENGTHS: Final = (4, 7, 10)
# r and s; the length of a signature tells its curve.
_CURVES: Final = {32: SECP128r1, 48: NIST192p, 56: NIST224p}


class Family(msgspec.Struct, frozen=True):
    """A family of NXP's chips and the key that signs their UIDs (uncompressed point, hex)."""

    name: str
    public_key: str
    signature_bytes: int


FAMILIES: Final = (
    Family("NTAG 21x", "04494E1A386D3D3CFE3DC10E5DE68A499B1C202DB5B132393E89ED19FE5BE8BC61", 32),
    Family(
        "Ultralight EV1",
        "0490933BDCD6E99B4E255E3DA55389A827564E11718E017292FAF23226A96614B8",
        32,
    ),
    Family(
        "NTAG 210 or Ultralight",
        "04A748B6A632FBEE2C0897702B33BEA1C074998E17B84ACA04FF267E5D2C91F6DC",
        32,
    ),
    Family("Classic EV1", "044F6D3F294DEA5737F0F46FFEE88A356EED95695DD7E0C27A591E6F6F65962BAF", 32),
    Family(
        "Ultralight AES",
        "0453BF8C49B7BD9FE3207A91513B9C1D238ECAB07186B772104AB535F7D3AE63CF"
        "7C7F3DD0D169DA3E99E43C6399621A86",
        48,
    ),
    Family(
        "NTAG 424 DNA",
        "048A9B380AF2EE1B98DC417FECC263F8449C7625CECE82D9B916C992DA209D68422B81EC20B65A66B5"
        "102A61596AF3379200599316A00A1410",
        56,
    ),
    Family(
        "DESFire EV2",
        "04B304DC4C615F5326FE9383DDEC9AA892DF3A57FA7FFB3276192BC0EAA252ED45A865E3B093A3D0DC"
        "E5BE29E92F1392CE7DE321E3E5C52B3A",
        56,
    ),
    Family(
        "DESFire EV3",
        "041DB46C145D0A36539C6544BD6D9B0AA62FF91EC48CBC6ABAE36E0089A46F0D08C8A715EA40A63313"
        "B92E90DDC1730230E0458A33276FB743",
        56,
    ),
)
_KEYS: Final = tuple(
    (family, VerifyingKey.from_string(bytes.fromhex(family.public_key), _CURVES[size]))
    for family in FAMILIES
    for size in (family.signature_bytes,)
)


def family_of(uid: bytes, signature: bytes) -> str | None:
    """Return the family whose key signed ``uid``, None if none did.

    ``signature`` is r and s, 32, 48 or 56 bytes in all; the message is the UID itself.
    """
    if len(uid) not in _UID_LENGTHS:
        return None
    for family, key in _KEYS:
        if family.signature_bytes == len(signature) and _verifies(key, uid, signature):
            return family.name
    return None


def read_signature(uid: bytes) -> Steps[str]:
    """Ask a Type 2 card for its signature and return its family; ExchangeError if it has none."""
    signature = yield READ_SIG
    if len(signature) not in _CURVES:
        raise ExchangeError("malformed", f"{len(signature)} bytes are no originality signature")
    family = family_of(uid, signature)
    if family is None:
        raise ExchangeError("not_authentic", "the signature is not NXP's for this UID")
    return family


def _verifies(key: VerifyingKey, uid: bytes, signature: bytes) -> bool:
    try:
        return bool(key.verify_digest(signature, uid))
    except BadSignatureError:
        return False
