"""Which card a tap names, and how far that can be trusted."""

from __future__ import annotations

import pytest

from besnik.credentials.assess import CardRef, CredentialError, assess


@pytest.mark.parametrize("uid", ["5B3C2A19", "04A1B2C3D4E580", "0411223344556677A8B9"])
def test_a_uid_is_tier_d(uid: str) -> None:
    credential = assess("uid", uid)
    assert credential.ref == CardRef("uid", uid)
    assert credential.tier == "D"


@pytest.mark.parametrize("uid", ["08000000", "08A1B2C3", "08FFFFFF"])
def test_a_four_byte_uid_that_begins_with_08_is_random(uid: str) -> None:
    assert assess("uid", uid).tier == "X"


@pytest.mark.parametrize("uid", ["08A1B2C3D4E580", "0811223344556677A8B9", "18A1B2C3", "80A1B2C3"])
def test_only_a_four_byte_08_is_random(uid: str) -> None:
    assert assess("uid", uid).tier == "D"


@pytest.mark.parametrize("uid", ["", "5b3c2a19", "5B3C2A", "5B3C2A1900", "5B3C2A19\n", "ZZZZZZZZ"])
def test_what_is_no_uid_is_refused(uid: str) -> None:
    with pytest.raises(CredentialError, match="4, 7 or 10 bytes"):
        assess("uid", uid)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(CredentialError, match="'qr'"):
        assess("qr", "5B3C2A19")
