"""Who stands at the board: looks at the light, hears the buzzer, holds a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Person(Protocol):
    """Somebody who is told things and asked things."""

    def tell(self, text: str) -> None:
        """Say something."""

    def draw(self, lines: Sequence[str]) -> None:
        """Show a drawing made of text."""

    def choose(self, question: str, answers: Mapping[str, str]) -> str | None:
        """Return the key of one of ``answers``; None when nobody is there."""


class AtTerminal:
    """The technician at the terminal; nobody, when standard input has ended."""

    def tell(self, text: str) -> None:
        """Print it."""
        print(text, flush=True)

    def draw(self, lines: Sequence[str]) -> None:
        """Print it."""
        print("\n".join(lines), flush=True)

    def choose(self, question: str, answers: Mapping[str, str]) -> str | None:
        """Ask until one of the answers is typed."""
        shown = ", ".join(f"{key} = {answer}" for key, answer in answers.items())
        while True:
            try:
                typed = input(f"{question} [{shown}] ").strip().lower()
            except EOFError:
                print("(nobody)", flush=True)
                return None
            if typed in answers:
                return typed
            print(f"type one of {', '.join(answers)}", flush=True)
