"""A reader on CPython: the device's own code on the model of the chip, in emulated time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from iso14443 import CardError, TypeA
from mfrc522 import MFRC522

from besnik.sim.model.board import Board
from besnik.sim.model.clock import Clock
from besnik.sim.model.picc import Picc

# Everything that CardError may say while the chip is well (lib/README.md): never "deaf".
REASONS = {"timeout", "collision", "parity", "protocol", "overflow", "length", "bcc", "crc"}
REASONS |= {"cascade", "refused", "not_ndef"}
UID = bytes.fromhex("04A1B2C3D4E580")
T = TypeVar("T")


class DeviceClock:
    """Time as the device's code sees it; sleeping costs none of ours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def ticks_us(self) -> int:
        """Return microseconds."""
        return self._clock.ns // 1000

    def ticks_ms(self) -> int:
        """Return milliseconds."""
        return self._clock.ns // 1_000_000

    def ticks_diff(self, later: int, earlier: int) -> int:
        """Return what lies between."""
        return later - earlier

    def sleep_us(self, us: int) -> None:
        """Let time pass."""
        self._clock.advance_us(max(us, 0))

    async def sleep_ms(self, ms: int) -> None:
        """Let time pass; what was planned for it happens on the way."""
        self._clock.advance_us(max(ms, 0) * 1000)


class _Spi:
    def __init__(self, board: Board) -> None:
        self._board = board

    def write(self, out: bytes) -> None:
        self._board.spi_exchange(bytes(out))

    def write_readinto(self, out: bytes, into: bytearray) -> None:
        self._board.spi_exchange(bytes(out), into)


class Reader:
    """Chip, cards of type A and a card named ``card`` before it; nothing is switched on yet."""

    def __init__(self, card: Picc | None = None, /, **cards: Picc) -> None:
        self.board = Board()
        self.board.spi_setup(1_000_000)
        self.clock = DeviceClock(self.board.clock)
        self.pcd = MFRC522(_Spi(self.board), self._pin("cs"), self._pin("rst"), self.clock)
        self.cards = TypeA(self.pcd)
        for key, other in (cards if card is None else {"card": card, **cards}).items():
            self.board.add(key, other)

    def _pin(self, role: str) -> Callable[[int], None]:
        return lambda value: self.board.pin_write(self.board.pins[role], value)

    def switch_on(self) -> None:
        """Reset the chip, switch the field on, lay the card there, let it start."""
        self.pcd.reset()
        self.pcd.field(True)
        self.board.present("card")
        self.clock.sleep_us(6000)

    def elapsed_ms(self, work: Callable[[], object]) -> int:
        """Do it; return how long it took. A CardError with a known reason is an end, too."""
        began_ms = self.clock.ticks_ms()
        try:
            work()
        except CardError as error:
            assert error.reason in REASONS, error.reason
        return self.clock.ticks_ms() - began_ms


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of the device. Nothing in it waits but for emulated time."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the device waits for something that never comes")
