"""firmware/outbox.py: any taps, answers, restarts, boot counters: nothing is lost or mistaken.

Real files in a folder; the sequence's start, which is drawn on the reader, is drawn by hypothesis.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from firmware import outbox as device
from hypothesis import given
from hypothesis import strategies as st

from besnik import contract
from fuzz.budget import examples

CAP = 20
MESSAGE = b'{"v":1,"id":"%s","k":"uid","d":"5B3C2A19","t":1795300000,"tq":2,"q":%d}'

# Numbers near each other and near their ends, so that boots and sequences meet and wrap around.
_BOOTS = st.one_of(st.sampled_from((0, 1, 2, 99999, 100000, 100001)), st.integers(0, 1 << 31))
_STARTS = st.one_of(st.integers(0, 3), st.integers(999_990, 999_999), st.integers(0, 999_999))
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("taps"), st.integers(1, 12)),
        st.tuples(st.just("answer"), st.integers(0, 40)),
        st.tuples(st.just("drain"), st.integers(1, 12)),
        st.tuples(st.just("next boot"), _STARTS),
        st.tuples(st.just("boot counter lost"), st.tuples(_BOOTS, _STARTS)),
        st.tuples(st.just("damage"), st.tuples(st.integers(0, 40), st.integers(0, 2000))),
    ),
    max_size=30,
)


class Draws:
    """Stands where the reader draws its numbers."""

    start = 0

    def randrange(self, limit: int) -> int:
        return self.start % limit

    def getrandbits(self, count: int) -> int:
        return self.start % (1 << count)


class Model:
    """What must be true: the taps that wait, in the order in which they came."""

    def __init__(self, folder: Path, draws: Draws) -> None:
        self._folder = folder
        self._draws = draws
        self.waiting: list[str] = []
        self._damaged: set[str] = set()
        self._boot = 1
        self._outbox: Any = None
        self._dropped = 0
        self.boot(1, 0)

    def boot(self, boot: int, start: int) -> None:
        self._boot = boot
        self._draws.start = start
        self._outbox = device.Outbox(str(self._folder / "outbox"), boot, CAP)
        self._dropped = 0

    def step(self, what: str, how: Any) -> None:
        if what == "taps":
            for _ in range(how):
                self._tap()
        elif what == "answer" and self.waiting:
            self._answer(self.waiting[how % len(self.waiting)])
        elif what == "drain":
            self._drain(how)
        elif what == "next boot":
            self.boot(self._boot + 1, how)
        elif what == "boot counter lost":
            self.boot(*how)
        elif what == "damage" and self.waiting:
            self._damage(self.waiting[how[0] % len(self.waiting)], how[1])
        assert len(self._outbox) == len(self.waiting) and self._outbox.dropped == self._dropped

    def drained(self) -> list[str]:
        """Return what the outbox gives, oldest first."""
        given: list[str] = []
        while tap_id := self._outbox.oldest(given):
            given.append(tap_id)
        return given

    def _tap(self) -> None:
        tap_id = self._outbox.next_id()
        assert tap_id not in self.waiting, "an id of a tap that waits"
        message = MESSAGE % (tap_id.encode(), 0)
        contract.decode(message, contract.Tap)
        is_stored = self._outbox.put(tap_id, message)
        assert is_stored == (len(self.waiting) < CAP)
        if is_stored:
            self.waiting.append(tap_id)
        else:
            self._dropped += 1

    def _answer(self, tap_id: str) -> None:
        assert self._outbox.remove(tap_id) and not self._outbox.remove(tap_id)
        self.waiting.remove(tap_id)
        self._damaged.discard(tap_id)

    def _drain(self, count: int) -> None:
        for _ in range(count):
            tap_id = self._outbox.oldest()
            assert (tap_id is None) == (not self.waiting)
            if tap_id is None:
                return
            assert tap_id in self.waiting
            message = self._outbox.message(tap_id)
            if tap_id in self._damaged:
                assert message is None
                self._dropped += 1
                self._damaged.remove(tap_id)
                self.waiting.remove(tap_id)
            else:
                assert message == MESSAGE % (tap_id.encode(), 1)
                self._answer(tap_id)

    def _damage(self, tap_id: str, bit: int) -> None:
        (file,) = (self._folder / "outbox").rglob(tap_id)
        content = bytearray(file.read_bytes())
        if tap_id not in self._damaged:
            content[bit // 8 % len(content)] ^= 1 << bit % 8
            file.write_bytes(content)
            self._damaged.add(tap_id)


@contextmanager
def _model() -> Iterator[Model]:
    draws = Draws()
    with tempfile.TemporaryDirectory() as folder, patch.object(device, "random", draws):
        yield Model(Path(folder), draws)


@examples(150)
@given(_STEPS)
def test_no_tap_is_lost_doubled_or_mistaken(steps: list[tuple[str, Any]]) -> None:
    with _model() as model:
        for step in steps:
            model.step(*step)
        model.step("drain", len(model.waiting) + 1)
        assert not model.waiting


@examples(100)
@given(
    st.integers(1, 1 << 31),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 999_900)), max_size=8),
)
def test_taps_go_out_in_the_order_in_which_they_came(
    boot: int, boots: list[tuple[int, int]]
) -> None:
    """As long as the boot counter counts, and wraps around."""
    with _model() as model:
        for later, (taps, start) in enumerate(boots):
            model.boot(boot + later, start)
            model.step("taps", taps)
        assert model.drained() == model.waiting
