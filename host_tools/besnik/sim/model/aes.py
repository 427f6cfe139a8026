# AES-128 for the virtual cards: blocks from the platform, CBC, CMAC and key diversification on top.

try:
    from cryptolib import aes as _aes

    # Whole blocks, each by itself (ECB).
    def encrypt(key: bytes, blocks: bytes) -> bytes:
        return bytes(_aes(key, 1).encrypt(blocks))

    def decrypt(key: bytes, blocks: bytes) -> bytes:
        return bytes(_aes(key, 1).decrypt(blocks))

except ImportError:  # CPython
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    def encrypt(key: bytes, blocks: bytes) -> bytes:
        return Cipher(AES(key), ECB()).encryptor().update(blocks)

    def decrypt(key: bytes, blocks: bytes) -> bytes:
        return Cipher(AES(key), ECB()).decryptor().update(blocks)


BLOCK = 16
ZERO = bytes(BLOCK)


def xor(one: bytes, other: bytes) -> bytes:
    return bytes([one[i] ^ other[i] for i in range(len(one))])


# Whole blocks in CBC mode.
def cbc_encrypt(key: bytes, data: bytes, iv: bytes = ZERO) -> bytes:
    out = b""
    for at in range(0, len(data), BLOCK):
        iv = encrypt(key, xor(data[at : at + BLOCK], iv))
        out += iv
    return out


def cbc_decrypt(key: bytes, data: bytes, iv: bytes = ZERO) -> bytes:
    out = b""
    for at in range(0, len(data), BLOCK):
        block = data[at : at + BLOCK]
        out += xor(decrypt(key, block), iv)
        iv = block
    return out


# ISO/IEC 9797-1 padding method 2: 80, then zeros; always at least one byte.
def pad(data: bytes) -> bytes:
    return data + b"\x80" + bytes(-(len(data) + 1) % BLOCK)


# The two subkeys of NIST SP 800-38B 6.1.
def _subkeys(key: bytes) -> "tuple[bytes, bytes]":
    first = _doubled(encrypt(key, ZERO))
    return first, _doubled(first)


def _doubled(block: bytes) -> bytes:
    value = int.from_bytes(block, "big") << 1
    if block[0] & 0x80:
        value ^= 0x87
    return (value & ((1 << 128) - 1)).to_bytes(BLOCK, "big")


# CMAC of NIST SP 800-38B 6.2, all sixteen bytes. `shortest`: a shorter message is padded to that
# many bytes first, and counts as padded.
def cmac(key: bytes, message: bytes, shortest: int = BLOCK) -> bytes:
    whole, padded = _subkeys(key)
    if len(message) >= shortest and len(message) % BLOCK == 0:
        last_key = whole
    else:
        message = pad(message)
        message += bytes(max(0, shortest - len(message)))
        last_key = padded
    last = xor(message[-BLOCK:], last_key)
    return cbc_encrypt(key, message[:-BLOCK] + last)[-BLOCK:]


# The eight bytes 1, 3, 5 ... 15, which NXP's cards send (AN12196 2.3).
def truncated(mac: bytes) -> bytes:
    return bytes([mac[i] for i in range(1, BLOCK, 2)])


# The AES-128 key of one card from a master key and 1 to 31 bytes that tell cards apart
# (AN10922 2.2). Always over two blocks: for short input it is not plain CMAC.
def diversified(master: bytes, distinction: bytes) -> bytes:
    return cmac(master, b"\x01" + distinction, 2 * BLOCK)
