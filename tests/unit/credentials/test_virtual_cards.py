"""The host's cryptography against the simulator's cards, which share no line with it."""

from __future__ import annotations

import pytest

from besnik.credentials.an10922 import diversify
from besnik.credentials.assess import Assessor, CardRef, Credential
from besnik.credentials.exchange import ExchangeError
from besnik.credentials.keyring import Ev2Key, Keys, Secret, SunKey
from besnik.credentials.sun_template import SunTemplate
from besnik.sim.model.desfire_picc import Desfire
from besnik.sim.model.ndef import uri_message
from besnik.sim.model.ntag424_picc import Ntag424
from besnik.sim.model.sun import of_address
from support.secure_cards import talk

UID = bytes.fromhex("04958CAA5C5E80")
NTAG, DESFIRE = bytes.fromhex("D2760000850101"), bytes.fromhex("F54230")
META, FILE, EV2 = (bytes((n,) * 16) for n in (1, 2, 3))
SITE = "https://example.test/t?"


def own(master: bytes, aid: bytes) -> bytes:
    return diversify(master, UID + aid + b"besnik")


def ntag(address: str, mac_from: str = "") -> Ntag424:
    keys = [bytes(16), own(FILE, NTAG), META, own(EV2, NTAG), bytes(16)]
    return Ntag424(UID, of_address(SITE + address, uri_message, mac_from), keys=keys)


def assessor(template: str) -> Assessor:
    parsed = SunTemplate(template)
    meta_key = Secret(META) if "picc" in parsed.fields else None
    return Assessor(
        Keys(
            sun=(SunKey(version=1, template=parsed, file_key=Secret(FILE), meta_key=meta_key),),
            ev2=(
                Ev2Key(version=7, aid=NTAG.hex().upper(), key_number=3, key=Secret(EV2)),
                Ev2Key(version=6, aid=DESFIRE.hex().upper(), key_number=1, key=Secret(EV2)),
                Ev2Key(
                    version=5,
                    aid="010203",
                    key_number=1,
                    key=Secret(META),
                    diversified=False,
                ),
            ),
        )
    )


def shown(card: Ntag424) -> str:
    """Return what a reader finds after the first ``?`` of the card's address."""
    for command in ("00A4040007D276000085010100", "00A4000C02E104"):
        assert card.apdu(bytes.fromhex(command)) == b"\x90\x00"
    answer = card.apdu(bytes.fromhex("00B0000000"))
    assert answer is not None
    return answer[2 : 2 + int.from_bytes(answer[:2], "big")].decode("latin-1").split("?", 1)[1]


@pytest.mark.parametrize(
    ("written", "template", "mac_from"),
    [
        ("e={picc}&m={mac}", "e={picc}&m={mac}", ""),
        ("u={uid}x{ctr}x{mac}", "u={uid}x{ctr}x{mac}", ""),
        ("u={uid}&c={ctr}&m={mac}", "u={start}{uid}&c={ctr}&m={mac}", "uid"),
        ("p={picc}&f={enc:gold}&m={mac}", "p={picc}&f={file}&m={mac}", "enc"),
    ],
)
def test_each_reading_of_a_card_is_proven_with_the_next_counter(
    written: str, template: str, mac_from: str
) -> None:
    card = ntag(written, mac_from)
    for counter in (1, 2, 3):
        credential = assessor(template).assess("sun", shown(card))
        assert credential == Credential(
            CardRef("ntag", "04958CAA5C5E80"), "A", counter=counter, key_version=1
        )


def test_an_ntag_424_answers_the_challenge() -> None:
    exchange = assessor("e={picc}&m={mac}").challenge("04958CAA5C5E80")
    assert exchange is not None
    card = ntag("e={picc}&m={mac}")
    credential = talk(exchange, lambda command: card.apdu(command) or b"")
    assert credential == Credential(CardRef("ntag", "04958CAA5C5E80"), "A", key_version=7)


@pytest.mark.parametrize("generation", ["ev2", "ev3"])
def test_a_desfire_card_answers_the_challenge(generation: str) -> None:
    card = Desfire(UID, {DESFIRE: [bytes(16), own(EV2, DESFIRE)]}, generation)
    exchange = assessor("e={picc}&m={mac}").challenge("04958CAA5C5E80")
    assert exchange is not None
    credential = talk(exchange, lambda command: card.apdu(command) or b"")
    assert credential == Credential(CardRef("ev2", "04958CAA5C5E80"), "A", key_version=6)


def test_a_desfire_card_with_a_random_uid_says_its_own_over_the_session() -> None:
    card = Desfire(UID, {bytes.fromhex("010203"): [bytes(16), META]})
    card.hides_uid = True
    exchange = assessor("e={picc}&m={mac}").challenge("08A1B2C3")
    assert exchange is not None
    credential = talk(exchange, lambda command: card.apdu(command) or b"")
    assert credential == Credential(CardRef("ev2", "04958CAA5C5E80"), "A", key_version=5)


def test_a_card_with_other_keys_does_not_pass() -> None:
    card = ntag("e={picc}&m={mac}")
    card.app_keys = [bytes((n,) * 16) for n in range(9, 14)]
    host = assessor("e={picc}&m={mac}")
    assert host.assess("sun", shown(card)).reason == "bad_mac"
    exchange = host.challenge("04958CAA5C5E80")
    assert exchange is not None
    with pytest.raises(ExchangeError):
        talk(exchange, lambda command: card.apdu(command) or b"")
