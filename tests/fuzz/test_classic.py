"""lib/classic.py: any answers of a card end in time, with a reason, and harm nobody after it."""

from __future__ import annotations

from collections.abc import Callable

from classic import KEY_A, KEY_B, Classic
from hypothesis import given
from hypothesis import strategies as st
from iso14443 import CardError

from besnik.sim.model.classic_picc import FACTORY_ACCESS, ClassicPicc
from besnik.sim.model.crc import with_crc
from besnik.sim.model.picc import Picc
from fuzz.budget import examples
from fuzz.hostile import Hostile, Step, scripts, sealed
from fuzz.reader import REASONS, Reader

_LIMIT_MS = 3000
_UID = bytes.fromhex("5B3C2A19")
_OTHER = bytes.fromhex("04A1B2C3D4E580")
_KEY = b"\xff" * 6
_KEYS = st.binary(min_size=6, max_size=6)
_DATA = st.binary(min_size=16, max_size=16)
# Blocks for data: not the maker's, not a sector's keys.
_BLOCKS = st.integers(1, 62).filter(lambda block: block % 4 != 3)
# Answers as long as those the card gives: nonce, proof, acknowledgement, block.
_LIKELY = st.sampled_from((1, 4, 16)).flatmap(lambda size: st.binary(min_size=size, max_size=size))


class Lying(ClassicPicc):
    """A card that holds the key and answers READ and WRITE with what is given, in the cipher."""

    def __init__(self, says: list[tuple[bytes, int]]) -> None:
        super().__init__(_UID)
        self._says = says

    def _read(self, _block: int) -> tuple[bytes, int] | None:
        return self._next()

    def _begin_write(self, block: int) -> tuple[bytes, int] | None:
        self._awaited = block
        return self._next()

    def _write(self, _block: int, _data: bytes) -> tuple[bytes, int] | None:
        return self._next()

    def _next(self) -> tuple[bytes, int] | None:
        return self._say(*self._says.pop(0)) if self._says else None


def _selected(card: object, **others: Picc) -> Reader:
    reader = Reader(card=card, **others)
    reader.switch_on()
    assert reader.cards.wake()
    assert reader.cards.select()
    return reader


def _everything(tag: Classic) -> list[bytes]:
    found: list[bytes] = []
    calls: tuple[Callable[[], bytes | None], ...] = (
        lambda: tag.authenticate(4, _KEY, _UID),
        lambda: tag.read(4),
        lambda: tag.write(4, b"sixteen bytes 96"),
        lambda: tag.authenticate(8, _KEY, _UID, KEY_B),
        lambda: tag.read(8),
    )
    for call in calls:
        try:
            said = call()
        except CardError as error:
            assert error.reason in REASONS, error.reason
        else:
            found += [] if said is None else [said]
    return found


@examples(120)
@given(scripts(sealed(_LIKELY)), st.integers(5, 14), st.booleans())
def test_any_answers_end_in_time_and_leave_the_reader_to_the_next_card(
    script: list[Step], head: int, forever: bool
) -> None:
    hostile = Hostile(ClassicPicc(_UID), script, head, forever)
    reader = _selected(hostile, next=Picc(_OTHER, 0x00))
    tag = Classic(reader.pcd)
    found: list[bytes] = []
    assert reader.elapsed_ms(lambda: found.extend(_everything(tag))) <= _LIMIT_MS
    assert all(len(block) == 16 for block in found)

    # In the cipher of the one before, a plain card would not be understood.
    tag.stop()
    reader.board.remove("card")
    reader.board.present("next")
    reader.clock.sleep_us(6000)
    assert reader.cards.request()
    assert reader.cards.select().uid == _OTHER


# Frames with a right CRC of any length, acknowledgements of four bits, and anything.
_SAID = st.one_of(
    st.binary(max_size=60).map(with_crc).map(lambda frame: (frame, 8 * len(frame))),
    st.integers(0, 15).map(lambda nibble: (bytes((nibble,)), 4)),
    st.sampled_from(((b"\x0a", 4), (b"\x0a", 8), (b"\x0a\x0a", 16))),
    st.binary(min_size=1, max_size=70).map(lambda frame: (frame, 8 * len(frame))),
)


@examples(120)
@given(st.lists(_SAID, max_size=6), st.booleans())
def test_what_a_card_says_in_its_cipher_is_a_block_or_a_reason(
    says: list[tuple[bytes, int]], writes: bool
) -> None:
    first = says[:2]
    tag = Classic(_selected(Lying(says)).pcd)
    tag.authenticate(4, _KEY, _UID)
    try:
        if writes:
            tag.write(4, bytes(16))
            assert [nibble for nibble, bits in first if bits == 4] == [b"\x0a", b"\x0a"]
        else:
            data = tag.read(4)
            assert len(data) == 16
            assert first[0][0] == with_crc(data)
    except CardError as error:
        assert error.reason in REASONS, error.reason
        if first and first[0][1] == 4 and first[0][0] != b"\x0a":
            assert error.reason == "refused"


@examples(60)
@given(_KEYS, _KEYS, _BLOCKS, _DATA, st.booleans())
def test_what_is_written_with_any_key_is_read_with_it_and_with_no_other(
    key: bytes, other: bytes, block: int, data: bytes, is_b: bool
) -> None:
    card = ClassicPicc(_UID)
    # With these access bits key B is one: it writes, and either reads (8.7.1).
    access = bytes.fromhex("7F078869") if is_b else FACTORY_ACCESS
    card.set_keys(block // 4, *((other, key) if is_b else (key, other)), access)
    reader = _selected(card)
    tag = Classic(reader.pcd)
    which = KEY_B if is_b else KEY_A
    tag.authenticate(block, key, _UID, which)
    tag.write(block, data)
    assert tag.read(block) == data
    assert card.blocks[block] == data
    tag.stop()

    if key == other:
        return
    reader.cards.halt()
    assert reader.cards.wake() or reader.cards.wake()
    assert reader.cards.select()
    try:
        tag.authenticate(block, other, _UID, which)
    except CardError as error:
        assert error.reason == "refused"
    else:
        raise AssertionError("opened by another key")
