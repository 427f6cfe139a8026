"""What is a tap and what is not, with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.bridge.intake import BadInputError, read

TOPIC = "besnik/v1/corner/counter-1/tap"
GOOD = {"v": 1, "id": "00042-001337", "k": "uid", "d": "5B3C2A19", "t": 1, "tq": 2, "q": 0}


def fault(payload: bytes, topic: str = TOPIC) -> tuple[str, str]:
    with pytest.raises(BadInputError) as caught:
        read(topic, payload, redelivered=False)
    return caught.value.fault, caught.value.where


def changed(**values: object) -> bytes:
    return json.dumps(GOOD | values).encode()


def test_a_tap_is_read_with_where_and_when_it_came() -> None:
    arrival = read(TOPIC, changed(), redelivered=True)
    assert (arrival.shop, arrival.reader, arrival.tap.id) == ("corner", "counter-1", GOOD["id"])
    assert arrival.redelivered
    assert arrival.received_at.utcoffset() is not None
    assert 0 <= arrival.age_s < 1


def test_the_recorded_taps_are_read_and_refused_as_recorded(root: Path) -> None:
    recorded = json.loads((root / "tests/contract/messages.json").read_text(encoding="utf-8"))
    taps = [message for message in recorded if message["leaf"] == "tap"]
    assert {message["ok"] for message in taps} == {True, False}
    for message in taps:
        if message["ok"]:
            read(TOPIC, message["text"].encode(), redelivered=False)
        else:
            fault(message["text"].encode())


@pytest.mark.parametrize(
    ("payload", "reason", "where"),
    [
        (b"", "not_json", ""),
        (b"hello", "not_json", ""),
        (b'{"v":1', "not_json", ""),
        (b"[" * 1000, "fields", "$"),
        (b'{"later":' + b"[" * 1000, "not_json", ""),
        (b'{"v":' + b"[" * 1000, "not_json", ""),
        (b"\xff\xfe{}", "not_utf8", ""),
        (changed().replace(b"uid", b"u\xffd"), "not_utf8", ""),
        (b" " * 1025, "too_large", ""),
        (b"x" * 10_000_000, "too_large", ""),
        (b"[]", "fields", "$"),
        (b"null", "fields", "$"),
        (b"{}", "fields", "$"),
        (changed(v=2), "version", ""),
        (changed(v=0), "version", ""),
        (changed(v="1"), "fields", "$.v"),
        (changed(v=True), "fields", "$.v"),
        (changed(v=None), "fields", "$.v"),
        (changed(id="42-1337"), "fields", "$.id"),
        (changed(id=7), "fields", "$.id"),
        (changed(k="qr"), "fields", "$.k"),
        (changed(d="5b3c2a19"), "fields", "$.d"),
        (changed(d="5B3C2A1900"), "fields", "$.d"),
        (changed(d=["5B3C2A19"]), "fields", "$.d"),
        (changed(k="sun", d="e=0"), "fields", "$.d"),
        (changed(k="sun", d="e=" + 99 * "é"), "fields", "$.d"),
        (changed(d="e=EF963FF7828658A5"), "fields", "$.d"),
        (changed(s=256), "fields", "$.s"),
        (changed(s=None), "fields", "$.s"),
        (changed(t=-1), "fields", "$.t"),
        (changed(t=1.5), "fields", "$.t"),
        (changed(t=2**63), "fields", "$.t"),
        (changed(t=10**300), "fields", "$.t"),
        (changed(tq=3), "fields", "$.tq"),
        (changed(q="0"), "fields", "$.q"),
        (changed(q=False), "fields", "$.q"),
    ],
)
def test_what_is_no_tap_has_a_reason(payload: bytes, reason: str, where: str) -> None:
    assert fault(payload) == (reason, where)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "besnik/v1/corner/tap",
        "besnik/v1/Corner/counter-1/tap",
        "besnik/v1/c/ρ/tap",
        "a/b/c/d/e",
    ],
)
def test_a_topic_that_is_none_of_ours(topic: str) -> None:
    assert fault(changed(), topic) == ("topic", "")


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from([*GOOD, "x"]), inner, max_size=9
    ),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_nothing_but_bad_input_comes_out_of_garbage(payload: bytes) -> None:
    try:
        read(TOPIC, payload, redelivered=False)
    except BadInputError as bad:
        assert len(bad.where) <= 10


def test_the_reason_never_holds_what_was_sent() -> None:
    for payload in (changed(k="04A1B2C3D4E580"), changed(d="04A1B2C3D4E58"), changed(id="Ana")):
        _, where = fault(payload)
        assert where in ("$.k", "$.d", "$.id")
