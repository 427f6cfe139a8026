"""lib/isodep.py: whatever a card answers, an exchange ends in time, with an answer or a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso14443 import CardError
from isodep import IsoDep, read_ats

from besnik.sim.model.isodep_picc import IsoDepPicc
from besnik.sim.model.phone_picc import phone
from fuzz.budget import examples
from fuzz.hostile import Answer, Hostile, Step, ats, blocks, scripts, sealed
from fuzz.reader import UID, Reader, run

# RATS twice and DESELECT three times are sent whatever the limit: each with an answer of 64 bytes
# that begins at the last moment takes 12 ms or a little more.
_MORE_MS = 65


@examples(200)
@given(ats())
def test_any_ats_is_taken_or_refused(data: bytes) -> None:
    try:
        frame_max, fwt_us, sfgt_us = read_ats(data)
    except CardError as error:
        assert error.reason == "length"
        return
    assert data[0] == len(data)
    assert frame_max in (16, 24, 32, 40, 48, 64)
    assert 302 <= fwt_us <= 302 << 14
    assert 0 <= sfgt_us <= 302 << 14


def _exchange(card: object, limit_ms: int, commands: list[bytes]) -> int:
    """Run a whole session; return how long it took, deselection and all."""
    reader = Reader(card)
    reader.switch_on()
    isodep = IsoDep(reader.pcd, reader.clock)

    async def session() -> None:
        await isodep.activate(limit_ms)
        try:
            for command in commands:
                assert len(await isodep.transceive(command)) <= 4096
        finally:
            await isodep.deselect()

    assert reader.cards.wake()
    assert reader.cards.select()
    return reader.elapsed_ms(lambda: run(session()))


_COMMANDS = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=3)
_LIMITS_MS = st.sampled_from((1, 50, 250, 2900))


@examples(120)
@given(scripts(blocks()), st.integers(5, 12), st.booleans(), _LIMITS_MS, _COMMANDS)
def test_any_blocks_end_in_time(
    script: list[Step], head: int, forever: bool, limit_ms: int, commands: list[bytes]
) -> None:
    card = Hostile(IsoDepPicc(UID), script, head, forever)
    assert _exchange(card, limit_ms, commands) <= limit_ms + _MORE_MS


@examples(120)
@given(sealed(ats()), scripts(blocks()), st.booleans(), _LIMITS_MS, _COMMANDS)
def test_any_ats_and_what_follows_end_in_time(
    first: Answer, script: list[Step], forever: bool, limit_ms: int, commands: list[bytes]
) -> None:
    card = Hostile(IsoDepPicc(UID), [first, *script], 5, forever)
    assert _exchange(card, limit_ms, commands) <= limit_ms + _MORE_MS


@examples(30)
@given(st.integers(0, 15), st.integers(0, 15), st.integers(1, 59), st.integers(1, 1 << 20))
def test_cards_that_ask_for_time_get_no_more_than_there_is(
    fwi: int, sfgi: int, multiplier: int, times: int
) -> None:
    card = IsoDepPicc(UID, ats=bytes((4, 0x28, fwi << 4 | sfgi, 0x80)))
    card.ask_for_time(times, multiplier)
    assert _exchange(card, 500, [b"\x00\xa4\x04\x00"]) <= 500 + _MORE_MS


@pytest.mark.parametrize("size", [1, 61, 62, 300])
def test_the_honest_card_is_understood(size: int) -> None:
    assert _exchange(phone(), 2900, [bytes(size)]) < 400
