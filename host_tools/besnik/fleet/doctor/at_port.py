"""``besnik fleet doctor PORT``: all parts of a reader that hangs on a cable, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from besnik.fleet.doctor import antenna, figure, lights, wiring
from besnik.fleet.doctor.bench import Bench
from besnik.fleet.doctor.finding import Finding, skipped, wrong
from besnik.fleet.doctor.person import Person

CARD_S: Final = 30
_LOOKS: Final = 20


def examine(
    bench: Bench, person: Person, drawn: Path | None, card_s: int = CARD_S
) -> Iterator[Finding]:
    """Yield one finding after the other; the antenna's drawing goes to ``drawn``.

    A card is awaited for ``card_s``.
    """
    if bench.problem:
        yield wrong(
            "settings",
            bench.problem,
            "give the reader its settings with `besnik fleet flash READER`; below it is looked at"
            " with those of a new reader",
        )
    wires = wiring.judge(bench.wiring(), bench.settings)
    yield wires
    if wires.state == "wrong":
        yield skipped("antenna", "the RC522 has to be wired well first")
    else:
        yield _antenna(bench, person, drawn, card_s)
    yield lights.look(bench, person, bench.settings)


def _antenna(bench: Bench, person: Person, drawn: Path | None, card_s: int) -> Finding:
    person.tell(f"Lay a card on the reader and leave it there (within {card_s} s) …")
    if not bench.card_comes(card_s):
        return antenna.no_card(card_s)
    steps = bench.antenna(_LOOKS)
    gain_db = bench.settings["rc522.gain_db"]
    for line in antenna.drawing(steps, gain_db):
        person.tell(line)
    if drawn:
        reader = bench.settings.get("reader", "a reader")
        title = f"{reader}: cards read at each gain"
        drawn.write_text(figure.svg(steps, gain_db, title), encoding="utf-8")
        person.tell(f"drawn in {drawn}")
    return antenna.judge(steps, bench.settings)
