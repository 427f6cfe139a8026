# MIFARE Classic 1K: three-pass authentication and everything after it in Crypto1 (NXP MF1S50YYX
# rev. 3.2, chapters 10 and 12). Value blocks are not modelled.

from .classic_access import Access
from .crc import crc_ok, with_crc
from .crypto1 import Crypto1, octets_of, successor, word_of
from .family import FamilyPicc
from .noise import Rng

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picc import Said

AUTH_A = 0x60
AUTH_B = 0x61
READ = 0x30
WRITE = 0xA0

# 9.4: four bits.
ACK = 0x0A
NAK_NOT_ALLOWED = 0x04
NAK_CRC = 0x05

BLOCK = 16
BLOCKS = 64
FACTORY_KEY = b"\xff\xff\xff\xff\xff\xff"
# Byte 9 is free; 69 is what NXP leaves there (8.6.3).
FACTORY_ACCESS = b"\xff\x07\x80\x69"
# An estimate; table 20 allows 10 ms.
WRITE_US = 3000


# `blocks` may be set directly. The UID has four or seven bytes, of the longer one the last four
# take part in the authentication (AN10927 3.2.5).
class ClassicPicc(FamilyPicc):
    def __init__(self, uid: bytes, sak: int = 0x08, seed: int = 1, start_us: int = 5000):
        FamilyPicc.__init__(self, uid, sak, None, start_us)
        self.blocks = [bytes(BLOCK) for _ in range(BLOCKS)]
        check = bytes((uid[0] ^ uid[1] ^ uid[2] ^ uid[3],)) if len(uid) == 4 else b""
        self.blocks[0] = (uid + check + bytes((sak,)) + self.atqa + bytes(BLOCK))[:BLOCK]
        for sector in range(BLOCKS // 4):
            self.set_keys(sector, FACTORY_KEY, FACTORY_KEY)
        self._rng = Rng(seed)
        self._cipher: "Crypto1 | None" = None
        self._forget()

    # Keys and access bits of a sector, as the issuer writes them.
    def set_keys(
        self, sector: int, key_a: bytes, key_b: bytes, access: bytes = FACTORY_ACCESS
    ) -> None:
        self.blocks[4 * sector + 3] = key_a + access + key_b

    def _forget(self) -> None:
        self._cipher = None
        self._sector = -1
        self._key = ""
        # The nonce that was sent, while its answer is awaited.
        self._nonce = -1
        # The block that the second part of WRITE goes to.
        self._awaited = -1

    def deselected(self) -> None:
        self._forget()

    # Everything after an authentication is encrypted, HLTA too.
    def _answer(self, data: bytes, bits: int) -> "Said":
        if self._nonce >= 0:
            return self._check(data, bits)
        if self._cipher is not None:
            data = self._cipher.crypt(data, bits)
        return FamilyPicc._answer(self, data, bits)

    def receive(self, data: bytes, bits: int) -> "Said":
        if bits % 8:
            return None
        if not crc_ok(data):
            return self._refuse(NAK_CRC)
        if self._awaited >= 0:
            block, self._awaited = self._awaited, -1
            return self._write(block, data[:-2]) if len(data) == 18 else None
        if len(data) != 4:
            return None
        command, block = data[0], data[1]
        if command in (AUTH_A, AUTH_B):
            return self._challenge(command, block)
        if command == READ:
            return self._read(block)
        if command == WRITE:
            return self._begin_write(block)
        return None

    # ---- authentication (10.1) ----

    # The first nonce goes out in clear; one inside a session encrypted with the new key.
    def _challenge(self, command: int, block: int) -> "Said":
        if block >= BLOCKS:
            return self._refuse(NAK_NOT_ALLOWED)
        was_encrypted = self._cipher is not None
        self._sector = block // 4
        self._key = "A" if command == AUTH_A else "B"
        trailer = self.blocks[4 * self._sector + 3]
        cipher = self._cipher = Crypto1(trailer[:6] if self._key == "A" else trailer[10:])
        uid = word_of(self.uid[-4:])
        # Sixteen bits decide all 32, and are never all zero (crypto1.py).
        seed = word_of(bytes(2) + self._rng.octets(2)) | 1 << 16
        nonce = self._nonce = successor(seed, 32)
        if was_encrypted:
            shown = cipher.nonce(uid, nonce, False)
        else:
            cipher.word(uid ^ nonce)
            shown = nonce
        return octets_of(shown), 32

    # The reader's nonce and its answer to ours; silence when it does not know the key.
    def _check(self, data: bytes, bits: int) -> "Said":
        nonce, self._nonce = self._nonce, -1
        cipher = self._cipher
        if bits != 64 or cipher is None:
            self._fall_back()
            return None
        cipher.word(word_of(data[:4]), True)
        if word_of(data[4:]) ^ cipher.word() != successor(nonce, 64):
            self._fall_back()
            return None
        return octets_of(successor(nonce, 96) ^ cipher.word()), 32

    # ---- memory (12.2, 12.3) ----

    def _say(self, data: bytes, bits: int) -> "Said":
        return (self._cipher.crypt(data, bits) if self._cipher else data), bits

    # Refused, the card is no longer selected.
    def _refuse(self, code: int) -> "Said":
        said = self._say(bytes((code,)), 4)
        self._fall_back()
        return said

    # What the key in use may do in the sector of this block; None for any other sector.
    def _access(self, block: int) -> "Access | None":
        if self._cipher is None or block // 4 != self._sector:
            return None
        return Access(self.blocks[block | 3][6:9])

    def _read(self, block: int) -> "Said":
        access = self._access(block)
        if access is None:
            return self._refuse(NAK_NOT_ALLOWED)
        if block % 4 == 3 and access.opens(self._key):
            data = access.seen(self.blocks[block], self._key)
        elif block % 4 != 3 and access.may_read(block % 4, self._key):
            data = self.blocks[block]
        else:
            return self._refuse(NAK_NOT_ALLOWED)
        return self._say(with_crc(data), 8 * (BLOCK + 2))

    # What a write leaves in the block; None: not allowed. Block 0 is the maker's (8.6.1).
    def _after(self, block: int, data: bytes) -> "bytes | None":
        access = self._access(block)
        if access is None or block == 0:
            return None
        if block % 4 == 3:
            return access.changed(self.blocks[block], data, self._key)
        return data if access.may_write(block % 4, self._key) else None

    def _begin_write(self, block: int) -> "Said":
        if self._after(block, bytes(BLOCK)) is None:
            return self._refuse(NAK_NOT_ALLOWED)
        self._awaited = block
        return self._say(bytes((ACK,)), 4)

    def _write(self, block: int, data: bytes) -> "Said":
        after = self._after(block, data)
        if after is None:
            return self._refuse(NAK_NOT_ALLOWED)
        self.work(WRITE_US)
        self.blocks[block] = after
        return self._say(bytes((ACK,)), 4)
