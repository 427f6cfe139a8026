"""The firmware's watch over the field, on CPython: cards come and go, the host speaks to them."""

from __future__ import annotations

from firmware.identify import Identifier
from firmware.presence import Presence
from firmware.relay import Relay
from iso14443 import Card

from besnik.sim.model.picc import Picc
from fuzz.reader import Reader, run

TAP = "00001-000001"
# One look at the field takes so long at most, whatever lies there: the relay's limit and a frame.
STEP_MS = 3100


class Counter(Reader):
    """A reader at work. ``seen``: what it offered; ``sent``: what its relay told the host."""

    def __init__(self, **cards: Picc) -> None:
        super().__init__(None, **cards)
        self.seen: list[Card | None] = []
        self.sent: list[bytes] = []
        self.faults: list[bool] = []
        self.slowest_ms = 0
        identifier = Identifier(self.pcd, self.cards, self.clock, ("sun", "uid"))
        self.presence = Presence(
            self.pcd, self.cards, identifier, self.clock, self._on_offer, self.faults.append
        )

    def with_relay(self) -> Counter:
        """Let the host speak to the card; the tap that lies there is always `TAP`."""
        self.presence.relay = Relay(self.pcd, self.cards, self.clock, self._send)
        return self

    async def _send(self, message: bytes) -> None:
        self.sent.append(message)

    def _on_offer(self, offer: Card | None) -> None:
        self.seen.append(offer)
        if self.presence.relay and offer:
            self.presence.relay.tap_id = TAP

    def watch_ms(self, duration_ms: int) -> None:
        """Let the firmware run for so long."""
        began_ms = self.clock.ticks_ms()
        while self.clock.ticks_ms() - began_ms < duration_ms:
            step_ms = self.clock.ticks_ms()
            wait_ms = run(self.presence.step())
            self.slowest_ms = max(self.slowest_ms, self.clock.ticks_ms() - step_ms)
            run(self.clock.sleep_ms(wait_ms))

    def command(self, payload: bytes, after_ms: int = 0) -> None:
        """Let a message of the host arrive, now or in the middle of what comes."""
        relay = self.presence.relay
        self.board.clock.after_us(after_ms * 1000, relay.on_command, payload)
