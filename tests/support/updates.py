"""Stands where ``besnik fleet serve`` stands: gives a reader its releases, and hears it out."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from gmqtt import Client

from besnik import broker as besnik_broker
from besnik import contract
from besnik.fleet import release, signing
from support.broker import RunningBroker

SHOP, READER = "corner", "counter-1"
_LATER_S = 3600
_HEARD = ("update/get", "update/state", "state")

Part = Callable[[int, int, int], bytes | None]


def unlike(files: dict[str, bytes], number: int) -> dict[str, bytes]:
    """Return the same program in other bytes: a reader loads only what differs from what it has."""
    ends = {".py": b"# %d\n" % number, ".mpy": b"%d" % number}  # MicroPython reads no further
    return {path: data + ends[Path(path).suffix] for path, data in files.items()}


class Host:
    """Serves what was `released` to one reader, keeps what it says, confirms what it tries.

    ``part`` may be replaced; ``births`` counts how often the reader came on line.
    """

    def __init__(self, broker: RunningBroker, key: RSAPrivateKey, state: Path) -> None:
        self._broker = broker
        self._key = key
        self._folder = state / "releases"
        self._releases: dict[int, release.Release] = {}
        self.part: Part = self._part
        self.confirms = True
        self.said: list[contract.UpdateState] = []
        self.births = 0
        self._news = asyncio.Event()
        self._client = Client("test-fleet")
        self._client.set_auth_credentials(
            besnik_broker.FLEET, broker.passwords[besnik_broker.FLEET]
        )
        self._client.set_config({"reconnect_delay": 0.1, "reconnect_retries": -1})
        self._client.on_connect = self._subscribe
        self._client.on_message = self._hear

    async def start(self) -> None:
        """Come on line; a broker that restarts is found again."""
        ready = asyncio.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        await self._client.connect(self._broker.host, self._broker.port)
        await asyncio.wait_for(ready.wait(), 5)

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

    def order(self, number: int, *, until_s: int | None = None, ok: bool = False) -> None:
        """Tell the reader to take it, or with ``ok`` that it was heard."""
        expiry_s = int(time.time()) + _LATER_S if until_s is None else until_s
        order = contract.UpdateOrder(f"t-{number}", number, expiry_s, ok)
        self._say("cmd/update", contract.encode(order), 1)

    async def hears(self, step: str, number: int, timeout_s: float = 30) -> contract.UpdateState:
        """Return the next word of the reader that it is at that step; ``said`` begins after it."""

        def place() -> int | None:
            found = [at for at, each in enumerate(self.said) if (each.s, each.n) == (step, number)]
            return found[0] if found else None

        await self.until(lambda: place() is not None, timeout_s)
        at = place()
        assert at is not None
        state = self.said[at]
        del self.said[: at + 1]
        return state

    async def until(self, is_so: Callable[[], bool], timeout_s: float = 30) -> None:
        """Return when it is so; only what the reader says can make it so."""
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"the reader said {self.said}") from None

    async def end(self) -> None:
        """Leave the broker."""
        await self._client.disconnect()

    def _subscribe(self, *_: object) -> None:
        for leaf in _HEARD:
            self._client.subscribe(contract.topic(SHOP, READER, leaf), qos=1)

    def _say(self, leaf: str, payload: bytes, qos: int) -> None:
        self._client.publish(contract.topic(SHOP, READER, leaf), payload, qos=qos)

    def _part(self, number: int, piece: int, offset: int) -> bytes | None:
        found = self._releases.get(number)
        return found.part(piece, offset) if found else None

    def _hear(self, _client: Any, topic: str, payload: bytes, *_: object) -> int:
        leaf = contract.parse_topic(topic).leaf
        if leaf == "update/get":
            ask = contract.decode(payload, contract.UpdateAsk)
            part = self.part(ask.n, ask.f, ask.o)
            if part is not None:
                header = struct.pack(contract.PART_HEADER, ask.n, ask.f, ask.o)
                self._say("update/part", header + part, 0)
        elif leaf == "state":
            self.births += contract.decode(payload, contract.State).s == "online"
        else:
            state = contract.decode(payload, contract.UpdateState)
            self.said.append(state)
            if state.s == "trying" and self.confirms:
                self.order(state.n, ok=True)
        self._news.set()
        return 0
