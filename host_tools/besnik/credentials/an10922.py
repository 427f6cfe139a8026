"""One AES-128 key per card from one master key: NXP AN10922, section 2.2.

A master key on the host makes the key of any card again from the card's UID; a card whose key
was taken out gives away itself and no other card.
"""

from __future__ import annotations

from typing import Final

from besnik.credentials.aes import BLOCK, ZERO_IV, cbc_encrypt, encrypt_block

MESSAGE_MAX: Final = 31
_AES128_KEY: Final = b"\x01"  # AN10922 2.2: the constant that asks for an AES-128 key
_CMAC_POLYNOMIAL: Final = 0x87


def diversify(master: bytes, message: bytes) -> bytes:
    """Return the card's key for ``message`` of 1 to 31 bytes; ValueError if it is longer or empty.

    This is a CMAC over constant and message, except that AN10922 pads to two blocks however
    short the message is: below 16 bytes a plain CMAC gives another key.
    """
    if not 1 <= len(message) <= MESSAGE_MAX:
        raise ValueError(f"the diversification input is 1 to {MESSAGE_MAX} bytes")
    data = _AES128_KEY + message
    full = len(data) == 2 * BLOCK
    if not full:
        data = (data + b"\x80").ljust(2 * BLOCK, b"\0")
    subkey = _double(encrypt_block(master, bytes(BLOCK)))
    if not full:
        subkey = _double(subkey)
    last = bytes(a ^ b for a, b in zip(data[BLOCK:], subkey, strict=True))
    return cbc_encrypt(master, ZERO_IV, data[:BLOCK] + last)[BLOCK:]


def card_message(uid: bytes, aid: bytes, system: str) -> bytes:
    """Return the diversification input of a card: UID, application, name of the system.

    ``aid`` is in the order in which the command that selects the application carries it.
    """
    return uid + aid + system.encode("ascii")


def _double(block: bytes) -> bytes:
    """Return the block times x in GF(2^128) (NIST SP 800-38B, 6.1)."""
    number = int.from_bytes(block, "big")
    shifted = (number << 1) & ((1 << 128) - 1)
    return (shifted ^ (_CMAC_POLYNOMIAL * (number >> 127))).to_bytes(BLOCK, "big")
