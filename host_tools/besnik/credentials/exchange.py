"""A talk with a card that the host leads: command out, answer in, until there is a result.

The reader carries the bytes and knows none of this. A card's answers are hostile until proven
otherwise: whatever comes, the talk goes on, ends with a result, or raises ExchangeError.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T")
Steps: TypeAlias = Generator[bytes, bytes, T]  # yields commands, is sent answers, returns a result

ExchangeReason = Literal[
    "malformed",
    "no_application",
    "no_key",
    "refused",
    "unsupported",
    "not_authentic",
    "wrong_uid",
    "bad_mac",
]


class ExchangeError(ValueError):
    """A talk that proved nothing; ``reason`` says why to a program, the text to a person.

    ``malformed``: an answer of the wrong length or form. ``no_application``, ``no_key``: the
    card is not one of ours. ``refused``: another error of the card. ``unsupported``: the card
    cannot do this. ``not_authentic``: it does not hold the key, or NXP did not sign it.
    ``wrong_uid``: it is not the card it said. ``bad_mac``: an answer was changed on the way.
    """

    def __init__(self, reason: ExchangeReason, text: str) -> None:
        super().__init__(text)
        self.reason: ExchangeReason = reason


class Exchange(Generic[T]):
    """One talk: send ``command`` to the card, hand its reply to ``answer``, until ``done``."""

    def __init__(self, steps: Steps[T]) -> None:
        """Run ``steps`` to the first command; ExchangeError if they cannot begin."""
        self._steps = steps
        self._result: tuple[T] | None = None
        self.command: bytes | None = None
        self._advance(lambda: next(steps))

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self._result is not None

    @property
    def result(self) -> T:
        """What the card proved; RuntimeError before ``done``."""
        if self._result is None:
            raise RuntimeError("the exchange has no result")
        return self._result[0]

    def answer(self, answer: bytes) -> bytes | None:
        """Take the card's whole answer, return the next command, None if there is a result.

        ExchangeError ends the exchange for good; RuntimeError if it had ended before.
        """
        if self.command is None:
            raise RuntimeError("the exchange has ended")
        return self._advance(lambda: self._steps.send(answer))

    def close(self) -> None:
        """End the exchange, as when the card has left."""
        self.command = None
        self._steps.close()

    def _advance(self, step: Callable[[], bytes]) -> bytes | None:
        self.command = None
        try:
            self.command = step()
        except StopIteration as stop:
            self._result = (stop.value,)
        return self.command
