"""lib/iso14443.py: whatever answers a request, selection ends at once, with a card or a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.sim.model.picc import Picc
from fuzz.budget import examples
from fuzz.hostile import Hostile, Step, scripts, sealed
from fuzz.reader import Reader

_UIDS = st.sampled_from(("5B3C2A19", "04A1B2C3D4E580", "0411223344556677A8B9")).map(bytes.fromhex)
_PARTS = sealed(st.binary(min_size=1, max_size=5))


@examples(150)
@given(_UIDS, scripts(_PARTS), st.integers(0, 6), st.booleans())
def test_any_answers_to_selection(uid: bytes, script: list[Step], head: int, forever: bool) -> None:
    reader = Reader(Hostile(Picc(uid), script, head, forever))
    reader.switch_on()
    found = []

    def select() -> None:
        if reader.cards.request():
            found.append(reader.cards.select())

    assert reader.elapsed_ms(select) <= 1000
    assert all(len(card.uid) in (4, 7, 10) and 0 <= card.sak <= 255 for card in found)


@examples(100)
@given(_UIDS, scripts(_PARTS), st.integers(0, 4), st.booleans())
def test_any_answers_to_the_check_of_a_resting_card(
    uid: bytes, script: list[Step], head: int, forever: bool
) -> None:
    reader = Reader(Hostile(Picc(uid), script, head, forever))
    reader.switch_on()

    def check() -> None:
        reader.cards.wake()
        reader.cards.is_present(uid)
        reader.cards.halt()
        reader.cards.wake()
        assert reader.cards.reselect(uid).uid == uid

    assert reader.elapsed_ms(check) <= 200


# 0x88 and 0x08 say more than a number as a UID's first byte (ISO/IEC 14443-3, 6.5.4).
_LEVELS = st.lists(st.binary(min_size=3, max_size=3), min_size=1, max_size=3)


@examples(60)
@given(st.lists(_LEVELS, min_size=1, max_size=4))
def test_of_any_cards_each_is_selected_once(parts: list[list[bytes]]) -> None:
    uids = list({b"\x04" + b"".join(levels) for levels in parts})
    reader = Reader(**{f"card{number}": Picc(uid) for number, uid in enumerate(uids)})
    reader.pcd.reset()
    reader.pcd.field(True)
    for key in reader.board.cards:
        reader.board.present(key)
    reader.clock.sleep_us(6000)
    found = []
    while reader.cards.request():
        found.append(reader.cards.select().uid)
        reader.cards.halt()
    assert sorted(found) == sorted(uids)


@pytest.mark.parametrize("size", [4, 7, 10])
def test_the_honest_card_is_selected(size: int) -> None:
    uid = bytes(range(4, 4 + size))
    reader = Reader(Picc(uid))
    reader.switch_on()
    assert reader.cards.request()
    assert reader.cards.select().uid == uid
