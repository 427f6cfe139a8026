"""firmware/relay.py: whatever the host says, a card hears nothing but the commands that read."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from besnik.sim.model.classic_picc import ClassicPicc
from besnik.sim.model.crc import crc_ok
from besnik.sim.model.isodep_picc import Application, IsoDepPicc
from besnik.sim.model.noise import PARITY, PROTOCOL
from besnik.sim.model.picc import Picc
from besnik.sim.model.type2_picc import Type2Picc
from fuzz.budget import examples
from fuzz.counter import STEP_MS, TAP, Counter
from fuzz.hostile import Hostile, Step, blocks, scripts, sealed

# The commands that may reach a card, as the house plan lists them; not taken from the firmware.
_APDUS = {bytes.fromhex(two) for two in ("00A4", "00B0", "00CA", "905A", "9060", "9071", "90AF")}
_APDUS |= {bytes.fromhex(two) for two in ("9051", "90AA", "906A")}
_TYPE2 = {0x60, 0x30, 0x39, 0x3C}
_REASONS = {"gone", "busy", "forbidden", "timeout", "protocol", "format"}


class Ears(Application):
    """Notes every command, and knows none."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def apdu(self, command: bytes) -> bytes:
        self.heard.append(command)
        return b"\x6d\x00"


class Listening(Type2Picc):
    """Notes every whole frame that it hears when it is selected."""

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self.heard: list[bytes] = []

    def receive(self, data: bytes, bits: int) -> tuple[bytes, int] | None:
        if bits % 8 == 0 and crc_ok(data):
            self.heard.append(data[:-2])
        return super().receive(data, bits)


class Classic(ClassicPicc):
    """As `Listening`, a MIFARE Classic, to which 60 is no question but the first half of a key."""

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self.heard: list[bytes] = []

    def receive(self, data: bytes, bits: int) -> tuple[bytes, int] | None:
        self.heard.append(data)
        return super().receive(data, bits)


def _hex(command: bytes) -> str:
    return command.hex().upper()


_COMMANDS = st.one_of(
    st.tuples(st.sampled_from(sorted(_APDUS)), st.binary(max_size=40)).map(b"".join),
    st.tuples(st.sampled_from(sorted(_TYPE2)), st.integers(0, 255)).map(bytes),
    # Writing: UPDATE BINARY, WriteData, ChangeKey, ChangeFileSettings, Format, WRITE, PWD_AUTH.
    st.tuples(
        st.sampled_from([bytes.fromhex(c) for c in ("00D6", "908D", "90C4", "905F", "90FC", "A2")]),
        st.binary(max_size=20),
    ).map(b"".join),
    st.sampled_from((b"\x1b\xff\xff\xff\xff", b"\xa2\x04abcd", b"\x60", b"\x30", b"")),
    st.binary(max_size=300),
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_TX = st.one_of(st.just(TAP), st.just(TAP), st.just(TAP), st.sampled_from(("x", "", None)), _JSON)


@st.composite
def _message(draw: st.DrawFn) -> bytes:
    message: dict[str, object] = {"tx": draw(_TX)}
    message["n"] = draw(st.one_of(st.integers(0, 4), _JSON))
    if draw(st.integers(0, 5)):
        message["c"] = draw(st.one_of(_COMMANDS.map(_hex), _COMMANDS.map(_hex), _JSON))
    if not draw(st.integers(0, 5)):
        message["end"] = draw(_JSON)
    return json.dumps(message).encode()


_PAYLOADS = st.one_of(
    _message(),
    _message(),
    _message(),
    st.binary(max_size=60),
    _JSON.map(lambda value: json.dumps(value).encode()),
)
# What the host says, and how many milliseconds later it goes on.
_TALK = st.lists(st.tuples(_PAYLOADS, st.integers(0, 300)), max_size=12)


@st.composite
def _transaction(draw: st.DrawFn) -> list[tuple[bytes, int]]:
    commands = draw(st.lists(_COMMANDS, min_size=1, max_size=12))
    pause_ms = draw(st.sampled_from((0, 1, 20, 60, 400)))
    return [
        (json.dumps({"tx": TAP, "n": n, "c": _hex(command)}).encode(), pause_ms)
        for n, command in enumerate(commands, 1)
    ]


def _talk(counter: Counter, talk: list[tuple[bytes, int]]) -> None:
    """Let the card lie there, then let the host talk."""
    counter.board.present("card")
    counter.watch_ms(400)
    at_ms = 0
    for payload, pause_ms in talk:
        counter.command(payload, at_ms)
        at_ms += pause_ms
    counter.watch_ms(at_ms + 500)
    assert counter.slowest_ms <= STEP_MS
    assert counter.presence.recoveries == 0
    for message in counter.sent:
        answer = json.loads(message)
        assert len(message) < 1024
        assert answer.get("e") in _REASONS if "r" not in answer else bytes.fromhex(answer["r"])


@examples(60)
@given(st.one_of(_TALK, _transaction()), st.sampled_from((0, 0, 0, 30, 300)))
def test_an_isodep_card_hears_what_is_allowed(talk: list[tuple[bytes, int]], noise: int) -> None:
    ears = Ears()
    counter = Counter(card=IsoDepPicc(bytes.fromhex("04DEBEBCFF4C80"), ears)).with_relay()
    counter.board.field.noise.set(noise, (PARITY, PROTOCOL))
    _talk(counter, talk)
    assert all(command[:2] in _APDUS for command in ears.heard), ears.heard
    assert len(counter.seen) <= 1


@examples(60)
@given(st.one_of(_TALK, _transaction()), st.sampled_from((0, 0, 0, 30, 300)))
def test_a_type2_card_hears_what_is_allowed(talk: list[tuple[bytes, int]], noise: int) -> None:
    card = Listening(bytes.fromhex("04A1B2C3D4E580"))
    counter = Counter(card=card).with_relay()
    counter.board.field.noise.set(noise, (PARITY, PROTOCOL))
    _talk(counter, talk)
    assert all(frame[0] in _TYPE2 and len(frame) <= 2 for frame in card.heard), card.heard
    assert len(counter.seen) <= 1


@examples(20)
@given(_transaction())
def test_other_cards_hear_nothing(talk: list[tuple[bytes, int]]) -> None:
    card = Classic(bytes.fromhex("5B3C2A19"))
    counter = Counter(card=card).with_relay()
    _talk(counter, talk)
    assert card.heard == []


@examples(40)
@given(
    st.one_of(_TALK, _transaction()),
    st.sampled_from((IsoDepPicc, Type2Picc)),
    scripts(blocks(), sealed(st.binary(min_size=1, max_size=62))),
    st.integers(0, 40),
    st.booleans(),
)
def test_hostile_cards_do_not_stop_the_relay(
    talk: list[tuple[bytes, int]], kind: type[Picc], script: list[Step], head: int, forever: bool
) -> None:
    card = Hostile(kind(bytes.fromhex("04A1B2C3D4E580")), script, head, forever)
    counter = Counter(card=card, next=Picc(bytes.fromhex("5B3C2A19"), 0x08)).with_relay()
    _talk(counter, talk)
    counter.board.remove("card")
    counter.watch_ms(1000)
    counter.seen.clear()
    counter.board.present("next")
    counter.watch_ms(500)
    assert [offer and offer.data for offer in counter.seen] == ["5B3C2A19"]


@examples(30)
@given(st.lists(_PAYLOADS, min_size=1, max_size=40))
def test_an_empty_reader_answers_that_the_card_is_gone(payloads: list[bytes]) -> None:
    counter = Counter(card=Picc(bytes.fromhex("5B3C2A19"), 0x08)).with_relay()
    counter.watch_ms(100)
    for payload in payloads:
        counter.command(payload)
    counter.watch_ms(200)
    assert len(counter.sent) <= 4
    counter.command(json.dumps({"tx": TAP, "n": 1, "c": "00A40000"}).encode())
    counter.watch_ms(200)
    assert counter.sent
    assert all(json.loads(message)["e"] == "gone" for message in counter.sent)


class Eager(Counter):
    """Its host has the next command ready as soon as it is answered."""

    async def _send(self, message: bytes) -> None:
        await super()._send(message)
        self.presence.relay.on_command(_read(len(self.sent) + 1))


def _read(n: int) -> bytes:
    return json.dumps({"tx": TAP, "n": n, "c": "3000"}).encode()


def test_a_host_that_never_pauses_has_three_seconds() -> None:
    counter = Eager(card=Type2Picc(bytes.fromhex("04A1B2C3D4E580"))).with_relay()
    counter.board.present("card")
    counter.watch_ms(400)
    counter.command(_read(1))
    counter.board.clock.after_us(5_000_000, counter.board.remove, "card")
    counter.watch_ms(7000)
    assert len(counter.sent) > 300
    assert counter.slowest_ms <= STEP_MS
