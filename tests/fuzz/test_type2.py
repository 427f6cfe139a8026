"""lib/type2.py: any memory and any answers end in time, with a reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from iso14443 import CardError
from type2 import Type2

from besnik.sim.model.type2_memory import PRODUCTS
from besnik.sim.model.type2_picc import Type2Picc
from fuzz.budget import examples
from fuzz.hostile import Hostile, Step, scripts, sealed
from fuzz.reader import UID, Reader

_LIMIT_MS = 3000
_TAG = st.sampled_from((0x00, 0x01, 0x02, 0x03, 0xFD, 0xFE))


@st.composite
def _tlv(draw: st.DrawFn) -> bytes:
    length = draw(
        st.sampled_from(
            (
                b"",
                b"\x00",
                b"\x01",
                b"\x02",
                b"\x7f",
                b"\xfe",
                b"\xff\xff\xff",
                b"\xff\x00\xff",
                b"\xff\x03\x00",
                b"\xff\x05\xdc",
                b"\xff",
            )
        )
    )
    return bytes((draw(_TAG),)) + length + draw(st.binary(max_size=4))


_MEMORY = st.one_of(
    st.lists(_tlv(), max_size=60).map(b"".join),
    st.tuples(_tlv(), st.integers(1, 400)).map(lambda pair: pair[0] * pair[1]),
    st.binary(max_size=200),
)
_CONTAINER = st.one_of(
    st.tuples(st.just(0xE1), st.just(0x10), st.integers(0, 255), st.integers(0, 255)).map(bytes),
    st.binary(min_size=4, max_size=4),
)


class Endless(Type2Picc):
    """A card whose memory begins anew behind its last page, as one that imitates a larger one."""

    def _read(self, data: bytes) -> tuple[bytes, int]:
        at = 4 * data[1]
        memory = self.memory.octets
        return self._say(bytes(memory[(at + i) % len(memory)] for i in range(16)))


def _holding(card: Type2Picc, container: bytes, memory: bytes) -> Type2Picc:
    octets = card.memory.octets
    room = len(octets) - 16
    octets[12:] = container + memory[:room] + bytes(max(0, room - len(memory)))
    return card


def _selected(card: object) -> Reader:
    reader = Reader(card)
    reader.switch_on()
    assert reader.cards.wake()
    assert reader.cards.select()
    return reader


@examples(120)
@given(st.sampled_from(sorted(PRODUCTS)), _CONTAINER, _MEMORY, st.booleans())
def test_any_memory_gives_a_message_or_a_reason(
    product: str, container: bytes, memory: bytes, is_endless: bool
) -> None:
    kind = Endless if is_endless else Type2Picc
    reader = _selected(_holding(kind(UID, product), container, memory))
    messages = []
    assert reader.elapsed_ms(lambda: messages.append(Type2(reader.pcd).read_ndef())) <= _LIMIT_MS
    assert all(len(message) <= 888 for message in messages)


# Blocks that no reader of messages cares for, NULL among them, and the lengths of both forms.
_BLOCK = st.one_of(
    st.just(b"\x00"),
    st.tuples(st.sampled_from((0x01, 0x02, 0xFD)), st.binary(max_size=40)).map(
        lambda block: bytes((block[0], len(block[1]))) + block[1]
    ),
    st.binary(max_size=40).map(lambda data: b"\xfd\xff" + len(data).to_bytes(2, "big") + data),
)


@examples(60)
@given(st.lists(_BLOCK, max_size=12).map(b"".join), st.binary(max_size=200), st.booleans())
def test_the_message_is_found_behind_any_blocks(
    blocks: bytes, message: bytes, is_long: bool
) -> None:
    size = len(message)
    length = b"\xff" + size.to_bytes(2, "big") if is_long else bytes((size,))
    memory = blocks + b"\x03" + length + message + b"\xfe"
    reader = _selected(_holding(Type2Picc(UID, "ntag216"), b"\xe1\x10\x6d\x00", memory))
    assert Type2(reader.pcd).read_ndef() == message


def _everything(tag: Type2) -> None:
    for ask in (
        tag.version,
        tag.signature,
        tag.counter,
        lambda: tag.read(0),
        lambda: tag.fast_read(0, 14),
        lambda: tag.authenticate(b"\xff\xff\xff\xff"),
        tag.read_ndef,
        lambda: tag.write_ndef(b"a message that takes several pages"),
    ):
        try:
            ask()
        except CardError as error:
            assert error.reason != "deaf"


@examples(100)
@given(scripts(sealed(st.binary(min_size=1, max_size=62))), st.integers(5, 12), st.booleans())
def test_any_answers_end_in_time(script: list[Step], head: int, forever: bool) -> None:
    reader = _selected(Hostile(Type2Picc(UID), script, head, forever))
    assert reader.elapsed_ms(lambda: _everything(Type2(reader.pcd))) <= _LIMIT_MS
