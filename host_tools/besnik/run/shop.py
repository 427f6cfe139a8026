"""Everything of one demo shop in processes of its own: started in order, ended together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from besnik import broker
from besnik.run import leash
from besnik.run.children import Child, ChildError, Program
from besnik.run.demo import Demo
from besnik.sim import reader

Say = Callable[[str], None]

ROOT = Path(__file__).resolve().parents[3]
BROKER_TIMEOUT_S = 10.0
READER_TIMEOUT_S = 20.0
# Together below the 3 s after which nothing may be left.
GRACE_S = 1.6
BROKER_GRACE_S = 0.7


class Shop:
    """The running parts of a demo shop; ``children`` are in the order they were started."""

    def __init__(self, demo: Demo, mosquitto: broker.Mosquitto, say: Say) -> None:
        self.demo = demo
        self.children: dict[str, Child] = {}
        self._mosquitto = mosquitto
        self._say = say

    async def start(self) -> None:
        """Start what a tap needs but the reader; ChildError names the part that is not ready."""
        await asyncio.gather(
            self._start_broker(), self._start_counter(), self._fill_store(), self._stage_reader()
        )
        await asyncio.gather(self._start_host("bridge"), self._start_host("site"))

    async def start_rest(self) -> None:
        """Start what no tap waits for, so that the shop opens sooner."""
        await self._start(Program("jobs", [*self._python("store"), "jobs"], self._environment))
        await self._start(Program("crm", self._python("crm"), self._environment))
        await self._start(Program("fleet", self._python("fleet.serve"), self._environment))

    async def start_reader(self) -> None:
        """Switch the reader on."""
        demo = self.demo
        command, environment = reader.command(demo.flash, spi_socket=demo.spi_socket, nvs=demo.nvs)
        await self._start(Program("reader", command, environment, folder=demo.flash))

    async def stop(self) -> None:
        """End every part; the broker last, so that the others can say goodbye."""
        parts = [child for name, child in self.children.items() if name != "broker"]
        await asyncio.gather(*(child.stop(GRACE_S) for child in parts))
        if "broker" in self.children:
            await self.children["broker"].stop(BROKER_GRACE_S)
        if self.demo.folder not in self.demo.sockets.parents:
            shutil.rmtree(self.demo.sockets, ignore_errors=True)

    async def _start(self, program: Program) -> None:
        child = self.children[program.name] = Child(program, self.demo.logs, self._say)
        await child.start()

    async def _stage_reader(self) -> None:
        demo = self.demo
        config = dict(demo.reader_config)
        await asyncio.to_thread(reader.stage, demo.flash, config, ROOT, demo.certificates)

    async def _start_host(self, room: str) -> None:
        await self._start(
            Program(room, self._python(room), self._environment, ready=f"{room}: ready")
        )

    async def _start_counter(self) -> None:
        demo = self.demo
        for socket in (demo.control_socket, demo.spi_socket):
            socket.unlink(missing_ok=True)
        files = ["--cards", str(demo.cards_file), "--pins", str(demo.pins_file)]
        command = [*self._python("sim.counter"), "--folder", str(demo.sockets), *files]
        await self._start(Program("counter", command, ready="counter: ready"))

    async def _start_broker(self) -> None:
        command = self._mosquitto.command(self.demo.broker_configuration)
        await self._start(Program("broker", command, self._mosquitto.environment, is_shown=False))
        address = self.demo.settings.broker
        deadline = time.monotonic() + BROKER_TIMEOUT_S
        while not await asyncio.to_thread(broker.answers, address.host, address.port):
            if time.monotonic() > deadline:
                log = self.demo.logs / "broker.log"
                raise ChildError(f"the broker does not answer; see {log}")
            await asyncio.sleep(0.02)

    async def _fill_store(self) -> None:
        for step in ("migrate", "demo"):
            process = await asyncio.create_subprocess_exec(
                *self._python("store"),
                step,
                env={**os.environ, **self._environment},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                preexec_fn=leash.tie(),
            )
            try:
                output, _ = await process.communicate()
            except asyncio.CancelledError:
                process.kill()
                await process.wait()
                raise
            if process.returncode:
                raise ChildError(f"store {step} failed:\n{output.decode(errors='replace')}")

    @property
    def _environment(self) -> dict[str, str]:
        return {"BESNIK_CONFIG": str(self.demo.settings_file)}

    @staticmethod
    def _python(room: str) -> list[str]:
        return [sys.executable, "-m", f"besnik.{room}"]


@contextlib.asynccontextmanager
async def opened(demo: Demo, mosquitto: broker.Mosquitto, say: Say) -> AsyncIterator[Shop]:
    """Yield the started shop, its reader still off; end everything afterwards."""
    shop = Shop(demo, mosquitto, say)
    try:
        await shop.start()
        yield shop
    finally:
        await shop.stop()
