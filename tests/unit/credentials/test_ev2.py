"""AuthenticateEV2First: NXP's examples, real talks with a card, and cards that lie."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.credentials import ev2
from besnik.credentials.an10922 import diversify
from besnik.credentials.exchange import Exchange, ExchangeError
from besnik.credentials.keyring import Ev2Key, Secret
from support.secure_cards import Ev2Card, talk

UID = bytes.fromhex("04958CAA5C5E80")
RANDOM_UID = bytes.fromhex("08A1B2C3")
NTAG = bytes.fromhex("D2760000850101")
DESFIRE = bytes.fromhex("F54230")
MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
OLD = bytes.fromhex("0F1E2D3C4B5A69788796A5B4C3D2E1F0")
RND_A = bytes.fromhex("13C5DB8A5930439FC3DEF9A4C675360F")


def key(
    key: bytes = MASTER,
    *,
    version: int = 1,
    aid: bytes = NTAG,
    number: int = 2,
    diversified: bool = False,
) -> Ev2Key:
    return Ev2Key(
        version=version,
        aid=aid.hex().upper(),
        key_number=number,
        key=Secret(key),
        diversified=diversified,
    )


def own_key(master: bytes = MASTER, uid: bytes = UID, aid: bytes = NTAG) -> bytes:
    return diversify(master, uid + aid + b"besnik")


def prove(
    keys: list[Ev2Key], uid: bytes, reply: Callable[[bytes], bytes], rnd_a: bytes = RND_A
) -> ev2.Ev2Proof:
    return talk(Exchange(ev2.prove(keys, uid, lambda length: rnd_a[:length])), reply)


def refusal(keys: list[Ev2Key], uid: bytes, reply: Callable[[bytes], bytes]) -> str:
    with pytest.raises(ExchangeError) as caught:
        prove(keys, uid, reply)
    return caught.value.reason


def test_an12196_section_6_6_authentication_with_key_0() -> None:
    exchange = Exchange(ev2.authenticate(bytes(16), 0, lambda _: RND_A))
    assert exchange.command == bytes.fromhex("9071000002000000")
    assert exchange.answer(bytes.fromhex("A04C124213C186F22399D33AC2A3021591AF")) == bytes.fromhex(
        "90AF00002035C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D00"
    )
    exchange.answer(
        bytes.fromhex("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F081206639100")
    )
    assert exchange.done
    enc_key, mac_key = ev2.session_keys(
        bytes(16), RND_A, bytes.fromhex("B9E2FC789B64BF237CCCAA20EC7E6E48")
    )
    assert enc_key == bytes.fromhex("1309C877509E5A215007FF0ED19CA564")
    assert mac_key == bytes.fromhex("4C6626F5E72EA694202139295C7A7FC7")
    # The session of the talk has the same keys and the card's identifier: it asks the same.
    same = ev2.Session(enc_key, mac_key, bytes.fromhex("9D00C4DF"))
    assert Exchange(exchange.result.card_uid()).command == Exchange(same.card_uid()).command


def test_an12196_section_6_10_authentication_with_key_3() -> None:
    rnd_a = bytes.fromhex("B98F4C50CF1C2E084FD150E33992B048")
    exchange = Exchange(ev2.authenticate(bytes(16), 3, lambda _: rnd_a))
    assert exchange.command == bytes.fromhex("9071000002030000")
    assert exchange.answer(bytes.fromhex("B875CEB0E66A6C5CD00898DC371F92D191AF")) == bytes.fromhex(
        "90AF000020FF0306E47DFBC50087C4D8A78E88E62DE1E8BE457AA477C707E2F0874916A8B100"
    )
    exchange.answer(
        bytes.fromhex("0CC9A8094A8EEA683ECAAC5C7BF20584206D0608D477110FC6B3D5D3F65C3A6A9100")
    )
    assert exchange.done


def test_an12196_section_7_3_get_card_uid() -> None:
    session = ev2.Session(
        bytes.fromhex("2B4D963C014DC36F24F69A50A394F875"),
        bytes.fromhex("379D32130CE61705DD5FD8C36B95D764"),
        bytes.fromhex("DF055522"),
    )
    exchange = Exchange(session.card_uid())
    assert exchange.command == bytes.fromhex("90510000088E2C155ADDA99BE300")
    exchange.answer(bytes.fromhex("70756055688505B52A5E26E59E329CD6595F672298EA41B79100"))
    assert exchange.result == UID


def test_a_card_with_its_own_key_proves_its_uid() -> None:
    card = Ev2Card(UID, {(NTAG, 2): own_key()})
    proof = prove([key(diversified=True, version=3)], UID, card.reply)
    assert proof == ev2.Ev2Proof(UID, NTAG, 3)
    assert card.commands[0] == bytes.fromhex("00A4040007D276000085010100")
    assert [command[1] for command in card.commands] == [0xA4, 0x71, 0xAF]


@pytest.mark.parametrize("shown", [UID, RANDOM_UID])
def test_a_card_with_a_shared_key_says_its_uid_over_the_session(shown: bytes) -> None:
    card = Ev2Card(UID, {(DESFIRE, 1): MASTER})
    proof = prove([key(aid=DESFIRE, number=1)], shown, card.reply)
    assert proof == ev2.Ev2Proof(UID, DESFIRE, 1)
    assert card.commands[0] == bytes.fromhex("905A000003F5423000")
    assert card.commands[-1][:5] == bytes.fromhex("9051000008")


def test_a_card_that_shows_another_uid_than_it_has_is_refused() -> None:
    card = Ev2Card(UID, {(NTAG, 2): MASTER})
    assert refusal([key()], bytes.fromhex("04111111111111"), card.reply) == "wrong_uid"


def test_the_newest_key_comes_first_and_the_one_before_it_second() -> None:
    keys = [key(OLD, version=1, diversified=True), key(MASTER, version=2, diversified=True)]
    new = Ev2Card(UID, {(NTAG, 2): own_key()})
    assert prove(keys, UID, new.reply).key_version == 2
    assert len(new.commands) == 3
    old = Ev2Card(UID, {(NTAG, 2): own_key(OLD)})
    assert prove(keys, UID, old.reply).key_version == 1
    assert len(old.commands) == 6


def test_a_card_is_not_worn_out_by_keys_that_are_not_its_own() -> None:
    card = Ev2Card(UID, {(NTAG, 2): bytes(16)})
    keys = [key(bytes((n,) * 16), version=n, diversified=True) for n in range(1, 9)]
    assert refusal(keys, UID, card.reply) == "not_authentic"
    assert sum(command[1] == 0x71 for command in card.commands) == ev2.ATTEMPTS_MAX


def test_a_card_of_another_shop_is_asked_for_few_applications() -> None:
    card = Ev2Card(UID, {})
    keys = [key(version=n, aid=bytes((n, 0, 0))) for n in range(1, 9)]
    assert refusal(keys, UID, card.reply) == "no_application"
    assert len(card.commands) == ev2.SELECTIONS_MAX


def test_the_own_key_of_a_card_that_hides_its_uid_is_not_known() -> None:
    keys = [key(diversified=True)]
    assert ev2.usable(keys, RANDOM_UID) == []
    with pytest.raises(ExchangeError, match="no key") as caught:
        Exchange(ev2.prove(keys, RANDOM_UID))
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("6A82", "no_application"),
        ("91A0", "no_application"),
        ("9140", "no_key"),
        ("919D", "unsupported"),
        ("911C", "unsupported"),
        ("6D00", "unsupported"),
        ("91AE", "not_authentic"),
        ("91AD", "refused"),
        ("6985", "refused"),
        ("9100", "refused"),
    ],
)
def test_a_status_of_the_card_becomes_a_reason(status: str, reason: str) -> None:
    exchange = Exchange(ev2.authenticate(MASTER, 2))
    with pytest.raises(ExchangeError, match=f"the card answered {status}") as caught:
        exchange.answer(bytes.fromhex(status))
    assert caught.value.reason == reason


@pytest.mark.parametrize("answer", ["", "91", "91AF", "00" * 15 + "91AF", "00" * 17 + "91AF"])
def test_an_answer_of_the_wrong_length_is_malformed(answer: str) -> None:
    exchange = Exchange(ev2.authenticate(MASTER, 2))
    with pytest.raises(ExchangeError) as caught:
        exchange.answer(bytes.fromhex(answer))
    assert caught.value.reason == "malformed"


def test_a_card_that_sets_lrp_is_unsupported() -> None:
    # NT4H2421Gx, table 19: a card set to LRP denies EV2; an 18-byte answer is LRP's own.
    card = Ev2Card(UID, {(NTAG, 2): MASTER})
    replies = {0xA4: card.reply, 0x71: lambda _: b"\x91\x9d"}
    assert refusal([key()], UID, lambda command: replies[command[1]](command)) == "unsupported"


def test_a_card_that_does_not_know_how_another_family_is_selected_is_asked_by_its_own_key() -> None:
    card = Ev2Card(UID, {(NTAG, 2): MASTER})

    def reply(command: bytes) -> bytes:
        # An NTAG 424 DNA does not know DESFire's SelectApplication.
        return b"\x91\x1c" if command[1] == 0x5A else card.reply(command)

    keys = [key(aid=DESFIRE, number=1, version=9), key(version=1)]
    assert prove(keys, UID, reply).application == NTAG


def test_the_most_telling_refusal_is_reported() -> None:
    card = Ev2Card(UID, {(NTAG, 2): bytes(16)})
    keys = [key(version=9), key(aid=DESFIRE, number=1, version=1)]
    assert refusal(keys, UID, card.reply) == "not_authentic"


def test_a_uid_that_is_not_padded_as_seven_bytes_is_malformed() -> None:
    card = Ev2Card(bytes(10), {(NTAG, 2): MASTER})
    assert refusal([key()], RANDOM_UID, card.reply) == "malformed"


@given(st.data(), st.booleans())
def test_no_flipped_bit_proves_a_card(data: st.DataObject, diversified: bool) -> None:
    card = Ev2Card(UID, {(NTAG, 2): own_key() if diversified else MASTER})
    target = data.draw(st.integers(1, 2 if diversified else 3))
    steps = iter(range(100))

    def reply(command: bytes) -> bytes:
        answer = card.reply(command)
        if next(steps) != target:
            return answer
        bit = data.draw(st.integers(0, len(answer) * 8 - 1))
        number = int.from_bytes(answer, "big") ^ (1 << bit)
        return number.to_bytes(len(answer), "big")

    assert refusal([key(diversified=diversified)], UID, reply)


@given(st.binary(min_size=16, max_size=16).filter(lambda rnd_a: rnd_a != RND_A))
def test_no_recorded_talk_proves_a_card(rnd_a: bytes) -> None:
    card = Ev2Card(UID, {(NTAG, 2): own_key()})
    answers: list[bytes] = []

    def recorded(command: bytes) -> bytes:
        answers.append(card.reply(command))
        return answers[-1]

    prove([key(diversified=True)], UID, recorded, rnd_a)
    replay = iter(answers)
    assert refusal([key(diversified=True)], UID, lambda _: next(replay)) == "not_authentic"


@given(st.lists(st.binary(max_size=70), min_size=12, max_size=12), st.sampled_from([UID, b"\x08"]))
def test_no_answers_break_it_or_prove_anything(answers: list[bytes], uid: bytes) -> None:
    replies = iter(answers)
    assert refusal([key(version=1), key(version=2, aid=DESFIRE)], uid, lambda _: next(replies))


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
def test_no_well_formed_guess_proves_a_card(first: bytes, second: bytes) -> None:
    exchange = Exchange(ev2.authenticate(MASTER, 2))
    exchange.answer(first + b"\x91\xaf")
    with pytest.raises(ExchangeError) as caught:
        exchange.answer(second + b"\x91\x00")
    assert caught.value.reason == "not_authentic"


def test_every_authentication_has_a_random_number_of_its_own() -> None:
    def second_command() -> bytes | None:
        return Exchange(ev2.authenticate(MASTER, 2)).answer(bytes(16) + b"\x91\xaf")

    assert second_command() != second_command()


def test_nothing_shows_a_key() -> None:
    card = Ev2Card(UID, {(NTAG, 2): MASTER})
    exchange = Exchange(ev2.authenticate(MASTER, 2, lambda _: RND_A))
    card.reply(bytes.fromhex("00A4040007D276000085010100"))
    session = talk(exchange, card.reply)
    shown = repr(exchange) + repr(session) + str(session) + repr(key())
    for secret in (MASTER, *ev2.session_keys(MASTER, RND_A, card.rnd_b)):
        assert secret.hex() not in shown.lower()
        assert repr(secret) not in shown
