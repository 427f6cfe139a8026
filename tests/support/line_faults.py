"""What can happen to the line between a client and the broker, for tests to pick from."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from support import mqtt_wire
from support.mqtt_wire import Packet
from support.proxy import Edit, Edited, Proxy

# Name of a way a line breaks: what does it to the proxy.
BREAKS: Final[dict[str, Callable[[Proxy], None]]] = {
    "reset at both ends": Proxy.reset,
    "frozen for a while": Proxy.freeze,
    "half-open": Proxy.sever,
    "gone": Proxy.silence,
}


def aim(settings: Path, broker_port: int, line: Proxy) -> None:
    """Let a bridge's settings name the line in place of the broker."""
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(f"port = {broker_port}\n", f"port = {line.port}\n"), "utf-8")


def mend(line: Proxy) -> None:
    """Let the line carry everything as it is again."""
    line.delay_s = 0
    line.to_broker = line.from_broker = None
    line.thaw()
    line.restore()


def without(kind: int) -> Edit:
    """Return an edit that swallows all packets of a kind."""
    return lambda packet: [] if packet.kind == kind else [(0, packet)]


def _withholding(kind: int) -> Callable[[Proxy], None]:
    def withhold(line: Proxy) -> None:
        line.from_broker = without(kind)
        line.reset()

    return withhold


# The same for a broker that takes clients in and never answers; only where there is no TLS.
SILENCES: Final[dict[str, Callable[[Proxy], None]]] = {
    "without CONNACK": _withholding(mqtt_wire.CONNACK),
    "without SUBACK": _withholding(mqtt_wire.SUBACK),
    "without PUBACK": _withholding(mqtt_wire.PUBACK),
}


def thrice(packet: Packet) -> Edited:
    """Send each tap three times."""
    if not packet.topic.endswith("/tap"):
        return [(0, packet)]
    return [(0, packet), (0, packet.again()), (0.3, packet.again())]


class Scrambler:
    """Sends verdicts and PUBACKs twice, late, and in another order than they came."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._held: list[Packet] = []

    def __call__(self, packet: Packet) -> Edited:
        """Say what is sent in place of a packet."""
        if packet.kind != mqtt_wire.PUBACK and not packet.topic.endswith("/verdict"):
            return [(0, packet)]
        fate = self._chance.choice(("twice", "late", "very late", "after the next"))
        sent = [(0.0, held) for held in self._held]
        self._held = []
        if fate == "twice":
            again = packet.again() if packet.kind == mqtt_wire.PUBLISH else packet
            return [(0.0, packet), *sent, (0.0, again), (0.5, again)]
        if fate == "after the next":
            self._held = [packet]
            return sent
        return [(0.7 if fate == "late" else 2.0, packet), *sent]
