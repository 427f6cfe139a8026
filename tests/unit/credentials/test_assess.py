"""Which card a tap names, and how far that can be trusted."""

from __future__ import annotations

import pytest

from besnik.credentials.an10922 import diversify
from besnik.credentials.assess import (
    Assessor,
    CardRef,
    Credential,
    CredentialError,
    Tier,
    assess,
    card_ref,
    may_redeem,
)
from besnik.credentials.exchange import ExchangeError
from besnik.credentials.keyring import Ev2Key, Keys, OriginalityKey, Secret, SunKey
from besnik.credentials.sun_template import SunTemplate
from besnik.sim.model.desfire_picc import Desfire
from support.cards import SIGNERS, signature
from support.secure_cards import Ev2Card, sun_address, talk


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


META = bytes.fromhex("0F1E2D3C4B5A69788796A5B4C3D2E1F0")
MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
EV2_MASTER = bytes.fromhex("A0D2C82B592E04EC8A4189BBC4204318")
NTAG = bytes.fromhex("D2760000850101")
DESFIRE = bytes.fromhex("F54230")
UID = bytes.fromhex("04958CAA5C5E80")
KEYS = Keys(
    sun=(
        SunKey(
            version=4,
            template=SunTemplate("e={picc}&m={mac}"),
            meta_key=Secret(META),
            file_key=Secret(MASTER),
        ),
    ),
    ev2=(
        Ev2Key(version=1, aid=NTAG.hex().upper(), key_number=2, key=Secret(EV2_MASTER)),
        Ev2Key(
            version=2,
            aid=DESFIRE.hex().upper(),
            key_number=1,
            key=Secret(EV2_MASTER),
            diversified=False,
        ),
    ),
)


def address(counter: int) -> str:
    return sun_address(
        "e={picc}&m={mac}",
        uid=UID,
        counter=counter,
        meta_key=META,
        file_key=diversify(MASTER, UID + NTAG + b"besnik"),
    )


def test_an_address_that_a_card_wrote_is_tier_a_with_its_counter() -> None:
    credential = Assessor(KEYS).assess("sun", address(1234))
    assert credential == Credential(
        CardRef("ntag", "04958CAA5C5E80"), "A", counter=1234, key_version=4
    )


def test_one_address_gives_one_counter_however_often_it_comes() -> None:
    assessor = Assessor(KEYS)
    shown = [assessor.assess("sun", address(counter)).counter for counter in (7, 7, 6, 8)]
    assert shown == [7, 7, 6, 8]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"e={'0' * 32}&m={'0' * 16}", "bad_mac"),
        (f"e={'0' * 48}&m={'0' * 16}", "unsupported"),
        ("hello=world", "malformed"),
        ("", "malformed"),
        ("\ud800" * 8, "malformed"),
        ("x" * 100_000, "malformed"),
    ],
)
def test_an_address_that_proves_nothing_says_why_and_names_no_card(text: str, reason: str) -> None:
    credential = Assessor(KEYS).assess("sun", text)
    assert (credential.tier, credential.reason, credential.counter) == ("X", reason, None)
    assert credential.ref.kind == "sun"
    assert len(credential.ref.data) == 32
    assert text not in credential.ref.data or not text
    with pytest.raises(CredentialError, match="names no card"):
        card_ref(credential.ref.kind, credential.ref.data)


def test_without_keys_no_address_is_believed() -> None:
    credential = Assessor(Keys()).assess("sun", address(1))
    assert (credential.tier, credential.reason) == ("X", "no_keys")


def test_evidence_that_needs_no_key_is_assessed_as_ever() -> None:
    assessor = Assessor(Keys())
    assert assessor.assess("uid", "5B3C2A19") == assess("uid", "5B3C2A19")
    with pytest.raises(CredentialError, match="'qr'"):
        assessor.assess("qr", "5B3C2A19")
    with pytest.raises(CredentialError, match="'ntag'"):
        assessor.assess("ntag", "04958CAA5C5E80")


def test_an_ntag_424_is_the_same_card_by_address_and_by_challenge() -> None:
    assessor = Assessor(KEYS)
    card = Ev2Card(UID, {(NTAG, 2): diversify(EV2_MASTER, UID + NTAG + b"besnik")})
    exchange = assessor.challenge(UID.hex().upper())
    assert exchange is not None
    credential = talk(exchange, card.reply)
    assert credential == Credential(CardRef("ntag", "04958CAA5C5E80"), "A", key_version=1)
    assert credential.ref == assessor.assess("sun", address(1)).ref


def test_a_desfire_card_with_a_random_uid_is_found_by_its_real_one() -> None:
    exchange = Assessor(KEYS).challenge("08A1B2C3")
    assert exchange is not None
    credential = talk(exchange, Ev2Card(UID, {(DESFIRE, 1): EV2_MASTER}).reply)
    assert credential == Credential(CardRef("ev2", "04958CAA5C5E80"), "A", key_version=2)


def test_a_card_that_fails_its_challenge_is_no_credential() -> None:
    exchange = Assessor(KEYS).challenge(UID.hex().upper())
    assert exchange is not None
    with pytest.raises(ExchangeError) as caught:
        talk(exchange, Ev2Card(UID, {(NTAG, 2): EV2_MASTER}).reply)
    assert caught.value.reason == "not_authentic"


def test_without_a_key_for_it_a_card_is_not_challenged() -> None:
    assert Assessor(Keys()).challenge("04958CAA5C5E80") is None
    assert Assessor(Keys(ev2=KEYS.ev2[:1])).challenge("08A1B2C3") is None
    with pytest.raises(CredentialError):
        Assessor(KEYS).challenge("not hex")


SIGNED = Keys(
    ev2=KEYS.ev2,
    originality=tuple(
        OriginalityKey("tests", key.get_verifying_key().to_string("uncompressed").hex().upper())
        for key in SIGNERS.values()
    ),
)
STRANGER = "04A1B2C3D4E580"


@pytest.mark.parametrize(
    ("answer", "finding"),
    [(signature(STRANGER, 32), "genuine"), (bytes(32), "copy")],
    ids=["genuine", "copy"],  # a signature is another one each time
)
def test_a_type_2_card_stays_tier_d_whatever_it_shows(answer: bytes, finding: str) -> None:
    exchange = Assessor(SIGNED).examine(STRANGER, is_type2=True)
    assert exchange is not None
    found = talk(exchange, lambda _command: answer)
    assert (found.ref, found.tier, found.finding) == (CardRef("uid", STRANGER), "D", finding)


@pytest.mark.parametrize(("size", "finding"), [(56, "genuine"), (0, "copy")])
def test_a_desfire_of_somebody_else_is_tier_d_with_its_originality(size: int, finding: str) -> None:
    card = Desfire(bytes.fromhex(STRANGER), {})
    card.signature = signature(STRANGER, 56) if size else bytes(56)
    exchange = Assessor(SIGNED).examine(STRANGER, is_type2=False)
    assert exchange is not None
    found = talk(exchange, lambda command: card.apdu(command) or b"")
    assert (found.ref, found.tier, found.finding) == (CardRef("uid", STRANGER), "D", finding)


def test_a_card_of_ours_is_proved_and_not_asked_for_a_signature() -> None:
    card = Ev2Card(UID, {(DESFIRE, 1): EV2_MASTER})
    exchange = Assessor(KEYS).examine(UID.hex().upper(), is_type2=False)
    assert exchange is not None
    found = talk(exchange, card.reply)
    assert (found.tier, found.finding) == ("A", "")
    assert b"\x90\x3c" not in {command[:2] for command in card.commands}


def test_a_card_without_a_key_for_it_is_asked_for_its_signature_only() -> None:
    exchange = Assessor(Keys()).examine(STRANGER, is_type2=False)
    assert exchange is not None
    assert exchange.command == bytes.fromhex("903C0000010000")
    found = talk(exchange, lambda _command: b"\x6d\x00")
    assert (found.tier, found.finding) == ("D", "")


def test_a_random_uid_is_asked_for_no_signature() -> None:
    assert Assessor(Keys()).examine("08A1B2C3", is_type2=False) is None
    assert Assessor(KEYS).examine("08A1B2C3", is_type2=True) is None
    exchange = Assessor(KEYS).examine("08A1B2C3", is_type2=False)
    assert exchange is not None
    with pytest.raises(ExchangeError):
        talk(exchange, lambda _command: b"\x6a\x82")


def test_a_card_that_is_another_than_it_said_is_no_card() -> None:
    card = Ev2Card(bytes.fromhex("04A9A8A7A6A5A4"), {(DESFIRE, 1): EV2_MASTER})
    exchange = Assessor(KEYS).examine(UID.hex().upper(), is_type2=False)
    assert exchange is not None
    with pytest.raises(ExchangeError) as caught:
        talk(exchange, card.reply)
    assert caught.value.reason == "wrong_uid"


def test_what_failed_is_a_finding() -> None:
    assert Assessor(KEYS).assess("sun", f"e={'0' * 48}&m={'0' * 16}").finding == "unsupported"
    assert Assessor(KEYS).assess("sun", address(1)).finding == ""


@pytest.mark.parametrize(
    ("tier", "allowed"), [("A", True), ("B", True), ("C", True), ("D", False), ("X", False)]
)
def test_what_anyone_can_copy_never_redeems(tier: Tier, allowed: bool) -> None:
    assert may_redeem(tier) is allowed


@pytest.mark.parametrize("kind", ["uid", "ntag", "ev2"])
def test_a_reference_is_checked_for_its_form(kind: str) -> None:
    assert card_ref(kind, "04958CAA5C5E80") == CardRef(kind, "04958CAA5C5E80")
    for data in ("", "04958caa5c5e80", "08A1B2C3", "04958CAA5C5E8"):
        with pytest.raises(CredentialError, match="not random"):
            card_ref(kind, data)


def test_an_assessor_shows_no_key() -> None:
    assert MASTER.hex() not in repr(Assessor(KEYS)).lower() + repr(KEYS).lower()
