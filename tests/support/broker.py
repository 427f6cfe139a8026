"""A real mosquitto for one test, with the configuration that ships."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path

from besnik import broker
from support.processes import Processes, Running, wait_until

READERS = ("counter-1", "counter-2")


def free_port() -> int:
    """Return a TCP port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningBroker:
    """A broker on a port of its own that can be stopped, killed and started again.

    ``passwords`` maps each user to a password: bridge, site, monitor and the readers.
    """

    host = "127.0.0.1"
    readers_port = 0  # none for readers with certificates

    def __init__(
        self,
        mosquitto: broker.Mosquitto,
        folder: Path,
        processes: Processes,
        readers: Iterable[str] = READERS,
        listener: broker.ReaderListener | None = None,
    ) -> None:
        """``readers`` have passwords; ``listener`` is for those with certificates."""
        self.port = free_port()
        self.passwords = broker.passwords(folder, [*broker.HOST_USERS, *readers])
        self._mosquitto = mosquitto
        self._processes = processes
        self._folder = folder
        self._configure(listener)
        self._process: Running | None = None

    @property
    def log(self) -> str:
        """What the broker logged since its last start."""
        return self._running().log

    @property
    def pid(self) -> int:
        """The process id of the broker that runs."""
        return self._running().pid

    def certificates(self, _reader: str) -> Path | None:
        """Return the files that a reader comes in with, None if it has a password instead."""
        return None

    def start(self) -> None:
        """Start the broker and return when it takes connections."""
        self._process = self._processes.start(
            "broker",
            self._mosquitto.command(self._configuration),
            environment=self._mosquitto.environment,
        )
        process = self._process
        wait_until(
            lambda: broker.answers(self.host, self.port) or not process.alive, "the broker listens"
        )
        assert process.alive, f"the broker ended at once:\n{process.log}"

    def stop(self) -> None:
        """End the broker in order: it writes its store."""
        self._running().stop()

    def kill(self) -> None:
        """End the broker as a power cut would."""
        self._running().kill()

    def restart(self) -> None:
        """Stop the broker and start it again on the same port."""
        self.stop()
        self.start()

    def _configure(self, listener: broker.ReaderListener | None) -> None:
        self._configuration = broker.configure(
            self._folder, port=self.port, accounts=self.passwords, readers=listener
        )

    def _running(self) -> Running:
        assert self._process is not None, "the broker was not started"
        return self._process
