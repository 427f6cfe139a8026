# ISO/IEC 14443-3 type A at 106 kbit/s: request, anticollision, select and halt over a PCD such as
# mfrc522.MFRC522. Section numbers are those of ISO/IEC 14443-3.

from mfrc522 import COLLISION, DEAF, TIMEOUT
from micropython import const

# 6.4.1: commands of seven bits, as SPI frames for the FIFO of the MFRC522 (address 0x09 << 1).
_REQA_FRAME = const(b"\x12\x26")
_WUPA_FRAME = const(b"\x12\x52")
_HLTA = const(b"\x50\x00\x57\xcd")  # 6.4.3, with its CRC_A

_CASCADE_TAG = const(0x88)  # 6.5.4
_SAK_CASCADE = const(0x04)  # 6.5.3.4: UID not complete
_SEL = const(b"\x93\x95\x97")  # 6.5.3.1, cascade levels 1 to 3
_MAX_COLLISIONS = const(32)


# By the negative result of an exchange: mfrc522's, and two of checked().
_REASONS = const(
    ("timeout", "collision", "parity", "protocol", "overflow", "deaf", "crc", "length")
)
_BAD_CRC = const(-7)
_BAD_LENGTH = const(-8)


# A card left, answered wrongly, or the chip is deaf. reason: "timeout", "deaf", "collision",
# "parity", "protocol", "overflow", "length", "bcc", "crc" or "cascade"; a negative result is turned
# into its word.
class CardError(Exception):
    def __init__(self, reason):
        self.reason = reason if isinstance(reason, str) else _REASONS[-1 - reason]
        super().__init__(self.reason)


# CRC_A (ISO/IEC 14443-3, Annex B) of the first n bytes: low byte first on the air.
def crc_a(data, n):
    crc = 0x6363
    for i in range(n):
        b = data[i] ^ crc & 0xFF
        b = (b ^ b << 4) & 0xFF
        crc = (crc >> 8 ^ b << 8 ^ b << 3 ^ b >> 4) & 0xFFFF
    return crc


# Puts CRC_A behind the first n bytes of a frame; returns n + 2.
def append_crc(frame, n):
    crc = crc_a(frame, n)
    frame[n] = crc & 0xFF
    frame[n + 1] = crc >> 8
    return n + 2


# Looks at the answer of an exchange that ends with CRC_A: rx, and its number of bits or a negative
# result. Returns the number of bytes without CRC_A, or a negative result.
def checked(rx, bits):
    if bits < 0:
        return bits
    n = bits // 8 - 2
    if bits & 7 or n < 1:
        return _BAD_LENGTH
    if crc_a(rx, n) != rx[n] | rx[n + 1] << 8:
        return _BAD_CRC
    return n


# A selected card. uid: 4, 7 or 10 bytes. sak: the last SAK, which tells what the card speaks.
class Card:
    def __init__(self, uid, sak):
        self.uid = uid
        self.sak = sak

    # A UID of four bytes beginning 0x08 is drawn anew at each activation (6.5.4): it names nobody.
    @property
    def has_random_uid(self):
        return len(self.uid) == 4 and self.uid[0] == 0x08


# The type A cards in the field of one PCD.
class TypeA:
    def __init__(self, pcd):
        self._pcd = pcd
        self._frame = bytearray(9)

    # Sends REQA: True when at least one idle card answers, clean or not; False when none does.
    # Raises CardError("deaf") when the chip does not answer. Allocates nothing on an empty field.
    def request(self, frame=_REQA_FRAME):
        got = self._pcd.poll(frame)
        if got == DEAF:
            raise CardError(got)
        return got != TIMEOUT

    # Sends WUPA: as request(), and halted cards answer too.
    def wake(self):
        return self.request(_WUPA_FRAME)

    # Selects one of the cards that answered. Bitwise anticollision takes the 1 branch, so of
    # several cards exactly one is selected. Raises CardError.
    def select(self):
        uid = b""
        for sel in _SEL:
            part = self._anticollision(sel)
            sak = self._select(sel)
            if not sak & _SAK_CASCADE:
                return Card(uid + part, sak)
            if part[0] != _CASCADE_TAG:
                raise CardError("cascade")
            uid += part[1:]
        raise CardError("cascade")

    # Selects the card of a known UID among those that answered, as select(); no anticollision.
    def reselect(self, uid):
        return Card(uid, self._reselect(uid, len(uid) // 3))

    # True when the woken card whose UID is given answers SELECT of its first cascade level, or of
    # all levels; False when nobody answers. Raises CardError when the answer is damaged.
    def is_present(self, uid, is_whole=False):
        try:
            self._reselect(uid, len(uid) // 3 if is_whole else 1)
        except CardError as error:
            if error.reason != "timeout":
                raise
            return False
        return True

    # Sends HLTA: the selected card sleeps until WUPA. No answer is the right answer (6.4.3).
    def halt(self):
        if self._pcd.transceive(_HLTA, 4, rx_bytes=0) == DEAF:
            raise CardError("deaf")

    # Leaves UID part and BCC of one cascade level in the frame; returns the four bytes of the part.
    def _anticollision(self, sel):
        frame = self._frame
        frame[0] = sel
        for i in range(2, 7):
            frame[i] = 0
        known_bits = 0
        for _ in range(_MAX_COLLISIONS):
            whole, odd = known_bits >> 3, known_bits & 7
            frame[1] = (2 + whole) << 4 | odd
            got = self._pcd.transceive(
                frame, 2 + whole + (odd > 0), tx_last_bits=odd, rx_align=odd, rx_bytes=5 - whole
            )
            if got < 0 and got != COLLISION:
                raise CardError(got)
            # The received bits go behind the known ones.
            rx = self._pcd.rx
            first = 2 + whole
            mask = (1 << odd) - 1
            frame[first] = frame[first] & mask | rx[0] & ~mask & 0xFF
            for i in range(first + 1, 7):
                frame[i] = rx[i - first]
            if got != COLLISION:
                if got != (5 - whole) * 8:
                    raise CardError("length")
                if frame[2] ^ frame[3] ^ frame[4] ^ frame[5] != frame[6]:
                    raise CardError("bcc")
                return bytes(frame[2:6])
            known_bits = self._take_branch(known_bits)
        raise CardError("collision")

    # Both branches have cards: go on with those that sent 1 at the collision.
    def _take_branch(self, known_bits):
        # The chip counts from the first byte of the answer, which holds the odd known bits too.
        position = (known_bits & ~7) + self._pcd.collision_bit
        if not self._pcd.collision_bit or not known_bits < position <= 32:
            raise CardError("collision")
        bit = position - 1
        index = 2 + (bit >> 3)
        frame = self._frame
        frame[index] = frame[index] & ((1 << (bit & 7)) - 1) | 1 << (bit & 7)
        for i in range(index + 1, 7):
            frame[i] = 0
        return position

    # SELECT of so many cascade levels; returns the last SAK.
    def _reselect(self, uid, levels):
        frame = self._frame
        last = len(uid) // 3 - 1
        for level in range(levels):
            part = uid[level * 3 :]
            frame[2:6] = part if level == last else b"\x88" + part[:3]
            frame[6] = frame[2] ^ frame[3] ^ frame[4] ^ frame[5]
            sak = self._select(_SEL[level])
            if bool(sak & _SAK_CASCADE) != (level < last):
                raise CardError("cascade")
        return sak

    # SELECT with the UID part and BCC that stand in the frame; returns the SAK.
    def _select(self, sel):
        frame = self._frame
        frame[0] = sel
        frame[1] = 0x70
        append_crc(frame, 7)
        rx = self._pcd.rx
        got = checked(rx, self._pcd.transceive(frame, 9, rx_bytes=3))
        if got != 1:
            raise CardError(got if got < 0 else "length")
        return rx[0]
