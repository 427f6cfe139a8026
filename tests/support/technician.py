"""Who stands at the table with the boards and the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from support.processes import Processes, Running
from support.secure_broker import SecureBroker
from support.usb_board import Board

# What a shop's first reader is given.
ONCE = ("--shop", "corner", "--wifi", "demo", "--host", "127.0.0.1")


class Technician:
    """Who runs ``besnik fleet`` on a board, in a shop whose broker runs.

    ``database_url``: where the shop's records are, for the commands that look into them.
    """

    def __init__(
        self,
        broker: SecureBroker,
        processes: Processes,
        board: Board,
        database_url: str = "",
    ) -> None:
        self.board = board
        self._processes = processes
        toml = broker.state / "fleet.toml"
        toml.write_text(
            f'state = "{broker.state}"\n[broker]\nport = {broker.port}\n'
            f'readers_port = {broker.readers_port}\nsite_password = "{broker.passwords["site"]}"\n',
            encoding="utf-8",
        )
        if database_url:
            with toml.open("a", encoding="utf-8") as file:
                file.write(f'[database]\nurl = "{database_url}"\n')
        self._environment = {"BESNIK_CONFIG": str(toml), "BESNIK_WIFI_PASSWORD": "open sesame"}

    def starts(self, *command: str, boards: Sequence[Board] = ()) -> Running:
        """Start ``besnik fleet`` with ``command`` on the board's port, or on those of several."""
        ports = [
            part for board in boards or (self.board,) for part in ("--port", str(board.parts.port))
        ]
        return self.types(*command, *ports)

    def types(self, *command: str) -> Running:
        """Start ``besnik fleet`` with ``command`` as it is."""
        argv = [sys.executable, "-m", "besnik.cli", "fleet", *command]
        return self._processes.start(command[0], argv, environment=self._environment)

    def runs(self, *command: str, boards: Sequence[Board] = ()) -> tuple[int, str]:
        """Run a command to its end; return its exit status and what it said."""
        running = self.starts(*command, boards=boards)
        return running.wait(120), running.log
