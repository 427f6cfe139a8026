"""A child process that is kept running: started, awaited, started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from besnik.run import leash

BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 10.0
_LINE_LIMIT = 1 << 20
_TAIL_LINES = 12
# What our processes log at level info is for the log file alone.
_ROUTINE = re.compile(r"\blevel=(info|debug)\b|\b(INFO|DEBUG)\b")


class ChildError(RuntimeError):
    """A child that does not get ready; the text holds its last words."""


@dataclass(frozen=True)
class Program:
    """What a child runs. ``ready`` is the line it prints when it works, None: from the start.

    ``is_shown``: what it prints is also for the person at the terminal, not for its log alone.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    ready: str | None = None
    is_shown: bool = True


class Child:
    """Keeps one program running until ``stop``; its output goes to ``logs/<name>.log``."""

    def __init__(self, program: Program, logs: Path, say: Callable[[str], None]) -> None:
        self.program = program
        self.starts = 0
        self._say = say
        self._log_file = logs / f"{program.name}.log"
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._stop_asked = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self, timeout_s: float = 30) -> None:
        """Start the program and return when it is ready; ChildError when it never is."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait(
                {ready, self._keeper}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ready.cancel()
        if self._keeper.done():
            await self._keeper
        if not self._ready.is_set():
            raise ChildError(self.last_words(f"is not ready after {timeout_s:.0f} s"))

    async def stop(self, grace_s: float) -> None:
        """Ask the program to end, wait ``grace_s``, then end it and all it started."""
        self._stop_asked.set()
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        if self._keeper:
            with contextlib.suppress(asyncio.TimeoutError, ChildError):
                await asyncio.wait_for(asyncio.shield(self._keeper), grace_s)
            self._end_group()
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError, ChildError):
                await self._keeper

    async def _keep(self) -> None:
        failures = 0
        with self._log_file.open("w", encoding="utf-8") as log:
            while not self._stop_asked.is_set():
                began = asyncio.get_running_loop().time()
                code = await self._run_once(log)
                if self._stop_asked.is_set():
                    return
                ran_s = asyncio.get_running_loop().time() - began
                failures = 0 if ran_s > STEADY_S else failures + 1
                if not self._ready.is_set() and failures > 1:
                    raise ChildError(self.last_words(f"ends at once ({_ending(code)})"))
                pause_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
                self._say(f"{self.program.name}: {_ending(code)}; starts again in {pause_s:g} s")
                await asyncio.sleep(pause_s)

    async def _run_once(self, log: IO[str]) -> int:
        program = self.program
        self.starts += 1
        self._process = process = await asyncio.create_subprocess_exec(
            *program.command,
            cwd=program.folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_LIMIT,
            start_new_session=True,
            preexec_fn=leash.tie(),
        )
        if self._stop_asked.is_set():  # while it was being started
            process.terminate()
        if program.ready is None:
            self._ready.set()
        assert process.stdout is not None
        async for raw in process.stdout:
            self._take(raw.decode(errors="replace").rstrip(), log)
        code = await process.wait()
        self._end_group()
        return code

    def _take(self, line: str, log: IO[str]) -> None:
        log.write(line + "\n")
        log.flush()
        if line == self.program.ready:
            self._ready.set()
            return
        self._tail.append(line)
        if self.program.is_shown and self._ready.is_set() and not _ROUTINE.search(line):
            self._say(f"{self.program.name}: {line}")

    def _end_group(self) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def last_words(self, what: str) -> str:
        """Return ``what`` happened to the program, followed by the last lines it printed."""
        words = "\n  ".join(self._tail) or "(it printed nothing)"
        return f"{self.program.name} {what}; it printed:\n  {words}"


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    return f"was ended by {signal.Signals(-code).name}"
