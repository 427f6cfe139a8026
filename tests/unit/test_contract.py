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
    assert {message["leaf"] for message in WRONG} >= {"tap", "verdict", "state"}


@pytest.mark.parametrize("message", [each for each in RIGHT if each["leaf"] == "tap"])
def test_a_tap_of_the_contract_stays_below_its_bytes(message: dict[str, Any]) -> None:
    tap = contract.decode(message["text"].encode(), contract.Tap)
    assert len(contract.encode(tap)) <= contract.TAP_MAX_BYTES


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


@given(shop=ids, reader=ids, leaf=st.sampled_from(["tap", "verdict", "visit", "cmd/result"]))
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
