# A card's ISO/IEC 14443-4 side: ATS, blocks, chaining, waiting time extension. Numbers of sections
# and rules are those of ISO/IEC 14443-4:2008.

from .ats import FRAME_SIZES, FWT_MAX_NS, Parsed, ats
from .crc import crc_ok, with_crc
from .family import FamilyPicc
from .picc import ACTIVE, FDT_NS, HALT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picc import Said

WTXM_MAX = 59
CHAIN_MAX = 4096
ENDLESS = 1 << 30

CHAINING = 0x10
NAK = 0x10
WITH_CID = 0x08
DESELECT = 0xC2
WTX = 0xF2


# What the card runs above the block protocol. Families derive from it.
class Application:
    # The response, status word included; None: the card says nothing at all. `command` is never
    # empty, and no longer than CHAIN_MAX.
    def apdu(self, command: bytes) -> "bytes | None":  # noqa: ARG002 - the base class knows none
        return b"\x6d\x00"

    # How long the command is going to take, microseconds. Beyond three quarters of the FWT the
    # card asks for more time.
    def work_us(self, command: bytes) -> int:  # noqa: ARG002 - every command takes the same
        return 500

    # The card is no longer selected, or without power: everything volatile goes.
    def reset(self) -> None:
        pass


# A card with the block protocol under an Application. `ats` is sent as it is, and the card keeps to
# what it says. `applied` counts the commands that were carried out.
class IsoDepPicc(FamilyPicc):
    def __init__(
        self,
        uid: bytes,
        app: "Application | None" = None,
        ats: bytes = ats(),
        sak: int = 0x20,
        atqa: "bytes | None" = None,
        start_us: int = 5000,
    ):
        FamilyPicc.__init__(self, uid, sak, atqa, start_us)
        self.app = app or Application()
        self.applied = 0
        # Not more than this in one block, whatever the reader takes: 1 gives long chains.
        self.inf_max = 256
        # The card sends the same chain for ever.
        self.chains_for_ever = False
        self._wtx_times = 0
        self._wtxm = 1
        self.ats = Parsed(ats)
        self._now_ns = 0
        self._forget()

    # From now on the card asks for more time so many times before each answer (ENDLESS: it never
    # answers), and takes three quarters of it.
    def ask_for_time(self, times: int, multiplier: int = 1) -> None:
        self._wtx_times = times
        self._wtxm = multiplier

    @property
    def in_protocol(self) -> bool:
        return self._fsd > 0

    def _forget(self) -> None:
        self._fsd = 0
        self._cid = 0
        self._block = 1  # rule D
        self._received = b""
        self._rest = b""
        self._chained = b""
        # The CID of the command in hand, or nothing: the answer carries the same.
        self._header = b""
        # The last block without its CRC, for when it is asked for again.
        self._last = b""
        self._answer_ready: "bytes | None" = None
        self._waits_left = 0
        self._fresh = False
        self._deaf_until_ns = 0

    def deselected(self) -> None:
        self._forget()
        self.app.reset()

    # 5.6.1.2 and 7.5.5: what is not understood is ignored.
    def garbled(self) -> None:
        if self.state != ACTIVE:
            FamilyPicc.garbled(self)

    # Once the protocol runs nothing but its blocks is heard: neither REQA nor WUPA nor HLTA.
    def hear(self, data: bytes, bits: int, now_ns: int) -> "Said":
        self._now_ns = now_ns
        if self.state != ACTIVE or not self.in_protocol:
            return FamilyPicc.hear(self, data, bits, now_ns)
        if bits % 8 or now_ns < self._deaf_until_ns:
            return None
        self.answer_after_ns = FDT_NS
        self.signal_fault = 0
        return self._active(data, bits)

    def _answer(self, data: bytes, bits: int) -> "Said":
        if not self.in_protocol:
            return FamilyPicc._answer(self, data, bits)
        if len(data) > self.ats.frame_max or not crc_ok(data):
            return None
        return self._sent(self._on_block(data[:-2]))

    # Before the protocol: RATS, or something to ignore (5.6.1.2).
    def receive(self, data: bytes, bits: int) -> "Said":
        if bits != 32 or data[0] != 0xE0 or not crc_ok(data) or data[1] & 0x0F == 0x0F:
            return b"", 0
        self._fsd = FRAME_SIZES[min(data[1] >> 4, 8)]
        self._cid = data[1] & 0x0F
        self._fresh = True
        self._deaf_until_ns = self._now_ns + self.ats.sfgt_ns
        return self._sent(self.ats.octets)

    def _sent(self, block: "bytes | None") -> "Said":
        if not block:
            return None
        frame = with_crc(block)
        return frame, 8 * len(frame)

    def _on_block(self, block: bytes) -> "bytes | None":
        pcb = block[0]
        fresh, self._fresh = self._fresh, False
        if pcb == 0xD0 | self._cid:
            return self._pps(block) if fresh else None
        body = block[1:]
        header = b""
        if pcb & WITH_CID:
            if not self.ats.knows_cid or body[:1] != bytes((self._cid,)):
                return None
            header, body = body[:1], body[1:]
        elif self._cid and self.ats.knows_cid:
            return None
        self._header = header
        if pcb & 0xE6 == 0x02:
            return self._on_i(pcb, body)
        if pcb & 0xE6 == 0xA2 and not body:
            return self._on_r(pcb)
        if pcb & 0xF7 == WTX:
            return self._on_wtx(body)
        if pcb & 0xF7 == DESELECT and not body:
            return self._on_deselect(pcb)
        return None

    # 106 kbit/s both ways is all there is (5.3).
    def _pps(self, block: bytes) -> "bytes | None":
        if len(block) < 2 or block[1:] not in (b"\x01", b"\x11\x00"):
            return None
        return block[:1]

    def _on_i(self, pcb: int, inf: bytes) -> "bytes | None":
        if self._waits_left or self._answer_ready is not None:
            return None  # it waits for the answer to its S(WTX)
        self._block ^= 1  # rule E
        self._rest = b""
        if len(self._received) + len(inf) > CHAIN_MAX:
            return None
        self._received += inf
        if pcb & CHAINING:
            return self._said(0xA2 | self._block, b"")
        command, self._received = self._received, b""
        return self._carry_out(command)

    def _carry_out(self, command: bytes) -> "bytes | None":
        self.applied += 1
        work_ns = self.app.work_us(command) * 1000
        answer = self.app.apdu(command) if command else b""
        if answer is None:
            self._last = b""
            return None
        patience_ns = self.ats.fwt_ns * 3 // 4
        times, self._multiplier = self._wtx_times, self._wtxm
        if not times and work_ns > patience_ns:
            self._multiplier = min(WTXM_MAX, work_ns // patience_ns + 1)
            times = 1 + work_ns // self._extended_ns()
        if not times:
            self.answer_after_ns = FDT_NS + work_ns
            return self._begin(answer)
        self._answer_ready = answer
        self._waits_left = times
        self.answer_after_ns = patience_ns
        return self._ask()

    def _extended_ns(self) -> int:
        return min(self.ats.fwt_ns * self._multiplier, FWT_MAX_NS) * 3 // 4

    def _ask(self) -> bytes:
        self._waits_left -= 1
        return self._said(WTX, bytes((self._multiplier,)))

    # The reader grants the time (7.3), and must give back the same WTXM.
    def _on_wtx(self, inf: bytes) -> "bytes | None":
        answer = self._answer_ready
        if answer is None or len(inf) != 1 or inf[0] & 0x3F != self._multiplier:
            return None
        self.answer_after_ns = self._extended_ns()
        if self._waits_left:
            return self._ask()
        self._answer_ready = None
        return self._begin(answer)

    def _begin(self, answer: bytes) -> bytes:
        self._rest = self._chained = answer
        return self._next()

    # The next I-block of the answer.
    def _next(self) -> bytes:
        size = min(self._fsd - 3 - len(self._header), self.inf_max)
        inf, self._rest = self._rest[:size], self._rest[size:]
        if self.chains_for_ever and not self._rest:
            self._rest = self._chained
        more = CHAINING if self._rest or self.chains_for_ever else 0
        return self._said(0x02 | more | self._block, inf)

    def _said(self, pcb: int, inf: bytes) -> bytes:
        self._last = bytes((pcb | (WITH_CID if self._header else 0),)) + self._header + inf
        return self._last

    def _on_r(self, pcb: int) -> "bytes | None":
        if pcb & 0x01 == self._block:
            return self._last  # rule 11
        if pcb & NAK:
            return self._said(0xA2 | self._block, b"")  # rule 12
        if self._rest or self.chains_for_ever:
            self._block ^= 1  # rule F
            return self._next()  # rule 13
        return None

    def _on_deselect(self, pcb: int) -> bytes:
        answer = bytes((pcb,)) + self._header
        self.state = HALT
        self.deselected()
        return answer
