# NTAG213/215/216 and MIFARE Ultralight EV1: their commands (NXP data sheets NTAG213_215_216
# rev. 3.2, whose sections are named here, and MF0ULX1 rev. 3.3).

from .crc import crc_ok, with_crc
from .family import FamilyPicc
from .ndef import in_tlv
from .type2_memory import (
    AUTHLIM,
    NFC_CNT_EN,
    NFC_CNT_PWD_PROT,
    PAGE,
    PRODUCTS,
    PROT,
    USER_PAGE,
    Type2Memory,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picc import Said

GET_VERSION = 0x60
READ = 0x30
FAST_READ = 0x3A
WRITE = 0xA2
COMPATIBILITY_WRITE = 0xA0
READ_CNT = 0x39
INCR_CNT = 0xA5
CHECK_TEARING = 0x3E
PWD_AUTH = 0x1B
READ_SIG = 0x3C
# A chip from before NXP added the others.
BASIC = (READ, WRITE, COMPATIBILITY_WRITE)
ULTRALIGHT_ONLY = (INCR_CNT, CHECK_TEARING)

# 9.3: four bits. The sheet gives no code for a wrong password and for missing rights; cards and
# the emulators that imitate them say 4.
ACK = 0x0A
NAK_ARGUMENT = 0x00
NAK_CRC = 0x01
NAK_NOT_ALLOWED = 0x04
NAK_WRITE = 0x05

COUNTER_MAX = 0xFFFFFF
# 9.8: the longest that writing a page takes.
WRITE_US = 4100


# A card of one of PRODUCTS. Memory, `counters` and `failures` survive the loss of power, an
# authentication does not. `is_basic`: an old or cheap chip that knows none but the BASIC commands.
class Type2Picc(FamilyPicc):
    def __init__(
        self,
        uid: bytes,
        product: str = "ntag213",
        signature: bytes = bytes(32),
        is_basic: bool = False,
        start_us: int = 5000,
    ):
        if len(uid) != 7:
            raise ValueError("a Type 2 card's UID has 7 bytes, not " + str(len(uid)))
        FamilyPicc.__init__(self, uid, 0x00, None, start_us)
        self.product = PRODUCTS[product]
        self.memory = Type2Memory(self.product, self._levels)
        self.signature = signature
        self.is_basic = is_basic
        self.counters = [0, 0, 0]
        self.failures = 0
        self._authenticated = False
        self._has_counted = False
        # The page that the second part of COMPATIBILITY_WRITE goes to.
        self._awaited_page = -1
        # Command: the bytes of its frame, and what it does.
        self._actions = {
            GET_VERSION: (3, self._get_version),
            READ: (4, self._read),
            FAST_READ: (5, self._fast_read),
            WRITE: (8, self._write),
            COMPATIBILITY_WRITE: (4, self._begin_write),
            READ_CNT: (4, self._read_counter),
            INCR_CNT: (8, self._increment),
            CHECK_TEARING: (4, self._check_tearing),
            PWD_AUTH: (7, self._authenticate),
            READ_SIG: (4, self._read_signature),
        }

    # ---- what the issuer does to it ----

    # An NDEF message from page 4 on; the rest of the user memory is empty.
    def hold(self, message: bytes) -> None:
        data = in_tlv(message)
        size = self.product.user_size
        if len(data) > size:
            raise ValueError("the card holds " + str(size) + " bytes, not " + str(len(data)))
        start = PAGE * USER_PAGE
        self.memory.octets[start : start + size] = data + bytes(size - len(data))

    # From page `auth0` on a password is needed to write, with `to_read` to read as well.
    def protect(
        self, password: bytes, pack: bytes, auth0: int, to_read: bool = False, authlim: int = 0
    ) -> None:
        memory = self.memory
        memory.auth0, memory.password, memory.pack = auth0, password, pack
        memory.access = memory.access & ~(PROT | AUTHLIM) | authlim | (PROT if to_read else 0)

    # NTAG: the counter of reads runs (8.5.8); with `protected` it needs the password too.
    def count_reads(self, protected: bool = False) -> None:
        self.memory.access |= NFC_CNT_EN | (NFC_CNT_PWD_PROT if protected else 0)

    # ---- states ----

    def power_up(self, now_ns: int) -> None:
        self._has_counted = False
        FamilyPicc.power_up(self, now_ns)

    def deselected(self) -> None:
        self._authenticated = False
        self._awaited_page = -1

    # Pages from here on cannot be read now.
    def _readable(self) -> int:
        if self._authenticated or not self.memory.access & PROT:
            return self.product.pages
        return min(self.memory.auth0, self.product.pages)

    # ---- commands ----

    def receive(self, data: bytes, bits: int) -> "Said":
        if bits % 8:
            return None
        if not crc_ok(data):
            return self._refuse(NAK_CRC)
        if self._awaited_page >= 0:
            page, self._awaited_page = self._awaited_page, -1
            return self._put(page, data[:4]) if len(data) == 18 else self._refuse(NAK_ARGUMENT)
        command = data[0]
        if command not in self._actions or not self._knows(command):
            return None
        size, action = self._actions[command]
        return action(data) if len(data) == size else self._refuse(NAK_ARGUMENT)

    def _knows(self, command: int) -> bool:
        if self.is_basic:
            return command in BASIC
        return command not in ULTRALIGHT_ONLY or self.product.counters == 3

    # Refused, the card is no longer selected (8.4.4).
    def _refuse(self, code: int) -> "Said":
        self._fall_back()
        return bytes((code,)), 4

    def _acknowledge(self) -> "Said":
        return bytes((ACK,)), 4

    def _say(self, data: bytes) -> "Said":
        frame = with_crc(data)
        return frame, 8 * len(frame)

    def _get_version(self, data: bytes) -> "Said":  # noqa: ARG002 - it has no arguments
        return self._say(self.product.version)

    # Sixteen bytes; behind the last page that may be read comes page 0 (10.2).
    def _read(self, data: bytes) -> "Said":
        page, limit = data[1], self._readable()
        if page >= self.product.pages:
            return self._refuse(NAK_ARGUMENT)
        if page >= limit:
            return self._refuse(NAK_NOT_ALLOWED)
        self._count()
        return self._say(b"".join([self.memory.read((page + i) % limit) for i in range(4)]))

    def _fast_read(self, data: bytes) -> "Said":
        first, last = data[1], data[2]
        if first > last or last >= self.product.pages:
            return self._refuse(NAK_ARGUMENT)
        if last >= self._readable():
            return self._refuse(NAK_NOT_ALLOWED)
        self._count()
        return self._say(b"".join([self.memory.read(page) for page in range(first, last + 1)]))

    # The first READ or FAST_READ in a field counts (8.5.8).
    def _count(self) -> None:
        is_ntag = self.product.counters == 1
        if is_ntag and not self._has_counted and self.memory.access & NFC_CNT_EN:
            self._has_counted = True
            self.counters[2] = min(COUNTER_MAX, self.counters[2] + 1)

    def _write(self, data: bytes) -> "Said":
        return self._put(data[1], data[2:6])

    def _begin_write(self, data: bytes) -> "Said":
        refusal = self._why_not(data[1])
        if refusal >= 0:
            return self._refuse(refusal)
        self._awaited_page = data[1]
        return self._acknowledge()

    def _put(self, page: int, value: bytes) -> "Said":
        refusal = self._why_not(page)
        if refusal >= 0:
            return self._refuse(refusal)
        self.work(WRITE_US)
        self.memory.write(page, value)
        return self._acknowledge()

    # The NAK for a page that cannot be written now, or -1.
    def _why_not(self, page: int) -> int:
        if not 2 <= page < self.product.pages:
            return NAK_ARGUMENT
        if not self._authenticated and page >= self.memory.auth0:
            return NAK_NOT_ALLOWED
        return NAK_WRITE if self.memory.is_locked(page) else -1

    # NTAG: only when it runs, and behind the password when so configured (8.5.8).
    def _read_counter(self, data: bytes) -> "Said":
        number, access = data[1], self.memory.access
        is_ntag = self.product.counters == 1
        if number > 2 or (is_ntag and (number != 2 or not access & NFC_CNT_EN)):
            return self._refuse(NAK_ARGUMENT)
        if is_ntag and access & NFC_CNT_PWD_PROT and not self._authenticated:
            return self._refuse(NAK_NOT_ALLOWED)
        value = self.counters[number]
        return self._say(bytes((value & 0xFF, value >> 8 & 0xFF, value >> 16)))

    def _increment(self, data: bytes) -> "Said":
        number = data[1]
        if number > 2:
            return self._refuse(NAK_ARGUMENT)
        value = self.counters[number] + (data[2] | data[3] << 8 | data[4] << 16)
        if value > COUNTER_MAX:
            return self._refuse(NAK_NOT_ALLOWED)
        self.work(WRITE_US)
        self.counters[number] = value
        return self._acknowledge()

    def _check_tearing(self, data: bytes) -> "Said":
        return self._say(b"\xbd") if data[1] <= 2 else self._refuse(NAK_ARGUMENT)

    # A wrong password counts; after AUTHLIM of them in a row none helps any more (8.8.2).
    def _authenticate(self, data: bytes) -> "Said":
        limit = self.memory.access & AUTHLIM
        if limit and self.failures >= limit:
            return self._refuse(NAK_NOT_ALLOWED)
        if data[1:5] != self.memory.password:
            self.failures += 1
            return self._refuse(NAK_NOT_ALLOWED)
        self.failures = 0
        self._authenticated = True
        return self._say(self.memory.pack)

    def _read_signature(self, data: bytes) -> "Said":
        return self._say(self.signature) if data[1] == 0 else self._refuse(NAK_ARGUMENT)
