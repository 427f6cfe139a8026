"""``besnik fleet doctor READER``: a reader in its place, over the line it has to the broker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gmqtt.mqtt.handler import MQTTConnectError

from besnik import broker, config
from besnik.fleet.doctor import door, here, network, trust
from besnik.fleet.doctor.finding import Finding, Part, ok, skipped, wrong
from besnik.fleet.doctor.network import Time
from besnik.fleet.doctor.parts import of_parts
from besnik.fleet.doctor.person import Person
from besnik.fleet.doctor.services import Look
from besnik.fleet.doctor.visit import CARD_S, AwayError, Visit
from besnik.fleet.doctor.wiring import Settings

_OF_READER: Final[tuple[Part, ...]] = ("wiring", "antenna", "lights", "Wi-Fi", "clock")
_CABLE: Final = "plug it into this machine and run `besnik fleet doctor PORT`"
_FROM_NETWORK: Final = 2  # the clock's quality, as in contract.Tap


def examine(
    shop: config.Config, settings: Settings, person: Person, drawn: Path | None, look: Look
) -> Iterator[Finding]:
    """Yield one finding after the other; ``settings`` are those this machine keeps."""
    if there := door.judge_here(shop.broker):
        yield from _unseen("the broker comes first")
        yield _certificate(shop, settings)
        yield there
        yield from here.behind_nothing()
        return
    password = broker.passwords(Path(shop.state) / "broker", [broker.FLEET])[broker.FLEET]
    place, reader = settings["shop"], settings["reader"]
    try:
        with Visit(shop.broker, password, place, reader, settings) as visit:
            yield from _of_visit(visit, shop, person, drawn)
    except AwayError as error:
        yield wrong("broker", f"{reader} came in, but {error}", f"try again; else {_CABLE}")
    except (MQTTConnectError, OSError, TimeoutError):
        yield wrong(
            "broker",
            "the broker does not take the password of its user fleet",
            "restart the broker, which learns of its users when it starts",
        )
    yield from here.behind_broker(shop, reader, place, look)


def _of_visit(
    visit: Visit, shop: config.Config, person: Person, drawn: Path | None
) -> Iterator[Finding]:
    reader = visit.settings["reader"]
    if visit.state is None or visit.state.s != "online":
        said = "was never on line" if visit.state is None else f"is {visit.state.s}"
        yield from _unseen("the reader is not on line")
        yield _certificate(shop, visit.settings)
        yield wrong("broker", f"{reader} {said}", f"look at its light (README), then {_CABLE}")
        return
    person.tell(f"{reader} reads no customer's card now; it starts anew when this is over")
    yield from of_parts(visit, person, drawn, CARD_S)
    health, (quality, unix_s) = visit.health(), visit.clock()
    rssi_dbm = health.rssi_dbm
    yield ok("Wi-Fi", "joined") if rssi_dbm is None else network.judge_signal(rssi_dbm)
    yield network.judge_clock(Time(quality == _FROM_NETWORK, unix_s), time.time())
    yield _certificate(shop, visit.settings)
    yield ok("broker", f"{reader} is on line since start {visit.state.bd}")
    person.tell("Take the card away.")


def _unseen(why: str) -> Iterator[Finding]:
    for part in _OF_READER:
        yield skipped(part, why)


def _certificate(shop: config.Config, settings: Settings) -> Finding:
    if settings["broker.plain"]:
        return skipped("certificate", "none: this reader goes without TLS, by password")
    return trust.judge_issued(settings, Path(shop.state))
