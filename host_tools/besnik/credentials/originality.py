"""Originality signatures: NXP signed this UID (NXP AN11350).

The public keys are those that proxmark3 has collected (``originality.c``).

That a chip shows a signature says that NXP made a chip with this UID, not that this is the
chip: copies carry copied signatures. So it serves to turn cheap copies away, and never raises
a card above tier D. Signatures and keys are public, so nothing here has to be secret; whoever
may write the key file can name a signer of their own beside NXP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from ecdsa import BadSignatureError, VerifyingKey
from ecdsa.curves import NIST192p, NIST224p, SECP128r1
from ecdsa.errors import MalformedPointError

from besnik.credentials.exchange import Steps
from besnik.credentials.keyring import OriginalityKey

# ``genuine``: signed; ``copy``: it showed a signature that nobody made; "": nobody could tell.
Originality = Literal["", "genuine", "copy"]

READ_SIG: Final = bytes.fromhex("3C00")  # NTAG 21x and Ultralight EV1 (NTAG213, 10.8)
# NTAG 424 and DESFire, with a status of its own (AN12343, table 44).
READ_SIG_APDU: Final = bytes.fromhex("903C0000010000")
_SIGNED: Final = bytes.fromhex("9190")
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


class Signers:
    """Whose signature makes a card genuine: NXP, and whom the installation names beside."""

    def __init__(self, own: Sequence[OriginalityKey] = ()) -> None:
        """Take further keys; ValueError if one is no point of its curve."""
        families = [*FAMILIES, *(_family(key) for key in own)]
        self._keys = [(family, _verifying(family)) for family in families]

    def family_of(self, uid: bytes, signature: bytes) -> str | None:
        """Return the family whose key signed ``uid``, None if none did.

        ``signature`` is r and s, 32, 48 or 56 bytes in all; the message is the UID itself.
        """
        if len(uid) not in _UID_LENGTHS:
            return None
        for family, key in self._keys:
            if family.signature_bytes == len(signature) and _verifies(key, uid, signature):
                return family.name
        return None


def examine(signers: Signers, uid: bytes, *, is_type2: bool) -> Steps[Originality]:
    """Ask the card that showed ``uid`` for its signature and return what that is worth.

    A card that answers an APDU with an error is none of NXP's, or an old one: "".
    """
    signature = yield READ_SIG if is_type2 else READ_SIG_APDU
    if not is_type2:
        signature, status = signature[:-2], signature[-2:]
        if status != _SIGNED:
            return ""
    return "copy" if signers.family_of(uid, signature) is None else "genuine"


def _family(key: OriginalityKey) -> Family:
    return Family(key.name, key.public_key, len(key.public_key) // 2 - 1)


def _verifying(family: Family) -> VerifyingKey:
    curve = _CURVES.get(family.signature_bytes)
    if curve is None:
        raise ValueError("a public key is 04 and two coordinates of 16, 24 or 28 bytes")
    try:
        return VerifyingKey.from_string(bytes.fromhex(family.public_key), curve)
    except MalformedPointError:
        raise ValueError("this point is not on its curve") from None


def _verifies(key: VerifyingKey, uid: bytes, signature: bytes) -> bool:
    try:
        return bool(key.verify_digest(signature, uid))
    except BadSignatureError:
        return False
