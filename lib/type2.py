# NFC Forum Type 2 tags: NTAG21x, MIFARE Ultralight EV1 and their like, on a selected card.
# Commands are those of the NXP data sheets NTAG213/215/216 (Rev. 3.2) and MF0UL (Rev. 3.2), section
# numbers of the former. A refused command sends the card to sleep: select it anew.

from iso14443 import CardError, append_crc, checked
from micropython import const

_GET_VERSION = const(0x60)
_READ = const(0x30)
_FAST_READ = const(0x3A)
_WRITE = const(0xA2)
_READ_CNT = const(0x39)
_PWD_AUTH = const(0x1B)
_READ_SIG = const(0x3C)

_ACK = const(0x0A)
_TIMEOUT_US = const(5000)  # 10.2, Table 25 and following: 5 ms for all but WRITE
_WRITE_US = const(10000)
_PAGES_AT_ONCE = const(15)  # 60 bytes and CRC: what the FIFO of 64 holds
_USER_PAGE = const(4)
_TLV_NULL = const(0x00)
_TLV_NDEF = const(0x03)
_TLV_END = const(0xFE)
_DATA_MAX = const(888)  # NTAG216, the largest


# The commands of one selected card; pcd as in iso14443.TypeA. Every call raises CardError when the
# card leaves, answers wrongly ("refused": it said no).
class Type2:
    def __init__(self, pcd):
        self._pcd = pcd
        self._frame = bytearray(10)

    # Eight bytes: vendor, type, subtype, version and storage size (10.1).
    def version(self):
        return self.ask(bytes((_GET_VERSION,)), 8)

    # Four pages, 16 bytes, from a page on (10.2).
    def read(self, page):
        return self.ask(bytes((_READ, page)), 16)

    # Pages first to last, both included, 15 at most (10.3).
    def fast_read(self, first, last):
        if not 0 <= last - first < _PAGES_AT_ONCE:
            raise ValueError("1 to %d pages at once" % _PAGES_AT_ONCE)
        return self.ask(bytes((_FAST_READ, first, last)), 4 * (last - first + 1))

    # Writes the four bytes of one page (10.4).
    def write(self, page, data):
        if len(data) != 4:
            raise ValueError("a page has 4 bytes")
        self.ask(bytes((_WRITE, page)) + data, 0, _WRITE_US)

    # The counter of reads, 24 bits (10.6). number: 2 on an NTAG, 0 to 2 on an Ultralight EV1.
    def counter(self, number=2):
        data = self.ask(bytes((_READ_CNT, number)), 3)
        return data[0] | data[1] << 8 | data[2] << 16

    # Unlocks with a password of four bytes; returns the card's two bytes PACK (10.7). The password
    # goes over the air in clear.
    def authenticate(self, password):
        if len(password) != 4:
            raise ValueError("a password has 4 bytes")
        return self.ask(bytes((_PWD_AUTH,)) + password, 2)

    # NXP's originality signature over the UID, 32 bytes r and s (10.8). The host verifies it.
    def signature(self):
        return self.ask(bytes((_READ_SIG, 0)), 32)

    # The NDEF message, b"" when there is none (NFC Forum Type 2 Tag, 2.3).
    def read_ndef(self):
        size = self._data_size()
        at = start = 0
        window = b""
        while at < size:
            if at + 4 > start + len(window):  # kind and length of a block take four bytes at most
                start = at & ~3
                window = self.read(_USER_PAGE + at // 4)
            kind = window[at - start]
            if kind == _TLV_END:
                break
            at += 1
            if kind == _TLV_NULL:
                continue
            length = window[at - start]
            at += 1
            if length == 0xFF:
                length = window[at - start] << 8 | window[at + 1 - start]
                at += 2
            if kind == _TLV_NDEF:
                if at + length > size:
                    raise CardError("length")
                return self._bytes(at, length)
            at += length
        return b""

    # Writes an NDEF message into the user memory. ValueError when it does not fit.
    def write_ndef(self, message):
        length = len(message)
        head = (
            bytes((_TLV_NDEF, length))
            if length < 255
            else b"\x03\xff" + bytes((length >> 8, length & 0xFF))
        )
        data = head + message + b"\xfe"
        if len(data) > self._data_size():
            raise ValueError("%d bytes do not fit" % length)
        data += bytes(-len(data) % 4)
        # The length last: a card taken away in between holds an empty message, not half of one.
        self.write(_USER_PAGE, b"\x03\x00\xfe\x00")
        for at in range(4, len(data), 4):
            self.write(_USER_PAGE + at // 4, data[at : at + 4])
        self.write(_USER_PAGE, data[:4])

    # Bytes of user memory, from the capability container (2.1): magic, version, size / 8, access.
    # A card may say more than READ can reach.
    def _data_size(self):
        container = self.read(3)
        if container[0] != 0xE1:
            raise CardError("not_ndef")
        return min(container[2] * 8, _DATA_MAX)

    def _bytes(self, at, length):
        first, last = at // 4, (at + length + 3) // 4 - 1
        data = b""
        for page in range(first, last + 1, 4):
            data += self.read(_USER_PAGE + page)
        return data[at - first * 4 : at - first * 4 + length]

    # Any command whose answer has a known length; 0: an acknowledgement.
    def ask(self, command, expected, timeout_us=_TIMEOUT_US):
        size = len(command)
        self._frame[:size] = command
        size = append_crc(self._frame, size)
        got = self._pcd.transceive(self._frame, size, 0, 0, expected + 2, timeout_us)
        rx = self._pcd.rx
        if got == 4:
            if rx[0] & 0x0F == _ACK and not expected:
                return b""
            raise CardError("refused")
        got = checked(rx, got)
        if got < 0:
            raise CardError(got)
        if got != expected:
            raise CardError("length")
        return bytes(rx[:got])
