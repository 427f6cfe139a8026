"""Real processes in tests: started, awaited by what they print, and always ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_POLL_S = 0.01
_TAIL_CHARACTERS = 4000


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 10) -> None:
    """Return when ``condition()`` holds; AssertionError naming ``what`` when it never does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(_POLL_S)


class Running:
    """One process and everything it printed (``log``: both streams, as they came)."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self.name = name
        self.process = process
        self._log_file = log_file

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def log(self) -> str:
        """What the process printed so far."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def wait_for(self, text: str, timeout_s: float = 20) -> None:
        """Return when the process has printed ``text``; AssertionError with its output if not."""
        deadline = time.monotonic() + timeout_s
        while text not in self.log:
            # A process may print and leave at once: its last words are read after its end.
            over = not self.alive or time.monotonic() > deadline
            if over and text not in self.log:
                raise AssertionError(f"{self.name} did not print {text!r}\n{self._account()}")
            time.sleep(_POLL_S)

    def wait(self, timeout_s: float = 10) -> int:
        """Return the exit code; AssertionError if the process does not end by itself."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end\n{self._account()}") from None

    def stop(self, timeout_s: float = 5) -> int:
        """Ask the process to end (SIGTERM) and return its exit code."""
        self.process.terminate()
        return self.wait(timeout_s)

    def kill(self) -> None:
        """End the process and all it started at once, as a power cut would."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _account(self) -> str:
        state = "still runs" if self.alive else f"ended with {self.process.returncode}"
        return f"{self.name} {state}; it printed:\n{self.log[-_TAIL_CHARACTERS:]}"


class Processes:
    """Starts processes and remembers them, so that none outlives its test."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self.environment = dict(environment)
        self._started: list[Running] = []

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        ready: str | None = None,
        timeout_s: float = 20,
    ) -> Running:
        """Start a command in a process group of its own; wait until it prints ``ready``."""
        log_file = self._logs / f"{len(self._started):02d}-{name}.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env={**self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(name, process, log_file)
        self._started.append(running)
        if ready is not None:
            running.wait_for(ready, timeout_s)
        return running

    def end(self) -> None:
        """Kill whatever still runs, the youngest first."""
        while self._started:
            self._started.pop().kill()
