"""NXP's originality signatures: one real sample of each curve, and none that is changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.credentials.exchange import Exchange, ExchangeError
from besnik.credentials.originality import FAMILIES, family_of, read_signature

# UID and signature as in proxmark3's recover_pk.py; the last is from AN12196, section 8.2.
NTAG21X = (
    "04E10CDA993C80",
    "8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3",
)
ULTRALIGHT_EV1 = (
    "04C1285A373080",
    "CEA2EB0B3C95D0844A95B824A7553703B3702378033BF0987899DB70151A19E7",
)
NTAG424 = (
    "0463474AA26A80",
    "27E9A50E6CA4BA9037C02F7D20A80D0284D0C1D83C67F5A5AC1D8A4EF86C9508417E4E9C6F85AA79"
    "20F0ABDED984CAF20467D66EA54BBF08",
)
DESFIRE_EV3 = (
    "04448BD2DB6B80",
    "5CBB5632795C8F15263FEFB095B51C7B541AFD914A1AE44EF6FB8AF605EDF13DBFEE6C3A2DB37224"
    "5E671DFE0D42CB1F0D0B8FE67A89D2F6",
)
ULTRALIGHT_AES = (
    "045E4CC2451390",
    "C9BBDA1B99EB6634CDFD8E3251AC5C4742EA5FA507B8A8A8B39B19AB7340D173331589C54C56C49F"
    "0CCA6DDBAC1E492A",
)
AN12196 = (
    "04518DFAA96180",
    "D1940D17CFEDA4BFF80359AB975F9F6514313E8F90C1D3CAAF5941AD744A1CDF9A83F883CAFE0FE9"
    "5D1939B1B7E47113993324473B785D21",
)
SAMPLES = {
    "proxmark3 NTAG 21x": (NTAG21X, "NTAG 21x"),
    "proxmark3 Ultralight EV1": (ULTRALIGHT_EV1, "Ultralight EV1"),
    "proxmark3 NTAG 424 DNA": (NTAG424, "NTAG 424 DNA"),
    "proxmark3 DESFire EV3": (DESFIRE_EV3, "DESFire EV3"),
    "proxmark3 Ultralight AES": (ULTRALIGHT_AES, "Ultralight AES"),
    "AN12196 section 8.2 NTAG 424 DNA": (AN12196, "NTAG 424 DNA"),
}


@pytest.mark.parametrize(("sample", "family"), SAMPLES.values(), ids=SAMPLES)
def test_a_published_signature_names_its_family(sample: tuple[str, str], family: str) -> None:
    uid, signature = map(bytes.fromhex, sample)
    assert family_of(uid, signature) == family


def test_every_family_of_the_reference_is_known() -> None:
    assert {family.name for family in FAMILIES} == {
        "NTAG 21x",
        "Ultralight EV1",
        "Classic EV1",
        "NTAG 210 or Ultralight",
        "Ultralight AES",
        "NTAG 424 DNA",
        "DESFire EV2",
        "DESFire EV3",
    }
    # An uncompressed point is 04 and as many bytes as a signature.
    assert all(len(f.public_key) == 2 + 2 * f.signature_bytes for f in FAMILIES)


@given(st.sampled_from([NTAG21X, ULTRALIGHT_AES, NTAG424]), st.data())
def test_no_flipped_bit_is_signed(sample: tuple[str, str], data: st.DataObject) -> None:
    uid, signature = map(bytes.fromhex, sample)
    flipped = int.from_bytes(uid + signature, "big") ^ (
        1 << data.draw(st.integers(0, 8 * len(uid + signature) - 1))
    )
    changed = flipped.to_bytes(len(uid + signature), "big")
    assert family_of(changed[:7], changed[7:]) is None


@given(
    st.binary(max_size=12) | st.sampled_from([bytes(7), b"\xff" * 7]),
    st.binary(max_size=60)
    | st.sampled_from([b"\0" * 32, b"\xff" * 32, b"\0" * 48, b"\xff" * 56, b"\0" * 56]),
)
def test_no_bytes_break_it_or_are_signed(uid: bytes, signature: bytes) -> None:
    assert family_of(uid, signature) is None


def test_a_card_is_asked_for_its_signature() -> None:
    uid, signature = map(bytes.fromhex, NTAG21X)
    exchange = Exchange(read_signature(uid))
    assert exchange.command == bytes.fromhex("3C00")
    assert exchange.answer(signature) is None
    assert exchange.result == "NTAG 21x"


@pytest.mark.parametrize(
    ("answer", "reason"), [("", "malformed"), ("00", "malformed"), ("01" * 32, "not_authentic")]
)
def test_a_card_without_a_signature_says_so(answer: str, reason: str) -> None:
    exchange = Exchange(read_signature(bytes.fromhex(NTAG21X[0])))
    with pytest.raises(ExchangeError) as caught:
        exchange.answer(bytes.fromhex(answer))
    assert caught.value.reason == reason
