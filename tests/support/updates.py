"""A host that gives a reader its releases, as ``besnik fleet serve`` does, and hears it out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from besnik import broker as besnik_broker
from besnik import config, contract
from besnik.fleet import release, signing
from besnik.fleet.fleet_link import FleetLink, Said
from support.broker import RunningBroker

SHOP, READER = "corner", "counter-1"
_LATER_S = 3600

Part = Callable[[int, int, int], bytes | None]


class Host:
    """Serves what was `released` to the readers of a broker; keeps what they say of it."""

    def __init__(self, broker: RunningBroker, key: RSAPrivateKey, state: Path) -> None:
        self._key = key
        self._folder = state / "releases"
        self._releases: dict[int, release.Release] = {}
        self.part: Part = self._part
        self.confirms = True
        self.said: list[contract.UpdateState] = []
        self.births = 0
        self._news = asyncio.Event()
        self._link = FleetLink(
            config.Broker(host=broker.host, port=broker.port),
            broker.passwords[besnik_broker.FLEET],
            lambda *what: self.part(*what),
            self._hear,
        )
        self._running = asyncio.create_task(self._link.run())

    def released(
        self,
        number: int,
        files: dict[str, bytes],
        *,
        board: str = "esp32",
        key: RSAPrivateKey | None = None,
    ) -> release.Release:
        """Make a release and offer it."""
        signer = key or self._key
        made = release.make(
            self._folder, signer, files, number=number, version=f"1.0.{number}", board=board
        )
        self._releases[number] = release.load(made, signing.public_half(signer))
        return self._releases[number]

    def order(self, number: int, **changes: int) -> None:
        """Tell the reader to take it."""
        order = {"id": f"t-{number}", "n": number, "x": int(time.time()) + _LATER_S} | changes
        assert self._link.order(SHOP, READER, contract.UpdateOrder(**order), 60)

    async def hears(self, step: str, number: int, timeout_s: float = 30) -> contract.UpdateState:
        """Return the next word of the reader that it is at that step; take it off ``said``."""
        async with asyncio.timeout(timeout_s):
            while True:
                for at, state in enumerate(self.said):
                    if (state.s, state.n) == (step, number):
                        del self.said[: at + 1]
                        return state
                self._news.clear()
                await self._news.wait()

    async def born(self, births: int, timeout_s: float = 20) -> None:
        """Return when the reader has come on line so many times."""
        async with asyncio.timeout(timeout_s):
            while self.births < births:
                self._news.clear()
                await self._news.wait()

    async def end(self) -> None:
        """Leave the broker."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    def _part(self, number: int, piece: int, offset: int) -> bytes | None:
        found = self._releases.get(number)
        return found.part(piece, offset) if found else None

    def _hear(self, said: Said) -> None:
        self._news.set()
        if isinstance(said.message, contract.State):
            self.births += said.message.s == "online"
        elif isinstance(said.message, contract.UpdateState):
            self.said.append(said.message)
            if said.message.s == "trying" and self.confirms:
                order = contract.UpdateOrder("ok", said.message.n, int(time.time()) + 60, True)
                self._link.order(SHOP, READER, order, 60)
