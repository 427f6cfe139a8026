"""A reader's own parts, however it is reached: its wires, its antenna, its light and buzzer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from besnik.fleet.doctor import antenna, figure, lights, wiring
from besnik.fleet.doctor.antenna import Step
from besnik.fleet.doctor.finding import Finding, skipped, wrong
from besnik.fleet.doctor.person import Person
from besnik.fleet.doctor.wiring import Settings, Wiring

CARD_S: Final = 30
_LOOKS: Final = 20


class Parts(Protocol):
    """A reader whose parts can be measured and shown.

    If ``problem`` says what is wrong with its settings, ``settings`` are those of a new reader.
    """

    problem: str
    settings: Settings

    def wiring(self) -> Wiring:
        """Return how the RC522 is wired."""

    def card_comes(self, within_s: int) -> bool:
        """Return whether a card can be read, at whatever gain, within that time."""

    def antenna(self, times: int) -> Sequence[Step]:
        """Return how often, of so many times, the card that lies there is read at each gain."""

    def show(self, *, red: bool = False, green: bool = False, tone_hz: int = 0) -> None:
        """Switch the LED's two colours and the buzzer."""


def of_parts(
    reader: Parts, person: Person, drawn: Path | None, card_s: int = CARD_S
) -> Iterator[Finding]:
    """Yield what is found of the reader's own parts; the antenna's drawing goes to ``drawn``.

    A card is awaited for ``card_s``.
    """
    if reader.problem:
        yield wrong(
            "settings",
            reader.problem,
            "give the reader its settings with `besnik fleet flash READER`; below it is looked at"
            " with those of a new reader",
        )
    wires = wiring.judge(reader.wiring(), reader.settings)
    yield wires
    if wires.state == "wrong":
        yield skipped("antenna", "the RC522 has to be wired well first")
    else:
        yield _antenna(reader, person, drawn, card_s)
    yield lights.look(reader, person, reader.settings)


def _antenna(reader: Parts, person: Person, drawn: Path | None, card_s: int) -> Finding:
    person.tell(f"Lay a card on the reader and leave it there (within {card_s} s) …")
    if not reader.card_comes(card_s):
        return antenna.no_card(card_s)
    steps = reader.antenna(_LOOKS)
    gain_db = reader.settings["rc522.gain_db"]
    person.draw(antenna.drawing(steps, gain_db))
    if drawn:
        name = reader.settings.get("reader", "a reader")
        title = f"{name}: cards read at each gain"
        drawn.write_text(figure.svg(steps, gain_db, title), encoding="utf-8")
        person.tell(f"drawn in {drawn}")
    return antenna.judge(steps, reader.settings)
