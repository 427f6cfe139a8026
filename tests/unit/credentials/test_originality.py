"""NXP's originality signatures: one real sample of each curve, and none that is changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.credentials.exchange import Exchange
from besnik.credentials.keyring import OriginalityKey
from besnik.credentials.originality import FAMILIES, Originality, Signers, examine
from support.cards import SIGNERS, signature

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
# AN12343, table 44: a DESFire Light, whose key NXP names there and nowhere else.
DESFIRE_LIGHT = (
    "045A115A346180",
    "1CA298FC3F0F04A329254AC0DF7A3EB8E756C076CD1BAAF47B8BBA6DCD78BCC64DFD3E80E679D9A6"
    "63CAE9E4D4C2C77023077CC549CE4A61",
)
DESFIRE_LIGHT_KEY = (
    "040E98E117AAA36457F43173DC920A8757267F44CE4EC5ADD3C54075571AEBBF7B942A9774A1D94A"
    "D02572427E5AE0A2DD36591B1FB34FCF3D"
)
NXP = Signers()
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
    uid, signed = map(bytes.fromhex, sample)
    assert NXP.family_of(uid, signed) == family


def test_a_signer_of_the_installation_is_believed_beside_nxp() -> None:
    uid, signed = map(bytes.fromhex, DESFIRE_LIGHT)
    assert NXP.family_of(uid, signed) is None
    with_light = Signers([OriginalityKey("DESFire Light", DESFIRE_LIGHT_KEY)])
    assert with_light.family_of(uid, signed) == "DESFire Light"
    assert with_light.family_of(*map(bytes.fromhex, NTAG21X)) == "NTAG 21x"


@pytest.mark.parametrize("point", [f"04{'0' * 64}", f"04{'F' * 96}", f"04{'1' * 112}", "04", ""])
def test_a_signer_that_is_no_point_is_refused(point: str) -> None:
    with pytest.raises(ValueError, match=r"not on its curve|coordinates"):
        Signers([OriginalityKey("nobody", point)])


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
    uid, signed = map(bytes.fromhex, sample)
    flipped = int.from_bytes(uid + signed, "big") ^ (
        1 << data.draw(st.integers(0, 8 * len(uid + signed) - 1))
    )
    changed = flipped.to_bytes(len(uid + signed), "big")
    assert NXP.family_of(changed[:7], changed[7:]) is None


@given(
    st.binary(max_size=12) | st.sampled_from([bytes(7), b"\xff" * 7]),
    st.binary(max_size=60)
    | st.sampled_from([b"\0" * 32, b"\xff" * 32, b"\0" * 48, b"\xff" * 56, b"\0" * 56]),
)
def test_no_bytes_break_it_or_are_signed(uid: bytes, signed: bytes) -> None:
    assert NXP.family_of(uid, signed) is None


def found(sample: tuple[str, str], answer: str, *, is_type2: bool) -> Originality:
    exchange = Exchange(examine(NXP, bytes.fromhex(sample[0]), is_type2=is_type2))
    assert exchange.command == bytes.fromhex("3C00" if is_type2 else "903C0000010000")
    assert exchange.answer(bytes.fromhex(answer)) is None
    return exchange.result


def test_a_card_is_asked_for_its_signature() -> None:
    assert found(NTAG21X, NTAG21X[1], is_type2=True) == "genuine"
    assert found(NTAG424, NTAG424[1] + "9190", is_type2=False) == "genuine"


@pytest.mark.parametrize("answer", ["", "00", "01" * 32, "00" * 32, ULTRALIGHT_EV1[1], NTAG424[1]])
def test_what_a_type_2_card_shows_instead_makes_it_a_copy(answer: str) -> None:
    assert found(NTAG21X, answer, is_type2=True) == "copy"


@pytest.mark.parametrize("answer", ["9190", "00" * 56 + "9190", AN12196[1] + "9190"])
def test_what_an_ntag_424_shows_instead_makes_it_a_copy(answer: str) -> None:
    assert found(NTAG424, answer, is_type2=False) == "copy"


@pytest.mark.parametrize("answer", ["", "90", "6D00", "6E00", "911C", "9100", NTAG424[1] + "9000"])
def test_of_a_card_that_has_no_signature_nobody_can_tell(answer: str) -> None:
    assert found(NTAG424, answer, is_type2=False) == ""


@pytest.mark.parametrize("size", SIGNERS)
def test_the_signers_of_the_tests_sign_as_nxp_does(size: int) -> None:
    point = SIGNERS[size].get_verifying_key().to_string("uncompressed").hex().upper()
    believed = Signers([OriginalityKey("tests", point)])
    assert believed.family_of(bytes.fromhex("04A1B2C3D4E580"), signature("04A1B2C3D4E580", size))
    assert not believed.family_of(
        bytes.fromhex("04A1B2C3D4E581"), signature("04A1B2C3D4E580", size)
    )
