"""A key for every card from one master key, held to NXP's example."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.credentials.aes import cmac
from besnik.credentials.an10922 import MESSAGE_MAX, card_message, diversify

MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
UID = bytes.fromhex("04782E21801D80")
KEYS = st.binary(min_size=16, max_size=16)


def test_an10922_section_2_2_example() -> None:
    message = card_message(UID, bytes.fromhex("3042F5"), "NXP Abu")
    assert message == bytes.fromhex("04782E21801D803042F54E585020416275")
    assert diversify(MASTER, message) == bytes.fromhex("A8DD63A3B89D54B37CA802473FDA9175")


def test_an10922_pads_a_short_message_to_two_blocks_unlike_cmac() -> None:
    assert diversify(MASTER, UID) == bytes.fromhex("4FD3364753B8142980E8203C75AD83BE")
    assert cmac(MASTER, b"\x01" + UID) == bytes.fromhex("B3179E2D918AC5190815983B054B63AD")


@given(KEYS, st.binary(min_size=16, max_size=MESSAGE_MAX))
def test_a_long_message_gives_the_cmac(master: bytes, message: bytes) -> None:
    assert diversify(master, message) == cmac(master, b"\x01" + message)


@given(KEYS, st.binary(min_size=1, max_size=15))
def test_a_short_message_does_not_give_the_cmac(master: bytes, message: bytes) -> None:
    assert diversify(master, message) != cmac(master, b"\x01" + message)


@given(
    st.binary(min_size=1, max_size=MESSAGE_MAX),
    st.binary(min_size=1, max_size=MESSAGE_MAX),
)
def test_other_messages_give_other_keys(one: bytes, other: bytes) -> None:
    assert (diversify(MASTER, one) == diversify(MASTER, other)) == (one == other)


@pytest.mark.parametrize("length", [0, MESSAGE_MAX + 1])
def test_a_message_of_no_use_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="1 to 31 bytes"):
        diversify(MASTER, bytes(length))
