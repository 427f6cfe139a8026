"""The contract on the host's side, held to the messages that the firmware's tests read too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik import contract

MESSAGES: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[1] / "contract/messages.json").read_text(encoding="utf-8")
)
KINDS = {
    "tap": contract.Tap,
    "verdict": contract.Verdict,
    "state": contract.State,
    "info": contract.Info,
    "health": contract.Health,
    "visit": contract.Visit,
    "apdu/cmd": contract.ApduCommand,
    "apdu/rsp": contract.ApduAnswer,
    "cmd/update": contract.UpdateOrder,
    "update/get": contract.UpdateAsk,
    "update/state": contract.UpdateState,
    "cmd/doctor": contract.DoctorOrder,
    "cmd/result": contract.DoctorResult,
}
RIGHT = [message for message in MESSAGES if message["ok"]]
WRONG = [message for message in MESSAGES if not message["ok"]]
ids = st.from_regex(r"[a-z0-9-]{1,16}", fullmatch=True)


@pytest.mark.parametrize("message", RIGHT, ids=lambda message: message["what"])
def test_a_recorded_message_is_understood_and_said_the_same_way(message: dict[str, Any]) -> None:
    decoded = contract.decode(message["text"].encode(), KINDS[message["leaf"]])
    said = json.loads(contract.encode(decoded))
    heard = json.loads(message["text"])
    assert said == {key: heard[key] for key in said}


@pytest.mark.parametrize("message", WRONG, ids=lambda message: message["what"])
def test_a_recorded_wrong_message_is_refused_with_a_reason(message: dict[str, Any]) -> None:
    with pytest.raises(contract.ContractError) as raised:
        contract.decode(message["text"].encode(), KINDS[message["leaf"]])
    assert str(raised.value)


def test_every_kind_that_a_reader_sends_or_hears_is_recorded() -> None:
    assert {message["leaf"] for message in RIGHT} >= set(KINDS) - {"visit"}
    assert {message["leaf"] for message in WRONG} >= {
        "tap", "verdict", "state", "apdu/cmd", "apdu/rsp",
    }  # fmt: skip


@pytest.mark.parametrize("message", [each for each in RIGHT if each["leaf"] == "tap"])
def test_a_tap_of_the_contract_stays_below_its_bytes(message: dict[str, Any]) -> None:
    tap = contract.decode(message["text"].encode(), contract.Tap)
    if tap.k == "uid" or len(tap.d) <= 53:
        assert len(contract.encode(tap)) <= contract.TAP_MAX_BYTES


def test_the_longest_uid_tap_stays_below_its_bytes() -> None:
    longest = contract.Tap(1, "99999-999999", "uid", "F" * 20, 253_402_300_799, 2, 1, 255)
    assert len(contract.encode(longest)) <= contract.TAP_MAX_BYTES


@pytest.mark.parametrize(
    ("uid", "right"),
    [("5B3C2A19", True), ("04A1B2C3D4E580", True), ("0411223344556677A8B9", True),
     ("5B3C2A1", False), ("5B3C2A190", False), ("04a1b2c3d4e580", False), ("5B3C2A1G", False),
     ("5B3C2A19\n", False)],
)  # fmt: skip
def test_a_uid_has_4_7_or_10_bytes_in_upper_case_also_beside_other_kinds(
    uid: str, right: bool
) -> None:
    text = json.dumps({"v": 1, "id": "00001-000001", "k": "uid", "d": uid, "t": 0, "tq": 0, "q": 0})
    if right:
        assert contract.decode(text.encode(), contract.Tap).d == uid
    else:
        with pytest.raises(contract.ContractError, match=r"at `\$\.d`"):
            contract.decode(text.encode(), contract.Tap)


@pytest.mark.parametrize(
    ("sak", "expected"),
    [(msgspec.UNSET, False), (0x00, False), (0x08, False), (0x20, True), (0x28, True),
     (0x60, True)],
)  # fmt: skip
def test_a_sak_says_whether_the_card_takes_apdus(
    sak: int | msgspec.UnsetType, expected: bool
) -> None:
    tap = contract.Tap(1, "00001-000001", "uid", "5B3C2A19", 0, 0, 0, sak)
    assert tap.is_iso_dep is expected


def test_the_longest_answer_of_a_card_fits_its_message() -> None:
    answer = contract.ApduAnswer("99999-999999", 99, r="00" * 400)
    payload = contract.encode(answer)
    assert len(payload) <= contract.PAYLOAD_MAX_BYTES
    assert contract.decode(payload, contract.ApduAnswer) == answer


@pytest.mark.parametrize(
    "payload", [b"", b"\xff\xfe", b"[]", b"null", b"{" * 900, b'{"v":1}', b'{"v":NaN}']
)
def test_garbage_is_refused(payload: bytes) -> None:
    with pytest.raises(contract.ContractError):
        contract.decode(payload, contract.Tap)


def test_a_payload_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(contract.ContractError, match="10000000 bytes is over 1024"):
        contract.decode(b" " * 10_000_000, contract.Tap)


@given(st.binary(max_size=200))
def test_no_payload_raises_anything_else(payload: bytes) -> None:
    for kind in KINDS.values():
        try:
            contract.decode(payload, kind)
        except contract.ContractError:
            continue


@given(shop=ids, reader=ids, leaf=st.sampled_from(["tap", "verdict", "cmd/result", "apdu/cmd"]))
def test_a_topic_reads_back(shop: str, reader: str, leaf: str) -> None:
    text = contract.topic(shop, reader, leaf)
    assert contract.parse_topic(text) == contract.Address(shop, reader, leaf)
    assert len(text.encode()) <= contract.TOPIC_MAX_BYTES


@pytest.mark.parametrize(
    "text",
    [
        "",
        "besnik/v1",
        "besnik/v1/corner/counter-1",
        "besnik/v1/corner/counter-1/",
        "besnik/v2/corner/counter-1/tap",
        "besnik/v1/Corner/counter-1/tap",
        "besnik/v1/corner//tap",
        "besnik/v1/corner/counter-1-is-too-long/tap",
        "besnik/v1/corner/counter\n/tap",
        "/besnik/v1/corner/counter-1/tap",
    ],
)
def test_a_foreign_topic_is_refused(text: str) -> None:
    with pytest.raises(contract.ContractError):
        contract.parse_topic(text)


@given(st.text(max_size=80))
def test_no_topic_raises_anything_else(text: str) -> None:
    try:
        address = contract.parse_topic(text)
    except contract.ContractError:
        return
    assert text == f"besnik/v1/{address.shop}/{address.reader}/{address.leaf}"


@pytest.mark.parametrize("name", ["", "+", "#", "a/b", "Ä", "x" * 17, "ok\n"])
def test_a_topic_is_never_made_of_a_name_that_is_no_id(name: str) -> None:
    with pytest.raises(contract.ContractError):
        contract.topic(name, "counter-1", "tap")
    with pytest.raises(contract.ContractError):
        contract.topic("corner", name, "tap")


def test_a_topic_over_its_bytes_is_refused() -> None:
    with pytest.raises(contract.ContractError, match="longer than 64"):
        contract.topic("a" * 16, "b" * 16, "cmd/" + "c" * 30)


def test_unknown_keys_are_ignored_and_never_sent() -> None:
    verdict = contract.decode(
        b'{"id":"00042-001337","r":"accepted","why":"ok","later":[1]}', contract.Verdict
    )
    assert set(msgspec.to_builtins(verdict)) == {"id", "r", "why"}
