"""The key that signs releases, and its signature: RSA-3072, PKCS#1 v1.5, SHA-256 (RFC 8017, 8.2).

Of the signatures a reader could check in Python, RSA with e = 65537 is the quickest: 17
multiplications. The key stays where releases are made; readers and the host that faces them have
the public half only: the modulus, as 384 bytes.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final, TypeGuard

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from besnik.broker import write_private

BYTES: Final = 384  # of the modulus, and of a signature
EXPONENT: Final = 65537
_KEY_BYTES_MAX: Final = 16 * 1024  # a PEM file of such a key has 3 KB


class SigningError(ValueError):
    """A key that cannot be made or used; the text says what to do."""


def make_key(file: Path, passphrase: bytes = b"") -> Path:
    """Make a key in ``file``, its public half beside it, and return that one's path.

    An empty ``passphrase`` leaves the file unencrypted. SigningError rather than a key replaced.
    """
    public = file.with_suffix(".pub")
    for path in (file, public):
        if path.exists():
            raise SigningError(
                f"{path} is there already: readers obey only the key they were flashed with, so "
                "none is replaced; name another file"
            )
    key = rsa.generate_private_key(EXPONENT, BYTES * 8)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, _pem(key, passphrase))
    public.write_bytes(public_half(key))
    return public


def load_key(file: Path, passphrase: bytes = b"") -> rsa.RSAPrivateKey:
    """Return the key in ``file``; SigningError if it is none, or not by this passphrase.

    So it is if others than its owner can read it.
    """
    try:
        text, others = file.read_bytes(), stat.S_IMODE(file.stat().st_mode) & 0o077
    except FileNotFoundError:
        raise SigningError(
            f"{file} does not exist: make a key with besnik fleet release --new-key {file}"
        ) from None
    if os.name == "posix" and others:
        raise SigningError(
            f"{file} can be read by others on this machine, who could then change every reader:"
            f" chmod 600 {file}; and if it is not your machine alone, make another key"
        )
    try:
        key = serialization.load_pem_private_key(text, passphrase or None)
    except (TypeError, ValueError) as error:
        raise SigningError(f"{file} cannot be opened as a key: {error}") from error
    if not _is_ours(key):
        raise SigningError(f"{file} is no RSA key of {BYTES * 8} bits: make one with --new-key")
    return key


def keep_off_host(file: Path, state: Path) -> None:
    """Raise SigningError if a key's file is in the state folder of a host that faces readers."""
    if file.resolve().is_relative_to(state.resolve()):
        raise SigningError(
            f"{file} is in the state folder of the shop's host, which faces the readers: whoever"
            " gets in there could then change every reader. Keep the key on the machine that makes"
            " releases, and only its .pub here"
        )


def keys_in(folder: Path) -> list[Path]:
    """Return the files below ``folder`` that are keys which sign releases, or may be.

    What cannot be read, or goes meanwhile, is passed over.
    """
    files = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
    return sorted(path for path in files if _may_be_key(path))


def _may_be_key(file: Path) -> bool:
    try:
        if not file.is_file():
            return False
        with file.open("rb") as opened:
            text = opened.read(_KEY_BYTES_MAX)
        if not text.startswith(b"-----BEGIN ") or b"PRIVATE KEY" not in text.partition(b"\n")[0]:
            return False
        return _is_ours(serialization.load_pem_private_key(text, None))
    except TypeError:  # it wants a passphrase, which none of the host's own keys does
        return True
    except (OSError, ValueError, UnsupportedAlgorithm):
        return False


def _is_ours(key: object) -> TypeGuard[rsa.RSAPrivateKey]:
    return isinstance(key, rsa.RSAPrivateKey) and key.key_size == BYTES * 8


def is_encrypted(file: Path) -> bool:
    """Return whether a key's file wants a passphrase."""
    try:
        return b"ENCRYPTED" in file.read_bytes().partition(b"\n")[0]
    except OSError:
        return False


def load_public(file: Path) -> bytes:
    """Return the public half in ``file``; SigningError if there is none."""
    try:
        modulus = file.read_bytes()
    except FileNotFoundError:
        raise SigningError(
            f"{file} does not exist: it is the public half of the key that signs releases; copy "
            "the .pub that besnik fleet release --new-key made to there"
        ) from None
    if len(modulus) != BYTES or not modulus[0] & 0x80 or not modulus[-1] & 1:
        raise SigningError(
            f"{file} is not the public half of a release key: that has {BYTES} bytes and is made "
            "by besnik fleet release --new-key"
        )
    return modulus


def public_half(key: rsa.RSAPrivateKey) -> bytes:
    """Return the modulus of a key, as readers keep it."""
    return key.public_key().public_numbers().n.to_bytes(BYTES, "big")


def sign(key: rsa.RSAPrivateKey, text: bytes) -> bytes:
    """Return the signature of ``text``, 384 bytes."""
    return key.sign(text, padding.PKCS1v15(), hashes.SHA256())


def is_signed(public: bytes, text: bytes, signature: bytes) -> bool:
    """Return whether ``signature`` was made over ``text`` by the key of this public half."""
    numbers = rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(public, "big"))
    try:
        numbers.public_key().verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _pem(key: rsa.RSAPrivateKey, passphrase: bytes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption(),
    )
