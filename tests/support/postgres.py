"""A PostgreSQL server of a test's own, on a socket nobody else can reach, that can be killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psycopg

from support.processes import Processes, Running, wait_until

_USER: Final = "postgres"
_START_S: Final = 30


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs, or None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _version(initdb: Path) -> int:
    return int(initdb.parts[-3]) if initdb.parts[-3].isdigit() else 0


class PostgresServer:
    """One server; ``url`` names its database ``postgres``. ``with PostgresServer(…) as server:``.

    It does not run as root, so as root it runs as the user that Debian's package made.
    """

    def __init__(self, processes: Processes, bin_folder: Path) -> None:
        self._processes = processes
        self._bin = bin_folder
        self._folder = Path(tempfile.mkdtemp(prefix="besnik-pg-"))
        self._running: Running | None = None
        self.url = f"postgresql://besnik@/postgres?host={self._folder}"

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            shutil.chown(self._folder, _USER, _USER)
        options = ["-U", "besnik", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run(
            self._as_server("initdb", "-D", str(self._folder / "data"), *options),
            cwd="/",
            check=True,
            capture_output=True,
        )
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the server and return when it takes connections."""
        data = str(self._folder / "data")
        self._running = self._processes.start(
            "postgres",
            self._as_server(
                "postgres", "-D", data, "-k", str(self._folder), "-c", "listen_addresses="
            ),
            folder=Path("/"),
        )
        wait_until(self._answers, "PostgreSQL takes connections", _START_S)

    def kill(self) -> None:
        """End the server and its workers at once, as a power cut would."""
        assert self._running is not None, "the server was not started"
        # Its workers are in sessions of their own; one that outlives it keeps it from starting.
        workers = _children(self._running.pid)
        self._running.kill()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        wait_until(lambda: not any(map(_runs, workers)), "the workers are gone")

    def _answers(self) -> bool:
        assert self._running is not None
        assert self._running.alive, f"PostgreSQL ended:\n{self._running.log}"
        try:
            with closing(psycopg.connect(self.url, connect_timeout=2)):
                return True
        except psycopg.OperationalError:
            return False

    def _as_server(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._bin / program), *arguments]
        if os.geteuid():
            return command
        return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", *command]


def _children(pid: int) -> list[int]:
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in file.read_text().split()]


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
