"""lib/type4.py: any files and any answers of an application end in time, with a reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from isodep import IsoDep
from type4 import read_ndef

from besnik.sim.model.isodep_picc import Application, IsoDepPicc
from besnik.sim.model.ntag424_picc import ntag424
from fuzz.budget import examples
from fuzz.hostile import Hostile, Step, blocks, scripts
from fuzz.reader import UID, Reader, run

# The limit of a session, and its end (test_isodep.py).
_LIMIT_MS = 3065
_ADDRESS = "https://corner.example/t?e={picc}&m={mac}"
_STATUS = st.sampled_from((b"\x90\x00", b"\x90\x00", b"\x6a\x82", b"\x91\xaf", b"\x61\x10", b""))
_WORDS = st.tuples(st.binary(max_size=70), _STATUS).map(b"".join)
# A capability container whose file control is right, and lengths of files.
_CONTAINER = st.tuples(
    st.binary(min_size=7, max_size=7), st.just(b"\x04\x06"), st.binary(min_size=6, max_size=6)
).map(b"".join)


class Saying(Application):
    """Answers one command after another with what is given, the last for ever; at its leisure."""

    def __init__(self, answers: list[bytes], us: int) -> None:
        self._answers = answers
        self._us = us

    def apdu(self, _command: bytes) -> bytes:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def work_us(self, _command: bytes) -> int:
        return self._us


class Files(Application):
    """An NDEF application that says yes to everything; its files hold what is given."""

    def __init__(self, container: bytes, length: int, filling: bytes, us: int) -> None:
        self._files = {b"\xe1\x03": container, b"ndef": length.to_bytes(2, "big")}
        self._filling = filling
        self._file = b""
        self._us = us

    def apdu(self, command: bytes) -> bytes:
        if command[1] == 0xA4:
            self._file = b"\xe1\x03" if command[5:7] == b"\xe1\x03" else b"ndef"
            return b"\x90\x00"
        at, size = command[2] << 8 | command[3], command[4]
        file = self._files[self._file]
        content = file + self._filling * ((at + size) // len(self._filling) + 1)
        return content[at : at + size] + b"\x90\x00"

    def work_us(self, _command: bytes) -> int:
        return self._us


def _read(card: object) -> tuple[int, list[bytes]]:
    reader = Reader(card)
    reader.switch_on()
    isodep = IsoDep(reader.pcd, reader.clock)
    messages: list[bytes] = []

    async def read() -> None:
        await isodep.activate()
        try:
            messages.append(await read_ndef(isodep))
        finally:
            await isodep.deselect()

    assert reader.cards.wake()
    assert reader.cards.select()
    return reader.elapsed_ms(lambda: run(read())), messages


@examples(60)
@given(st.lists(_WORDS, min_size=1, max_size=12), st.integers(0, 500_000))
def test_any_words_of_an_application(answers: list[bytes], us: int) -> None:
    taken_ms, messages = _read(IsoDepPicc(UID, Saying(answers, us)))
    assert taken_ms <= _LIMIT_MS
    assert all(len(message) <= 1024 for message in messages)


@examples(60)
@given(
    st.one_of(_CONTAINER, st.binary(max_size=20)),
    st.one_of(st.integers(0, 200), st.sampled_from((1024, 1025, 0xFFFF))),
    st.binary(min_size=1, max_size=9),
    st.integers(0, 100_000),
)
def test_any_files(container: bytes, length: int, filling: bytes, us: int) -> None:
    taken_ms, messages = _read(IsoDepPicc(UID, Files(container, length, filling, us)))
    assert taken_ms <= _LIMIT_MS
    assert all(len(message) == length for message in messages)


@examples(60)
@given(scripts(blocks()), st.integers(5, 20), st.booleans())
def test_any_blocks_of_a_sun_card(script: list[Step], head: int, forever: bool) -> None:
    taken_ms, messages = _read(Hostile(ntag424(UID, _ADDRESS), script, head, forever))
    assert taken_ms <= _LIMIT_MS
    assert all(len(message) <= 1024 for message in messages)
