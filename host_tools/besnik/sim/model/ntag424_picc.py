# NTAG 424 DNA: an NDEF application (NFC Forum Type 4) whose address proves itself, and mutual
# authentication. Sections are those of NXP's data sheet NT4H2421Gx rev. 3.0.

from .ats import ats
from .isodep_picc import IsoDepPicc
from .ndef import uri_message
from .nxp_application import (
    CRYPTO_US,
    ISO_CONDITIONS,
    ISO_INSTRUCTION,
    ISO_LENGTH,
    ISO_NOT_FOUND,
    ISO_OK,
    ISO_PARAMETERS,
    ISO_SECURITY,
    SELECT_FILE,
    NxpApplication,
)
from .sun import Sun, of_address

READ_BINARY = 0xB0
UPDATE_BINARY = 0xD6

# 10.9.1: the PICC level, and the NDEF application.
MASTER_NAME = bytes.fromhex("D2760000850100")
APPLICATION_NAME = bytes.fromhex("D2760000850101")
MASTER_FILE = 0x3F00
APPLICATION_FILE = 0xE110
CC_FILE = 0xE103
NDEF_FILE = 0xE104
PROPRIETARY_FILE = 0xE105
# 8.2.3: the capability container as it leaves the factory, and the sizes of the files.
CONTAINER = bytes.fromhex("001720010000FF0406E104010000000506E10500808283") + bytes(9)
NDEF_SIZE = 256
PROPRIETARY_SIZE = 128
COUNTER_MAX = 0xFFFFFF
KEYS = 5
# 10.5.2.
VERSION = (bytes.fromhex("04040230001105"), bytes.fromhex("04040201021105"))
# FWI 7 (10.1), frames of 128 bytes, CID.
ATS = ats(7, 7, 1, 0x77, True, b"\x80")


# `sun`: what is mirrored into the NDEF file, or a plain NDEF file's content. `count` is the number
# of the last read session: it rises with the next, and is kept without power.
class Ntag424(NxpApplication):
    def __init__(
        self,
        uid: bytes,
        sun: "Sun | bytes",
        meta_key: int = 2,
        file_key: int = 1,
        keys: "list[bytes] | None" = None,
        seed: int = 1,
    ):
        NxpApplication.__init__(self, uid, VERSION, seed)
        self.app_keys = keys or [bytes(16) for _ in range(KEYS)]
        self.meta_key = meta_key
        self.file_key = file_key
        self.count = 0
        self.count_limit = COUNTER_MAX
        self.sun = sun if isinstance(sun, Sun) else Sun(sun, {})
        self.is_writable = False
        self._files = {CC_FILE: CONTAINER, PROPRIETARY_FILE: bytes(PROPRIETARY_SIZE)}
        self.reset()

    def reset(self) -> None:
        NxpApplication.reset(self)
        self._in_application = False
        self._file = 0
        # The NDEF file as the read commands since the last other one see it.
        self._shown = b""

    def keys(self) -> "list[bytes]":
        return self.app_keys if self._in_application else []

    def work_us(self, command: bytes) -> int:
        is_first_read = command[:2] == b"\x00\xb0" and self._file == NDEF_FILE and not self._shown
        return CRYPTO_US if is_first_read else NxpApplication.work_us(self, command)

    # Any command but a read ends the read session (9.3.1).
    def apdu(self, command: bytes) -> "bytes | None":
        if command[:2] != b"\x00\xb0":
            self._shown = b""
        return NxpApplication.apdu(self, command)

    def iso(self, ins: int, p1: int, p2: int, data: bytes, le: int) -> bytes:
        if ins == SELECT_FILE:
            return self._select(p1, p2, data)
        if ins == READ_BINARY:
            return ISO_LENGTH if data or le < 0 else self._read(p1, p2, le)
        if ins == UPDATE_BINARY:
            return self._update(p1 << 8 | p2, data)
        return ISO_INSTRUCTION

    def _select(self, p1: int, p2: int, data: bytes) -> bytes:
        if p1 not in (0x00, 0x01, 0x02, 0x04) or p2 not in (0x00, 0x0C):
            return ISO_PARAMETERS
        if p1 == 0x04:
            if data not in (MASTER_NAME, APPLICATION_NAME):
                return ISO_NOT_FOUND
            return self._enter(data == APPLICATION_NAME)
        number = MASTER_FILE if not data else data[0] << 8 | data[-1]
        if len(data) not in (0, 2):
            return ISO_LENGTH
        if p1 != 0x02 and number in (MASTER_FILE, APPLICATION_FILE):
            return self._enter(number == APPLICATION_FILE)
        if not self._in_application or number not in (CC_FILE, NDEF_FILE, PROPRIETARY_FILE):
            return ISO_NOT_FOUND
        self._file = number
        return ISO_OK

    def _enter(self, application: bool) -> bytes:
        self.reset()
        self._in_application = application
        return ISO_OK

    # Offset in fifteen bits, or a short file number and eight; Le beyond the end is cut (10.9.2).
    def _read(self, p1: int, p2: int, le: int) -> bytes:
        offset = p1 << 8 | p2
        if p1 & 0x80:
            if p1 & 0x60:
                return ISO_PARAMETERS
            offset = p2
            if p1 & 0x1F:
                number = 0xE100 | p1 & 0x1F
                if not self._in_application or not CC_FILE <= number <= PROPRIETARY_FILE:
                    return ISO_NOT_FOUND
                self._shown = b"" if number != self._file else self._shown
                self._file = number
        if not self._file:
            return ISO_CONDITIONS
        if self._file == PROPRIETARY_FILE:
            return ISO_SECURITY
        content = self._files[CC_FILE] if self._file == CC_FILE else self._ndef()
        if not content:
            return ISO_SECURITY
        if offset >= len(content):
            return ISO_PARAMETERS
        return content[offset : offset + (le or 256)] + ISO_OK

    # The mirrored file, the same for all reads of a session; the first one counts (9.3.1, 9.3.4).
    # Nothing when the counter is at its end.
    def _ndef(self) -> bytes:
        if self.session is not None or not self.sun.places:
            return padded(self.sun.file)
        if not self._shown:
            if self.count >= self.count_limit:
                return b""
            self.count += 1
            meta, file = self.app_keys[self.meta_key], self.app_keys[self.file_key]
            self._shown = padded(self.sun.mirrored(self.uid, self.count, meta, file, self.draw(5)))
        return self._shown

    # Free write access is how the card leaves the factory; a personalised one refuses.
    def _update(self, offset: int, data: bytes) -> bytes:
        if self._file != NDEF_FILE:
            return ISO_SECURITY if self._file else ISO_CONDITIONS
        if not self.is_writable:
            return ISO_SECURITY
        if not data or offset + len(data) > NDEF_SIZE:
            return ISO_LENGTH
        file = padded(self.sun.file)
        self.sun.file = file[:offset] + data + file[offset + len(data) :]
        return ISO_OK


def padded(file: bytes) -> bytes:
    return file + bytes(NDEF_SIZE - len(file))


# A card whose NDEF file holds one address. In `address` {picc}, {uid}, {ctr}, {enc:TEXT} and {mac}
# stand for what the card mirrors, `mac_from` names where the MAC's input begins (sun.py).
def ntag424(
    uid: bytes,
    address: str,
    mac_from: str = "",
    keys: "list[bytes] | None" = None,
    meta_key: int = 2,
    file_key: int = 1,
    seed: int = 1,
) -> IsoDepPicc:
    sun = of_address(address, uri_message, mac_from)
    if len(sun.file) > NDEF_SIZE:
        raise ValueError("the NDEF file holds 256 bytes, not " + str(len(sun.file)))
    application = Ntag424(uid, sun, meta_key, file_key, keys, seed)
    return IsoDepPicc(uid, application, ATS, 0x20, b"\x44\x03")
