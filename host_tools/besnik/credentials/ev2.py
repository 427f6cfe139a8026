"""AuthenticateEV2First: NTAG 424 DNA and DESFire EV2/EV3 prove that they hold their key.

Card and host each answer the other's random number under an AES key that never leaves them
(NT4H2421Gx, 9.1; AN12196). A key of the card's own proves its UID with that; a key that many
cards share proves only the family, so the card is then asked for its UID over the session,
as it is if it shows a random one.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from besnik.credentials.aes import (
    BLOCK,
    ZERO_IV,
    cbc_decrypt,
    cbc_encrypt,
    cmac,
    encrypt_block,
    short_cmac,
)
from besnik.credentials.an10922 import card_message, diversify
from besnik.credentials.exchange import ExchangeError, ExchangeReason, Steps
from besnik.credentials.keyring import Ev2Key

# Each failure counts in the card, and the card goes slow, then locks the key (NT4H2421Gx, 9):
# the present key and the one before it, no more.
ATTEMPTS_MAX: Final = 2
SELECTIONS_MAX: Final = 4

_UID_BYTES: Final = 7
_DESFIRE_AID_BYTES: Final = 3
_MORE: Final = 0x91AF
_DONE: Final = 0x9100
_ISO_DONE: Final = 0x9000
_PADDING: Final = b"\x80" + bytes(BLOCK - _UID_BYTES - 1)  # ISO/IEC 9797-1, method 2
# NT4H2421Gx, 10.3; 91A0 is DESFire's. A card set to LRP refuses EV2 with 919D (table 19).
_REASONS: Final[dict[int, ExchangeReason]] = {
    0x6A82: "no_application",
    0x91A0: "no_application",
    0x9140: "no_key",
    0x919D: "unsupported",
    0x911C: "unsupported",
    0x6D00: "unsupported",
    0x6E00: "unsupported",
    0x91AE: "not_authentic",
}


class Ev2Proof(msgspec.Struct, frozen=True):
    """What a card proved: its UID, in which application, and by which version of the key."""

    uid: bytes
    application: bytes
    key_version: int


class Session:
    """What an authentication leaves: keys and a counter that every command raises."""

    __slots__ = ("_counter", "_enc_key", "_mac_key", "_ti")

    def __init__(self, enc_key: bytes, mac_key: bytes, ti: bytes) -> None:
        """Begin at counter 0 with the 4-byte transaction identifier ``ti``."""
        self._enc_key = enc_key
        self._mac_key = mac_key
        self._ti = ti
        self._counter = 0

    def card_uid(self) -> Steps[bytes]:
        """Ask for the 7-byte UID with GetCardUID, encrypted (NT4H2421Gx, 9.1.10 and 10.5.3)."""
        mac = short_cmac(self._mac_key, b"\x51" + self._count() + self._ti)
        answer = yield bytes.fromhex("9051000008") + mac + b"\0"
        data = _data(answer, _DONE, BLOCK + 8, "GetCardUID")
        self._counter += 1
        sealed, mac = data[:BLOCK], data[BLOCK:]
        expected = short_cmac(self._mac_key, b"\0" + self._count() + self._ti + sealed)
        if not hmac.compare_digest(mac, expected):
            raise ExchangeError("bad_mac", "the MAC of GetCardUID is wrong")
        iv = encrypt_block(self._enc_key, b"\x5a\xa5" + self._ti + self._count() + bytes(8))
        plain = cbc_decrypt(self._enc_key, iv, sealed)
        if plain[_UID_BYTES:] != _PADDING:
            raise ExchangeError("malformed", "GetCardUID gave no UID of 7 bytes")
        return plain[:_UID_BYTES]

    def _count(self) -> bytes:
        return self._counter.to_bytes(2, "little")


# After these the next key is tried, the most telling last. A card of another family does not even
# know the command that selects an application ("unsupported").
_NEXT_KEY: Final = ("unsupported", "no_application", "no_key", "not_authentic")


def prove(
    keys: Sequence[Ev2Key], uid: bytes, random: Callable[[int], bytes] = secrets.token_bytes
) -> Steps[Ev2Proof]:
    """Let the card that showed ``uid`` prove itself by one of ``keys``, newest version first.

    ``uid`` is what the card said of itself at selection, random or not; ``random`` gives
    so many random bytes. Raises ExchangeError.
    """
    attempts = 0
    error = ExchangeError("unsupported", "no key is for a card with such a UID")
    for key in usable(keys, uid)[:SELECTIONS_MAX]:
        if attempts == ATTEMPTS_MAX:
            break
        try:
            yield from _select(key.application)
            attempts += 1
            return (yield from _prove_by(key, uid, random))
        except ExchangeError as failed:
            if failed.reason not in _NEXT_KEY:
                raise
            # Of several refusals the most telling one is reported.
            if _NEXT_KEY.index(failed.reason) >= _NEXT_KEY.index(error.reason):
                error = failed
    raise error


def usable(keys: Sequence[Ev2Key], uid: bytes) -> list[Ev2Key]:
    """Return the keys that a card with this UID could answer, newest version first.

    Nobody knows the own key of a card that hides its UID.
    """
    fit = [key for key in keys if not key.diversified or len(uid) == _UID_BYTES]
    return sorted(fit, key=lambda key: key.version, reverse=True)


def authenticate(
    key: bytes, key_number: int, random: Callable[[int], bytes] = secrets.token_bytes
) -> Steps[Session]:
    """Authenticate with the 16-byte ``key``; the application is selected (NT4H2421Gx, 9.1.5)."""
    answer = yield bytes.fromhex("9071000002") + bytes((key_number, 0, 0))
    rnd_b = cbc_decrypt(key, ZERO_IV, _data(answer, _MORE, BLOCK, "AuthenticateEV2First"))
    rnd_a = random(BLOCK)
    sealed = cbc_encrypt(key, ZERO_IV, rnd_a + rnd_b[1:] + rnd_b[:1])
    answer = yield bytes.fromhex("90AF000020") + sealed + b"\0"
    data = _data(answer, _DONE, 2 * BLOCK, "the second part of AuthenticateEV2First")
    plain = cbc_decrypt(key, ZERO_IV, data)
    if not hmac.compare_digest(plain[4:20], rnd_a[1:] + rnd_a[:1]):
        raise ExchangeError("not_authentic", "the card did not answer the host's random number")
    return Session(*session_keys(key, rnd_a, rnd_b), plain[:4])


def session_keys(key: bytes, rnd_a: bytes, rnd_b: bytes) -> tuple[bytes, bytes]:
    """Return the session keys for data and for MAC (NT4H2421Gx, 9.1.7)."""
    mixed = bytes(a ^ b for a, b in zip(rnd_a[2:8], rnd_b[:6], strict=True))
    vector = bytes.fromhex("00010080") + rnd_a[:2] + mixed + rnd_b[6:] + rnd_a[8:]
    return cmac(key, b"\xa5\x5a" + vector), cmac(key, b"\x5a\xa5" + vector)


def _prove_by(key: Ev2Key, uid: bytes, random: Callable[[int], bytes]) -> Steps[Ev2Proof]:
    application, card_key = key.application, key.key.reveal()
    if key.diversified:
        card_key = diversify(card_key, card_message(uid, application, key.system))
    session = yield from authenticate(card_key, key.key_number, random)
    proven = uid if key.diversified else (yield from session.card_uid())
    if len(uid) == _UID_BYTES and proven != uid:
        # The reader said another UID than the card does: a card beside the card, or a lie.
        raise ExchangeError("wrong_uid", "the card has another UID than it showed")
    return Ev2Proof(proven, application, key.version)


def _select(aid: bytes) -> Steps[None]:
    if len(aid) == _DESFIRE_AID_BYTES:
        answer = yield bytes.fromhex("905A000003") + aid + b"\0"
        _data(answer, _DONE, 0, "SelectApplication")
    else:
        answer = yield bytes.fromhex("00A40400") + bytes((len(aid),)) + aid + b"\0"
        # What an application says of itself (FCI) is of any length and of no interest.
        _data(answer, _ISO_DONE, None, "the selection of the application")


def _data(answer: bytes, status: int, length: int | None, what: str) -> bytes:
    """Return the data of an answer of exactly this status and length; ExchangeError."""
    if len(answer) < 2:
        raise ExchangeError("malformed", f"the answer to {what} has no status")
    data, found = answer[:-2], int.from_bytes(answer[-2:], "big")
    if found != status:
        reason = _REASONS.get(found, "refused")
        raise ExchangeError(reason, f"the card answered {found:04X} to {what}")
    if length is not None and len(data) != length:
        raise ExchangeError("malformed", f"{len(data)} bytes answered {what}, not {length}")
    return data
