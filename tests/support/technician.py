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
    """Who runs ``besnik fleet`` on a board, in a shop whose broker runs."""

    def __init__(self, broker: SecureBroker, processes: Processes, board: Board) -> None:
        self.board = board
        self._processes = processes
        toml = broker.state / "fleet.toml"
        toml.write_text(
            f'state = "{broker.state}"\n[broker]\nport = {broker.port}\n'
            f'readers_port = {broker.readers_port}\nsite_password = "{broker.passwords["site"]}"\n',
            encoding="utf-8",
        )
        self._environment = {"BESNIK_CONFIG": str(toml), "BESNIK_WIFI_PASSWORD": "open sesame"}

    def starts(self, *command: str, boards: Sequence[Board] = ()) -> Running:
        """Start ``besnik fleet`` with ``command`` on the board's port, or on those of several."""
        argv = [sys.executable, "-m", "besnik.cli", "fleet", *command]
        for board in boards or (self.board,):
            argv += ["--port", str(board.parts.port)]
        return self._processes.start(command[0], argv, environment=self._environment)

    def runs(self, *command: str, boards: Sequence[Board] = ()) -> tuple[int, str]:
        """Run a command to its end; return its exit status and what it said."""
        running = self.starts(*command, boards=boards)
        return running.wait(120), running.log
