"""``besnik fleet doctor PORT``: all parts of a reader that hangs on a cable, in their order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from besnik import config
from besnik.fleet.doctor import antenna, door, figure, here, lights, network, trust, wiring
from besnik.fleet.doctor.bench import Bench
from besnik.fleet.doctor.finding import Finding, skipped, wrong
from besnik.fleet.doctor.person import Person
from besnik.fleet.doctor.services import Look

CARD_S: Final = 30
_LOOKS: Final = 20


def of_parts(
    bench: Bench, person: Person, drawn: Path | None, card_s: int = CARD_S
) -> Iterator[Finding]:
    """Yield what is found of the reader's own parts; the antenna's drawing goes to ``drawn``.

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


def of_way(bench: Bench, shop: config.Config, look: Look) -> Iterator[Finding]:
    """Yield what is found on the way from the reader's Wi-Fi to the shop's CRM."""
    if bench.problem:
        for part in here.WAY:
            yield skipped(part, "the reader has to have its settings first")
        return
    bench.leave_parts()
    joined = bench.join()
    yield network.judge_wifi(joined, bench.settings)
    if joined.is_joined:
        yield network.judge_clock(bench.time(), time.time())
    else:
        yield skipped("clock", "the Wi-Fi comes first")
    if bench.settings["broker.plain"]:
        certificate = skipped("certificate", "none: this reader goes without TLS, by password")
    else:
        certificate = trust.judge(bench.certificates(), bench.settings, Path(shop.state))
    yield certificate
    there = door.judge_here(shop.broker)
    if there is None:
        yield _broker(bench, is_joined=joined.is_joined, certificate=certificate)
        yield from here.behind_broker(shop, bench.settings["reader"], bench.settings["shop"], look)
    else:
        yield there
        yield from here.behind_nothing()


def _broker(bench: Bench, *, is_joined: bool, certificate: Finding) -> Finding:
    if not is_joined:
        return skipped("broker", "it runs; whether the reader comes in is seen once it has Wi-Fi")
    if certificate.state == "wrong":
        return skipped("broker", "it runs; it lets the reader in once the certificate is right")
    return door.judge(bench.knock(), bench.settings)


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
