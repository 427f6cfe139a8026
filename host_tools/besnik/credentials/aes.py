"""AES-128 as NXP's cards use it. Keys and blocks are 16 bytes; nothing here pads but CMAC."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK: Final = 16
ZERO_IV: Final = bytes(BLOCK)


def cmac(key: bytes, message: bytes) -> bytes:
    """Return the 16-byte CMAC of ``message`` (NIST SP 800-38B)."""
    mac = CMAC(algorithms.AES128(key))
    mac.update(message)
    return mac.finalize()


def short_cmac(key: bytes, message: bytes) -> bytes:
    """Return the 8 bytes of the CMAC that NXP's cards send: those at odd places (AN12196)."""
    return cmac(key, message)[1::2]


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """Return one block, encrypted by itself."""
    # A single block of CBC with a zero IV is the bare cipher, without asking for ECB by name.
    return cbc_encrypt(key, ZERO_IV, block)


def cbc_encrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Return whole blocks of ``data``, encrypted in CBC."""
    encryptor = Cipher(algorithms.AES128(key), modes.CBC(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def cbc_decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Return whole blocks of ``data``, decrypted from CBC."""
    decryptor = Cipher(algorithms.AES128(key), modes.CBC(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()
