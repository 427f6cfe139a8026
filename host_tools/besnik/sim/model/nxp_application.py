# What NTAG 424 DNA and DESFire EV2/EV3 have in common: native commands in ISO/IEC 7816-4 frames,
# several frames for one answer, AuthenticateEV2First, GetVersion, GetCardUID. Sections are those
# of NXP's data sheet NT4H2421Gx rev. 3.0.

from .ev2 import Ev2Challenge
from .isodep_picc import Application
from .noise import Rng

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .ev2 import Ev2Session

# Status words, tables 23 and 24.
OK = b"\x91\x00"
ILLEGAL_COMMAND = b"\x91\x1c"
INTEGRITY_ERROR = b"\x91\x1e"
NO_SUCH_KEY = b"\x91\x40"
LENGTH_ERROR = b"\x91\x7e"
PERMISSION_DENIED = b"\x91\x9d"
AUTHENTICATION_ERROR = b"\x91\xae"
ADDITIONAL_FRAME = b"\x91\xaf"
SIGNED = b"\x91\x90"
COMMAND_ABORTED = b"\x91\xca"
ISO_OK = b"\x90\x00"
ISO_LENGTH = b"\x67\x00"
ISO_SECURITY = b"\x69\x82"
ISO_CONDITIONS = b"\x69\x85"
ISO_NOT_FOUND = b"\x6a\x82"
ISO_PARAMETERS = b"\x6a\x86"
ISO_INSTRUCTION = b"\x6d\x00"
ISO_CLASS = b"\x6e\x00"

GET_CARD_UID = 0x51
GET_VERSION = 0x60
READ_SIG = 0x3C
AUTHENTICATE_EV2_FIRST = 0x71
MORE = 0xAF
SELECT_FILE = 0xA4

# Data of one native frame: 19 application identifiers (MF3D(H)x3, GetApplicationIDs).
FRAME = 57
# Estimates: the data sheets give no times.
CRYPTO_US = 8000
PLAIN_US = 1000
# Batch 0, made in week 1 of 2025: four bytes and three (table 58).
MADE = bytes.fromhex("00000000000125")


# `uid` is the real one, whatever the card says when it is selected; `version` the two parts of
# GetVersion before it. `signature` is NXP's over the UID; `draw` gives random bytes. Both may be
# replaced.
class NxpApplication(Application):
    def __init__(self, uid: bytes, version: "tuple[bytes, bytes]", seed: int = 1):
        self.uid = uid
        self.hides_uid = False
        self.signature = bytes(56)
        self.draw = Rng(seed).octets
        self.session: "Ev2Session | None" = None
        self._version = version
        self._challenge: "Ev2Challenge | None" = None
        # Frames of an answer that the reader has not fetched yet.
        self._frames: "list[bytes]" = []

    # The keys that can be authenticated with now.
    def keys(self) -> "list[bytes]":
        return []

    # A command of class 00.
    def iso(self, ins: int, p1: int, p2: int, data: bytes, le: int) -> bytes:  # noqa: ARG002
        return ISO_INSTRUCTION

    # A command of class 90 that only this family knows.
    def native(self, ins: int, data: bytes) -> bytes:  # noqa: ARG002 - none here
        return ILLEGAL_COMMAND

    def reset(self) -> None:
        self.session = None
        self._challenge = None
        self._frames = []

    def work_us(self, command: bytes) -> int:
        is_crypto = command[:1] == b"\x90" and command[1:2] in (b"\x71", b"\xaf", b"\x51")
        return CRYPTO_US if is_crypto else PLAIN_US

    def apdu(self, command: bytes) -> "bytes | None":
        if command[0] not in (0x00, 0x90):
            return ISO_CLASS
        is_native = command[0] == 0x90
        fields = _fields(command)
        if fields is None:
            return LENGTH_ERROR if is_native else ISO_LENGTH
        data, le = fields
        ins, p1, p2 = command[1], command[2], command[3]
        if is_native:
            return ISO_PARAMETERS if p1 or p2 else self._on_native(ins, data)
        if self._is_unfinished():
            return ISO_CONDITIONS
        return self.iso(ins, p1, p2, data, le)

    def _is_unfinished(self) -> bool:
        unfinished = self._challenge is not None or bool(self._frames)
        self._challenge = None
        self._frames = []
        return unfinished

    def _on_native(self, ins: int, data: bytes) -> bytes:
        if ins == MORE:
            return self._more(data)
        if self._is_unfinished():
            return COMMAND_ABORTED
        if ins == AUTHENTICATE_EV2_FIRST:
            return self._authenticate(data)
        if ins == GET_VERSION:
            return self._get_version(data)
        if ins == GET_CARD_UID:
            return self._get_card_uid(data)
        if ins == READ_SIG:
            return self._read_signature(data)
        return self.native(ins, data)

    def _more(self, data: bytes) -> bytes:
        if self._challenge is not None:
            return self._authenticated(data)
        if not self._frames:
            return COMMAND_ABORTED
        if data:
            return LENGTH_ERROR
        return self._frames.pop(0) + (ADDITIONAL_FRAME if self._frames else OK)

    # An answer that may be too long for one frame: AF until the last.
    def _in_frames(self, data: bytes) -> bytes:
        self._frames = [data[at : at + FRAME] for at in range(FRAME, len(data), FRAME)]
        return data[:FRAME] + (ADDITIONAL_FRAME if self._frames else OK)

    # KeyNo, LenCap, and so many bytes PCDcap2, of which bit 1 would ask for LRP (10.4.1).
    def _authenticate(self, data: bytes) -> bytes:
        self.session = None
        if len(data) < 2 or data[1] > 6 or len(data) != 2 + data[1]:
            return LENGTH_ERROR
        keys = self.keys()
        if data[0] >= len(keys):
            return NO_SUCH_KEY
        if data[2:] and data[2] & 0x02:
            return PERMISSION_DENIED
        self._challenge = Ev2Challenge(keys[data[0]], data[2:], self.draw)
        return self._challenge.secret + ADDITIONAL_FRAME

    def _authenticated(self, data: bytes) -> bytes:
        challenge, self._challenge = self._challenge, None
        if challenge is None or len(data) != 32:
            return LENGTH_ERROR
        outcome = challenge.answer(data)
        if outcome is None:
            return AUTHENTICATION_ERROR
        said, self.session = outcome
        return said + OK

    # Of a session: the status for a command without data whose MAC is not right, else nothing.
    def _unless_admitted(self, ins: int, data: bytes) -> bytes:
        if self.session is None:
            return LENGTH_ERROR if data else b""
        if len(data) == 8 and self.session.admits(ins, data):
            return b""
        self.session = None
        return INTEGRITY_ERROR if len(data) == 8 else LENGTH_ERROR

    # In CommMode.MAC when authenticated: the MAC is over all three parts (table 22, note 1).
    def _get_version(self, data: bytes) -> bytes:
        refusal = self._unless_admitted(GET_VERSION, data)
        if refusal:
            return refusal
        hardware, software = self._version
        last = (bytes(7) if self.hides_uid else self.uid) + MADE
        if self.session is not None:
            last += self.session.mac(0x00, hardware + software + last)
        self._frames = [software, last]
        return hardware + ADDITIONAL_FRAME

    def _get_card_uid(self, data: bytes) -> bytes:
        if self.session is None:
            return AUTHENTICATION_ERROR
        refusal = self._unless_admitted(GET_CARD_UID, data)
        return refusal or self.session.sealed(self.uid) + OK

    # AN12343, table 44. In a session it would be sealed, which is not modelled.
    def _read_signature(self, data: bytes) -> bytes:
        if len(data) != 1:
            return LENGTH_ERROR
        if data[0] or self.session is not None:
            return PERMISSION_DENIED
        return self.signature + SIGNED


# Data and Le of a short command: Le is 0 for "all" and -1 when there is none. None: the lengths
# do not fit.
def _fields(command: bytes) -> "tuple[bytes, int] | None":
    size = len(command)
    if size < 4:
        return None
    if size == 4:
        return b"", -1
    if size == 5:
        return b"", command[4]
    end = 5 + command[4]
    if not command[4] or size not in (end, end + 1):
        return None
    return command[5:end], command[end] if size > end else -1
