"""The keys that prove cards, by kind and version. None of them ever shows itself."""

from __future__ import annotations

from typing import Annotated, Final, NoReturn

import msgspec

from besnik.credentials.sun_template import SunTemplate

NTAG_AID: Final = bytes.fromhex("D2760000850101")  # the NDEF application of an NTAG 424 DNA
KEYS_MAX: Final = 16  # of a kind: every SUN key is tried at every SUN tap

Version = Annotated[int, msgspec.Meta(ge=0, le=255)]
# Key 0 can change the others (DESFire, NTAG 424): it has no place on a host that faces readers.
KeyNumber = Annotated[int, msgspec.Meta(ge=1, le=13)]
Aid = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-F]{6}|([0-9A-F]{2}){5,16})\Z")]
SignerName = Annotated[str, msgspec.Meta(pattern=r"^[ -~]{1,40}\Z")]
PublicKey = Annotated[str, msgspec.Meta(pattern=r"^04([0-9A-F]{64}|[0-9A-F]{96}|[0-9A-F]{112})\Z")]
System = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{0,12}\Z")]


class Secret:
    """A key of 16 bytes that shows itself to nobody who does not ask with ``reveal``."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            raise ValueError("a key is 16 bytes")
        self._key = key

    def reveal(self) -> bytes:
        """Return the key."""
        return self._key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not written anywhere")


class SunKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What proves an NTAG 424 DNA by its address; ``file_key`` is a master if diversified.

    ``meta_key`` opens ``{picc}``; a template that shows UID and counter in clear has none.
    """

    version: Version
    template: SunTemplate
    file_key: Secret
    meta_key: Secret | None = None
    diversified: bool = True
    system: System = "besnik"


class Ev2Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What proves a card by challenge: application, number of its key, key or master key.

    ``aid`` is upper-case hex as the command that selects the application carries it: 3 bytes
    for DESFire's own selection (least significant first), 5 to 16 for one by ISO name.
    """

    version: Version
    aid: Aid
    key_number: KeyNumber
    key: Secret
    diversified: bool = True
    system: System = "besnik"

    @property
    def application(self) -> bytes:
        """The AID as bytes."""
        return bytes.fromhex(self.aid)


class OriginalityKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who else than NXP signs UIDs: a name, and the public key as an uncompressed point in hex."""

    name: SignerName
    public_key: PublicKey


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All keys of an installation; none by default. ``originality`` comes beside NXP's own."""

    sun: Annotated[tuple[SunKey, ...], msgspec.Meta(max_length=KEYS_MAX)] = ()
    ev2: Annotated[tuple[Ev2Key, ...], msgspec.Meta(max_length=KEYS_MAX)] = ()
    originality: Annotated[tuple[OriginalityKey, ...], msgspec.Meta(max_length=KEYS_MAX)] = ()
