"""A release over the air: how long it takes, for how long the reader is deaf, what it costs.

The real application in the MicroPython Unix port on littlefs, connected to a real mosquitto by
mutual TLS, at the virtual counter, with a real bridge; the release is the whole application, signed
with RSA-3072. Cards are held to the reader while it loads. Deaf is from the restart to the light
that says a card was read; the port starts as fast as this machine does, and an ESP32 adds its own
start and the time of its flash. Then the power goes at random operations of the flash, and each
time the reader must come back and take the release when it is ordered again.
`BESNIK_BENCH_SEED` repeats a run.

The heap is what MicroPython's wasm build (32-bit objects) has live with the updater at work, less
what it has without: its code and state, and its working data held at once, a part of a file while
it loads, three numbers of 384 bytes while it checks the signature.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from pathlib import Path

import wasm_heap
from cryptography.hazmat.primitives.asymmetric import rsa
from figures import Figure, at_most
from parts import ROOT, Parts, parts

from besnik.fleet import release, signing
from besnik.sim.control import Control
from besnik.sim.reader import PowerCut
from support.counter import Counter
from support.customer import Customer
from support.processes import Running
from support.updates import Host, unlike

TITLE = "An update over the air"
_CUTS = 24
# More than loading takes, so that some come later.
_OPERATIONS = 700
_UPDATE_S, _DEAF_S, _HEAP_KB = 30, 3, 6


def measure() -> list[Figure]:
    """Update a reader, cut its power while it updates, and weigh the updater."""
    seed = int(os.environ.get("BESNIK_BENCH_SEED", time.time_ns() % 100_000))
    print(f"BESNIK_BENCH_SEED={seed}", flush=True)
    with parts(secure=True) as shop:
        figures = asyncio.run(_Bench(shop).update())
    with parts(secure=True) as shop:
        figures += asyncio.run(_Bench(shop).cut(random.Random(seed)))
    return figures + _heap()


class _Bench:
    """One reader in one shop, and the host of its releases."""

    def __init__(self, shop: Parts) -> None:
        self._shop = shop
        key = rsa.generate_private_key(signing.EXPONENT, signing.BYTES * 8)
        self._counter = Counter(shop.folder, shop.processes, shop.broker, ROOT)
        (self._counter.flash / "cert/release.pub").write_bytes(signing.public_half(key))
        self._image = shop.folder / "flash.img"
        self._counter.start_counter()
        shop.bridge.start()
        self._key = key
        self._application = release.application(ROOT)

    async def update(self) -> list[Figure]:
        """Take one release, with cards held to the reader meanwhile."""
        host = await self._host()
        host.released(7, self._application)
        size = sum(len(data) for data in self._application.values())
        async with await Control.connect(self._counter.control_socket) as control:
            customer = Customer(control)
            looking = asyncio.create_task(customer.look())
            reader = await self._on_line(host)
            await customer.taps("boris")  # what the light said at the start is over
            ordered_s = time.monotonic()
            host.order(7)
            tapping = asyncio.create_task(customer.taps("ana"))
            await host.hears("ready", 7)
            loaded_s = time.monotonic() - ordered_s
            await asyncio.to_thread(reader.wait, 20)
            seen = await tapping
            gone_s = time.monotonic()
            self._start()
            await control.present("eleni")
            while await customer.sees() != "read":
                pass
            deaf_s = time.monotonic() - gone_s
            await host.hears("kept", 7)
            kept_s = time.monotonic() - ordered_s
            looking.cancel()
        await host.end()
        return [
            Figure("files and bytes of the release", f"{len(self._application)}, {size:,}"),
            Figure("from the order until all is loaded and checked", f"{loaded_s:.1f} s"),
            at_most("from the order until it is kept", kept_s, _UPDATE_S, "s", 1),
            at_most("deaf", deaf_s, _DEAF_S, "s", 1),
            Figure(
                "a card held to the reader while it loads",
                ", ".join(map(str, seen)),
                "read, accepted",
                seen == ["read", "accepted"],
            ),
        ]

    async def cut(self, chance: random.Random) -> list[Figure]:
        """Cut the power again and again; count what does not come back or does not go on."""
        host = await self._host()
        lost = 0
        for number in range(1, _CUTS + 1):
            host.released(number, unlike(self._application, number))
            where = PowerCut(chance.randrange(1, _OPERATIONS), is_torn=chance.random() < 0.5)
            try:
                await self._cut_once(host, number, where)
            except (AssertionError, TimeoutError) as error:
                lost += 1
                print(f"release {number}, {where}: {error}", flush=True)
        await host.end()
        return [Figure(f"readers lost in {_CUTS} power cuts", str(lost), "0", lost == 0)]

    async def _cut_once(self, host: Host, number: int, where: PowerCut) -> None:
        reader = await self._on_line(host, where)
        host.order(number)
        running = asyncio.create_task(asyncio.to_thread(reader.wait, 60))
        code = await running
        assert code == -9, f"{code} {reader.log}"
        reader = await self._on_line(host)
        host.order(number)
        # Loaded, unless that was done before the cut and it is being tried already.
        ended = asyncio.create_task(asyncio.to_thread(reader.wait, 60))
        kept = asyncio.create_task(host.hears("kept", number, 60))
        await asyncio.wait({ended, kept}, return_when=asyncio.FIRST_COMPLETED)
        if not kept.done():
            reader = self._start()
        await kept
        reader.kill()
        with contextlib.suppress(AssertionError):
            await ended

    async def _host(self) -> Host:
        host = Host(self._shop.broker, self._key, self._shop.folder)
        await host.start()
        return host

    def _start(self, cut: PowerCut | None = None) -> Running:
        return self._counter.start_reader(image=self._image, cut=cut)

    async def _on_line(self, host: Host, cut: PowerCut | None = None) -> Running:
        births = host.births
        reader = self._start(cut)
        # What was staged is on the image: from here on it changes there only.
        await host.until(lambda: host.births > births or not reader.alive)
        _empty(self._counter.flash)
        return reader


def _empty(flash: Path) -> None:
    for path in sorted(flash.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _heap() -> list[Figure]:
    if not wasm_heap.can_measure():
        return [Figure("heap of the updater", "not measured: Node.js is not installed")]
    without = wasm_heap.measure("reader.py")["live"]
    scripts = {
        "while it loads": "update.py",
        "while it checks the signature": "verify.py",
        "while it puts the files in their places": "swap.py",
        "while the release is tried": "trial.py",
    }
    return [
        at_most(
            f"live heap of the updater {when}, 32-bit objects",
            (wasm_heap.measure(script)["live"] - without) / 1024,
            _HEAP_KB,
            "KB",
            1,
        )
        for when, script in scripts.items()
    ]
