"""The virtual counter in tests: the unmodified firmware in MicroPython, on a broker's port."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from besnik import demo
from besnik.config import Broker
from besnik.run import wallet
from besnik.run.demo import reader_config
from besnik.sim import reader
from besnik.sim.model.board import PINS
from support.broker import RunningBroker
from support.processes import Processes, Running


class Counter:
    """Chip, cards, light and buzzer in one process, the reader in another.

    ``control_socket`` is where cards are presented and pins watched.
    """

    def __init__(
        self, state: Path, processes: Processes, broker: RunningBroker, root: Path
    ) -> None:
        self.folder = state / "counter"
        self.control_socket = self.folder / "control.sock"
        self.flash = state / "flash"
        self._state = state
        self._processes = processes
        config = reader_config(Broker(readers_host=broker.host, readers_port=broker.readers_port))
        if password := broker.passwords.get(demo.READER):
            plain = {"plain": True, "password": password}
            config["broker"] = {"host": broker.host, "port": broker.port, **plain}
        reader.stage(self.flash, config, root, broker.certificates(demo.READER))
        self._heap = "112K"
        self.folder.mkdir()
        wallet.write(self.folder / "cards.json", state / "keys.toml")
        (self.folder / "pins.json").write_text(json.dumps(PINS), encoding="utf-8")

    def hold(self, cards: Iterable[dict[str, Any]]) -> None:
        """Say which cards there are; before the counter is started."""
        (self.folder / "cards.json").write_bytes(msgspec.json.encode(list(cards)))

    def set_up(self, heap: str, **sections: dict[str, Any]) -> None:
        """Give the reader other settings and a heap of another size; before it is started."""
        file = self.flash / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | sections), encoding="utf-8")
        self._heap = heap

    def start_counter(self) -> Running:
        """Start the process that models chip, cards, light and buzzer."""
        command = [sys.executable, "-m", "besnik.sim.counter", "--folder", self.folder]
        files = ["--cards", self.folder / "cards.json", "--pins", self.folder / "pins.json"]
        return self._processes.start("counter", [*command, *files], ready="counter: ready")

    def start_reader(
        self,
        ride: Callable[[list[str]], list[str]] = list,
        image: Path | None = None,
        cut: reader.PowerCut | None = None,
    ) -> Running:
        """Switch the reader on; after its ``machine.reset()`` somebody has to do it again.

        ``ride`` may put a script in front of the reader's own (``support.probe``). ``image`` and
        ``cut`` are those of ``reader.command``.
        """
        command, environment = reader.command(
            self.flash,
            spi_socket=self.folder / "spi.sock",
            nvs=self._state / "nvs.json",
            heap=self._heap,
            image=image,
            cut=cut,
        )
        return self._processes.start(
            "reader", ride(command), environment=environment, folder=self.flash
        )
