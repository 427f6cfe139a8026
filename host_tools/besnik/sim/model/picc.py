# A card's ISO/IEC 14443-3 type A side: states, anticollision, select, halt (reader.md 5.10).

from .crc import crc_ok, with_crc
from .noise import Rng

TYPE_CHECKING = False
if TYPE_CHECKING:
    # What a card sends: bytes and how many bits of them; None is silence.
    Said = tuple[bytes, int] | None

OFF = 0
IDLE = 1
READY = 2
ACTIVE = 3
HALT = 4

REQA = 0x26
WUPA = 0x52
CASCADE_TAG = 0x88
CASCADE_BIT = 0x04
LEVELS = (0x93, 0x95, 0x97)
# "Understood, and nothing to say": the card stays as it is.
SILENT = (b"", 0)
# Frame delay time of 1236/fc (ISO/IEC 14443-3 6.2.1.1).
FDT_NS = 91150
# By UID length: ATQA with the UID size bits (ISO/IEC 14443-3 6.5.2), sent low byte first.
ATQA = {4: b"\x04\x00", 7: b"\x44\x00", 10: b"\x84\x00"}


# A card that only has a UID. Families derive from it and answer in `receive`.
# `start_us`: silence after power-up; 5 ms is the longest a card may take (reader.md 2.4).
class Picc:
    # True for a UID that says nothing about who holds the card.
    random = False

    def __init__(
        self, uid: bytes, sak: int = 0x00, atqa: "bytes | None" = None, start_us: int = 5000
    ):
        if len(uid) not in ATQA:
            raise ValueError("a UID has 4, 7 or 10 bytes, not " + str(len(uid)))
        self.sak = sak
        self.atqa = atqa or ATQA[len(uid)]
        self.start_ns = start_us * 1000
        # Received only between these gains (MFRC522 9.3.3.6): weak coupling needs a high
        # gain; a card on the antenna overdrives the receiver at a high one (reader.md 3.8).
        self.min_gain_db = 0
        self.max_gain_db = 48
        # Of the answer that hear() returned: how long after the command it comes, and what is
        # wrong with its signal (noise.py). A family changes both as it answers.
        self.answer_after_ns = FDT_NS
        self.signal_fault = 0
        self.state = OFF
        self.powered_ns = 0
        self._starred = False
        self._level = 0
        self.set_uid(uid)

    def set_uid(self, uid: bytes) -> None:
        self.uid = bytes(uid)
        parts = []
        rest = self.uid
        while len(rest) > 4:
            parts.append(bytes((CASCADE_TAG,)) + rest[:3])
            rest = rest[3:]
        parts.append(rest)
        # UID CLn with its BCC, one entry a cascade level.
        self._levels = [p + bytes((p[0] ^ p[1] ^ p[2] ^ p[3],)) for p in parts]

    # The field reaches the card at `now_ns`.
    def power_up(self, now_ns: int) -> None:
        self.state = IDLE
        self.powered_ns = now_ns
        self._starred = False
        self.deselected()

    def power_down(self) -> None:
        self.state = OFF

    # A whole frame from the reader; returns (bytes, bits) or None for silence.
    def hear(self, data: bytes, bits: int, now_ns: int) -> "Said":
        if self.state == OFF or now_ns - self.powered_ns < self.start_ns:
            return None
        self.answer_after_ns = FDT_NS
        self.signal_fault = 0
        if bits == 7:
            return self._short_frame(data[0])
        if self.state == READY:
            return self._anticollision(data, bits)
        if self.state == ACTIVE:
            return self._active(data, bits)
        return None

    # The card did not understand a frame (noise): where it goes is in ISO/IEC 14443-3 figure 7.
    def garbled(self) -> None:
        if self.state in (READY, ACTIVE):
            self._fall_back()

    # What a card family says when ACTIVE: (bytes, bits), SILENT, or None: not understood.
    def receive(self, data: bytes, bits: int) -> "Said":  # noqa: ARG002 - the base class understands none
        return None

    # A family forgets what belongs to a selection (authentication, protocol state).
    def deselected(self) -> None:
        pass

    def _fall_back(self) -> None:
        self.state = HALT if self._starred else IDLE
        self.deselected()

    def _short_frame(self, command: int) -> "Said":
        if self.state in (READY, ACTIVE):
            self._fall_back()
            return None
        if command == WUPA or (command == REQA and self.state == IDLE):
            self._starred = self.state == HALT
            self.state = READY
            self._level = 0
            return self.atqa, 16
        return None

    def _anticollision(self, data: bytes, bits: int) -> "Said":
        ours = self._levels[self._level]
        if bits >= 16 and data[0] == LEVELS[self._level]:
            nvb = data[1]
            if nvb == 0x70:
                if bits == 72 and crc_ok(data) and data[2:7] == ours:
                    return self._selected()
            else:
                known = (nvb >> 4) * 8 + (nvb & 0x0F) - 16
                if 0 <= known < 40 and bits == known + 16 and matches(ours, data, known):
                    return tail(ours, known), 40 - known
        self._fall_back()
        return None

    def _selected(self) -> "Said":
        if self._level + 1 < len(self._levels):
            self._level += 1
            return with_crc(bytes((self.sak | CASCADE_BIT,))), 24
        self.state = ACTIVE
        return with_crc(bytes((self.sak & ~CASCADE_BIT & 0xFF,))), 24

    def _active(self, data: bytes, bits: int) -> "Said":
        if bits == 32 and data[0] == 0x50 and data[1] == 0 and crc_ok(data):
            self.state = HALT
            self.deselected()
            return None
        answer = self.receive(data, bits)
        if answer is None:
            self._fall_back()
            return None
        return answer if answer[1] else None


# A phone that emulates a card: a new random UID, first byte 08, whenever a field appears.
class RandomPicc(Picc):
    random = True

    def __init__(self, seed: int = 1, sak: int = 0x20, start_us: int = 5000):
        self._rng = Rng(seed)
        Picc.__init__(self, b"\x08" + self._rng.octets(3), sak, None, start_us)

    def power_up(self, now_ns: int) -> None:
        self.set_uid(b"\x08" + self._rng.octets(3))
        Picc.power_up(self, now_ns)


# True if the first `known` bits of `ours` are those sent after SEL and NVB.
def matches(ours: bytes, data: bytes, known: int) -> bool:
    whole = known // 8
    if ours[:whole] != data[2 : 2 + whole]:
        return False
    mask = (1 << (known % 8)) - 1
    return not mask or (ours[whole] ^ data[2 + whole]) & mask == 0


# The bits of `ours` from bit `known` on, packed from bit 0 of the first byte.
def tail(ours: bytes, known: int) -> bytes:
    value = 0
    for index in range(5):
        value |= ours[index] << (8 * index)
    value >>= known
    return bytes((value >> (8 * i)) & 0xFF for i in range((40 - known + 7) // 8))
