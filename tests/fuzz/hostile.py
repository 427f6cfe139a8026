"""Cards that answer what nobody asked, and hypothesis' strategies for what they answer."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from besnik.sim.model.crc import with_crc
from besnik.sim.model.family import FamilyPicc
from besnik.sim.model.faults import (
    BAD_CRC,
    BAD_PARITY,
    BAD_PROTOCOL,
    GONE,
    LONGER,
    LOST,
    NOT_HEARD,
    OVERSIZE,
    TRUNCATED,
    WRONG_BLOCK,
)
from besnik.sim.model.noise import PARITY, PROTOCOL
from besnik.sim.model.picc import FDT_NS, OFF, Picc

FAULTS = (
    NOT_HEARD,
    LOST,
    BAD_CRC,
    BAD_PARITY,
    BAD_PROTOCOL,
    TRUNCATED,
    LONGER,
    OVERSIZE,
    WRONG_BLOCK,
    GONE,
)


@dataclass(frozen=True)
class Answer:
    """What a card sends: bytes, of the last one only some bits, spoilt or not, sooner or later."""

    data: bytes
    bits: int
    fault: int = 0
    after_us: int = FDT_NS // 1000


@dataclass(frozen=True)
class Honest:
    """What the card would say without a script, with one of `FAULTS` or none."""

    fault: int = 0


Step = Answer | Honest | None  # None: silence


class Hostile:
    """A card that keeps to its rules for ``head`` frames, then to a script, then to rules again.

    ``forever``: the script's steps come round again and again. ``heard`` is what the card heard.
    """

    def __init__(self, honest: Picc, script: list[Step], head: int = 0, forever: bool = False):
        self.honest = honest
        self._script = script
        self._head = head
        self._forever = forever
        self._at = 0
        self.answer_after_ns = FDT_NS
        self.signal_fault = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.honest, name)

    def hear(self, data: bytes, bits: int, now_ns: int) -> tuple[bytes, int] | None:
        """Answer one frame of the reader as the field asks for it."""
        honest = self.honest
        if honest.state == OFF or now_ns - honest.powered_ns < honest.start_ns:
            return None
        step = self._next()
        if isinstance(step, Answer):
            self.answer_after_ns = step.after_us * 1000
            self.signal_fault = step.fault
            return step.data, step.bits
        if step is None:
            return None
        if step.fault and isinstance(honest, FamilyPicc):
            honest.faults.at(honest.faults.step + 1, step.fault)
        said = honest.hear(data, bits, now_ns)
        self.answer_after_ns, self.signal_fault = honest.answer_after_ns, honest.signal_fault
        return said

    def _next(self) -> Step:
        at, self._at = self._at, self._at + 1
        at -= self._head
        if at < 0 or not self._script:
            return Honest()
        if at < len(self._script):
            return self._script[at]
        return self._script[at % len(self._script)] if self._forever else Honest()


_AFTER_US = st.one_of(st.just(FDT_NS // 1000), st.integers(10, 20_000), st.integers(10, 2_000_000))
_SIGNAL = st.sampled_from((0, 0, 0, 0, 0, 0, PARITY, PROTOCOL))


@st.composite
def _raw(draw: st.DrawFn, data: st.SearchStrategy[bytes], sealed: bool) -> Answer:
    body = draw(data)
    if sealed:
        body = with_crc(body)
    bits = 8 * len(body)
    if not sealed:
        bits -= draw(st.sampled_from((0, 0, 0, 1, 4, 7)))
    return Answer(body, bits, draw(_SIGNAL), draw(_AFTER_US))


def sealed(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[Answer]:
    """Answers with a right CRC."""
    return _raw(data, sealed=True)


@st.composite
def _any_length(draw: st.DrawFn) -> bytes:
    size = draw(st.sampled_from((1, 2, 3, 5, 16, 18, 63, 64, 65, 66, 100, 260)))
    start = draw(st.binary(min_size=1, max_size=6))
    return (start + bytes((draw(st.integers(0, 255)),)) * size)[:size]


def raw() -> st.SearchStrategy[Answer]:
    """Answers of anything, up to four times what the chip holds."""
    return _raw(st.one_of(st.binary(min_size=1, max_size=24), _any_length()), sealed=False)


def honest() -> st.SearchStrategy[Honest]:
    """Right answers, and right answers spoilt on their way."""
    return st.one_of(st.just(Honest()), st.sampled_from(FAULTS).map(Honest))


def scripts(*kinds: st.SearchStrategy[Answer], longest: int = 12) -> st.SearchStrategy[list[Step]]:
    """Lists of steps: right, spoilt, silent, raw, and the kinds given."""
    step: st.SearchStrategy[Step] = st.one_of(honest(), st.none(), raw(), *kinds)
    return st.lists(step, min_size=1, max_size=longest)


# Blocks of ISO/IEC 14443-4 by their first byte: I, R(ACK), R(NAK), S(WTX), S(DESELECT), and others.
_PCB = st.one_of(
    st.sampled_from((0x02, 0x03, 0x12, 0x13, 0xA2, 0xA3, 0xB2, 0xB3, 0xF2, 0xC2)),
    st.integers(0, 255),
)


@st.composite
def _block(draw: st.DrawFn) -> bytes:
    pcb = draw(_PCB)
    if pcb == 0xF2:
        return bytes((pcb, draw(st.integers(0, 255)))) + draw(st.binary(max_size=1))
    body = draw(st.binary(max_size=80))
    return bytes((pcb,)) + body + draw(st.sampled_from((b"", b"\x90\x00", b"\x91\xaf")))


def blocks() -> st.SearchStrategy[Answer]:
    """Blocks with a right CRC."""
    return sealed(_block())


@st.composite
def _ats(draw: st.DrawFn) -> bytes:
    body = draw(st.binary(max_size=20))
    return bytes((draw(st.one_of(st.just(len(body) + 1), st.integers(0, 255))),)) + body


def ats() -> st.SearchStrategy[bytes]:
    """Answers to RATS, most of them with a right length byte."""
    return _ats()
