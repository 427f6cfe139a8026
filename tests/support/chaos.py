"""A whole shop under fire: load, a real reader, parts that are killed, and the count afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from besnik.sim.control import Control
from support.board import Board
from support.bridge import BridgeRunner
from support.broker import RunningBroker
from support.counter import Counter
from support.outbox_reader import OutboxReader
from support.presenter import Presenter
from support.probe import Probe
from support.processes import Processes, Running
from support.reckoning import Count, reckon
from support.site import SiteRunner
from support.tray import LOADS, prepare

_QUIET_S: Final = 60.0
_POLL_S: Final = 0.1
# How far the reader's time runs ahead at each look while everybody waits for quiet: its back-off
# after so many broken sessions is part of the design, and minutes long.
_LEAP_MS: Final = 400
_PAUSE_S: Final = 0.01
# More than a reader has (112K): the probe takes 3 KB, and it lies where the parts of the simulated
# board that are loaded late would have found one piece. tests/bench/heap.py is about the heap.
HEAP: Final = "144K"

Act = Callable[[], None]


@dataclass(frozen=True)
class Parts:
    """What a shop is made of, and the top of the source tree its firmware comes from.

    ``reader_port``: where the reader finds the broker, if not at the broker's own port. ``tls``:
    what the load readers show; without it they have passwords.
    """

    folder: Path
    root: Path
    processes: Processes
    broker: RunningBroker
    bridges: BridgeRunner
    reader_port: int = 0
    tls: Mapping[str, ssl.SSLContext] = field(default_factory=dict)


class Shop:
    """Broker, bridge, site, reader and load; each part can be killed and started by its name.

    ``extra`` adds parts, a database server for one: name to (kill, start).
    """

    def __init__(
        self,
        parts: Parts,
        counter: Counter,
        probe: Probe,
        url: str,
        control: Control,
        made: list[tuple[str, str]],
        extra: dict[str, tuple[Act, Act]],
    ) -> None:
        self.probe = probe
        self.control = control
        self.presenter = Presenter(control, iter(made))
        self.loads = [
            OutboxReader(parts.broker, slug, made[number][1], 7, parts.tls.get(slug))
            for number, slug in enumerate(LOADS)
        ]
        self._url = url
        self._made = made
        self._bridges = parts.bridges
        self.site = SiteRunner(parts.processes, parts.bridges.settings_file, parts.broker)
        nvs = parts.folder / "nvs.json"
        self.board = Board(counter, nvs, probe, self.presenter.power)
        self._running: dict[str, Running] = {}
        self._tasks: list[asyncio.Task[Any]] = []
        self._is_tapping = asyncio.Event()
        self._killable: dict[str, tuple[Act, Act]] = {
            "broker": (parts.broker.kill, parts.broker.start),
            "bridge": (self._kill("bridge"), self._start_bridge),
            "site": (self._kill("site"), self._start_site),
            **extra,
        }

    @property
    def parts(self) -> list[str]:
        """The names of what can be killed."""
        return [*self._killable, "reader"]

    @property
    def next_uid(self) -> str:
        """The UID of the card that is presented next."""
        return self._made[len(self.presenter.done)][1]

    def running(self, name: str) -> Running:
        """The process of a part as it was started last."""
        return self._running[name]

    async def open(self, *, site: bool) -> None:
        """Start everything and begin to present cards and to tap."""
        self._tasks.append(asyncio.create_task(self.presenter.look()))
        self._tasks.append(asyncio.create_task(self.board.keep()))
        for name in ("bridge", "reader", *(["site"] if site else [])):
            await self.start(name)
        await self.ready()
        for number, reader in enumerate(self.loads):
            self._tasks.append(asyncio.create_task(reader.run()))
            self._tasks.append(asyncio.create_task(self._tap(reader, _PAUSE_S * (number + 1))))

    async def close(self) -> None:
        """End what this process does; the parts end with the test."""
        for task in self._tasks:
            task.cancel()
        for end in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(end, Exception):
                raise end

    async def kill(self, name: str) -> None:
        """Kill a part with SIGKILL."""
        if name == "reader":
            await self.board.kill()
        else:
            await asyncio.to_thread(self._killable[name][0])

    async def start(self, name: str) -> None:
        """Start a part; it may wait for others until it is ready."""
        if name == "reader":
            await self.board.start()
        else:
            await asyncio.to_thread(self._killable[name][1])

    async def ready(self) -> None:
        """Return when every part says that it is."""
        for name, running in self._running.items():
            await asyncio.to_thread(running.wait_for, f"{name}: ready", 30)
        await asyncio.to_thread(self.probe.wait)

    @contextlib.asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Within this context cards are presented and the load readers tap.

        At its end the reader must be on: the card that lies there is presented to the end.
        """
        self.presenter.is_wanted = True
        presenting = asyncio.create_task(self.presenter.present_all())
        self._is_tapping.set()
        try:
            yield
        finally:
            self._is_tapping.clear()
            self.presenter.is_wanted = False
            await presenting

    async def leap(self, ms: int) -> None:
        """Let so much time pass for the reader at once."""
        await self.board.ask(lambda: self.probe.leap(ms))

    async def heap_free(self) -> int:
        """Return how much of the reader's heap is free, in bytes."""
        return await self.board.ask(self.probe.heap_free)

    async def outbox(self) -> int:
        """Return how many taps are on the reader's flash."""
        return await self.board.ask(self.probe.outbox)

    async def quiet(self, leap_ms: int = _LEAP_MS) -> None:
        """Return when every outbox is empty; time passes faster for the reader meanwhile."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _QUIET_S
        while waiting := await self._waiting():
            assert loop.time() < deadline, f"still in outboxes after {_QUIET_S:.0f} s: {waiting}"
            await self.leap(leap_ms)
            await asyncio.sleep(_POLL_S)

    def count(self) -> Count:
        """Compare what was tapped and signalled with what the database holds."""
        return reckon(self._url, self.presenter.done, self.loads)

    async def _tap(self, reader: OutboxReader, pause_s: float) -> None:
        while True:
            await self._is_tapping.wait()
            reader.tap()
            await asyncio.sleep(pause_s)

    async def _waiting(self) -> dict[str, int]:
        found = {reader.slug: len(reader.outbox) for reader in self.loads}
        found["reader"] = await self.outbox()
        return {name: number for name, number in found.items() if number}

    def _kill(self, name: str) -> Act:
        return lambda: self._running[name].kill()

    def _start_bridge(self) -> None:
        self._running["bridge"] = self._bridges.start(ready=False)

    def _start_site(self) -> None:
        self._running["site"] = self.site.start()


def _aim(counter: Counter, port: int) -> None:
    file = counter.flash / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["broker"]["port"] = port
    file.write_text(json.dumps(config), encoding="utf-8")


@contextlib.asynccontextmanager
async def opened(
    shop: Parts,
    url: str,
    count: int,
    extra: dict[str, tuple[Act, Act]] | None = None,
    *,
    site: bool = True,
) -> AsyncIterator[Shop]:
    """Yield a shop that is ready and has a card for each of so many presentations."""
    counter = Counter(shop.folder, shop.processes, shop.broker, shop.root)
    counter.set_up(HEAP)
    if shop.reader_port:
        _aim(counter, shop.reader_port)
    made = prepare(counter, url, count)
    counter.start_counter()
    with Probe() as probe:
        async with await Control.connect(counter.control_socket) as control:
            opening = Shop(shop, counter, probe, url, control, made, extra or {})
            try:
                await opening.open(site=site)
                yield opening
            finally:
                await opening.close()
