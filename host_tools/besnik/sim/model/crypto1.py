# Crypto1, the cipher of MIFARE Classic, as published by Garcia et al., "Dismantling MIFARE Classic"
# (ESORICS 2008), sections 3 and 4. Bits are numbered in the order in which they are on the air:
# least significant first in each byte, so a word of four bytes is a little-endian number here.

# 4.1: the bits of the 48-bit register that are fed back.
_FEEDBACK = 0
for _bit in (0, 5, 9, 10, 12, 14, 15, 17, 19, 24, 25, 27, 29, 35, 39, 41, 42, 43):
    _FEEDBACK |= 1 << _bit


# 4.1: the three layers of the filter, as tables of one bit for each input.
def _f_a(a: int, b: int, c: int, d: int) -> int:
    return ((a | b) ^ (a & d)) ^ (c & ((a ^ b) | d))


def _f_b(a: int, b: int, c: int, d: int) -> int:
    return ((a & b) | c) ^ ((a ^ b) & (c | d))


def _f_c(a: int, b: int, c: int, d: int, e: int) -> int:
    return (a | ((b | e) & (d ^ e))) ^ ((a ^ (b & d)) & ((c ^ d) | (b & e)))


_F_A = bytes([_f_a(i & 1, i >> 1 & 1, i >> 2 & 1, i >> 3) for i in range(16)])
_F_B = bytes([_f_b(i & 1, i >> 1 & 1, i >> 2 & 1, i >> 3) for i in range(16)])
_F_C = bytes([_f_c(i & 1, i >> 1 & 1, i >> 2 & 1, i >> 3 & 1, i >> 4) for i in range(32)])


# Four odd bits of the register, from bit `at` on.
def _odd(state: int, at: int) -> int:
    state >>= at
    return state & 1 | state >> 1 & 2 | state >> 2 & 4 | state >> 3 & 8


def _parity(value: int) -> int:
    value ^= value >> 32
    value ^= value >> 16
    value ^= value >> 8
    value ^= value >> 4
    return 0x6996 >> (value & 0x0F) & 1


# One cipher state, of a card or of a reader. `key`: six bytes.
class Crypto1:
    def __init__(self, key: bytes):
        self._state = int.from_bytes(key, "little")

    # The next bit of the key stream; `fed` goes into the register with the feedback.
    def _clock(self, fed: int) -> int:
        state = self._state
        key_bit = self._key_bit()
        self._state = state >> 1 | (_parity(state & _FEEDBACK) ^ fed) << 47
        return key_bit

    def _key_bit(self) -> int:
        state = self._state
        return _F_C[
            _F_A[_odd(state, 9)]
            | _F_B[_odd(state, 17)] << 1
            | _F_B[_odd(state, 25)] << 2
            | _F_A[_odd(state, 33)] << 3
            | _F_B[_odd(state, 41)] << 4
        ]

    # 32 bits of key stream while `fed` goes in; `encrypted`: what is fed comes from the air and is
    # decrypted first.
    def word(self, fed: int = 0, encrypted: bool = False) -> int:
        stream = 0
        for index in range(32):
            bit = fed >> index & 1
            if encrypted:
                bit ^= self._key_bit()
            stream |= self._clock(bit) << index
        return stream

    # The nonce of a card as it goes over the air in a session that is already encrypted, or back:
    # the UID is fed in with the plain nonce (5.2 of the same paper's nested authentication).
    def nonce(self, uid: int, word: int, encrypted: bool) -> int:
        out = 0
        for index in range(32):
            key_bit = self._key_bit()
            bit = word >> index & 1
            plain = bit ^ key_bit if encrypted else bit
            out |= (bit ^ key_bit) << index
            self._clock(plain ^ uid >> index & 1)
        return out

    # `bits` of data encrypted or decrypted. Parity bits take no bit of the stream of their own.
    def crypt(self, data: bytes, bits: int) -> bytes:
        out = bytearray(data)
        for index in range(bits):
            out[index >> 3] ^= self._clock(0) << (index & 7)
        return bytes(out)


# The nonce generator, so many steps later (section 3): a register of 16 bits shown 32 at a time.
def successor(nonce: int, steps: int) -> int:
    for _ in range(steps):
        bit = (nonce >> 16 ^ nonce >> 18 ^ nonce >> 19 ^ nonce >> 21) & 1
        nonce = nonce >> 1 | bit << 31
    return nonce


def word_of(octets: bytes) -> int:
    return int.from_bytes(octets, "little")


def octets_of(word: int) -> bytes:
    return word.to_bytes(4, "little")
