"""Talks to the probe that rides along with the virtual reader (``mpy/probe.py``)."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from besnik.bytecode import compile_file

_SCRIPT: Final = Path(__file__).with_name("mpy") / "probe.py"
_ANSWER_S: Final = 10.0


class ReaderGoneError(Exception):
    """The reader does not answer: it is off, starting, or hangs."""


class Probe:
    """One reader's probe, over all its restarts. ``with Probe() as probe:``."""

    def __init__(self) -> None:
        # Bytecode: to compile it on the device would take the heap apart that is looked at.
        self._folder = tempfile.TemporaryDirectory(prefix="besnik-probe-")
        compile_file(_SCRIPT, Path(self._folder.name) / "probe.mpy", _SCRIPT.name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._came = threading.Event()
        threading.Thread(target=self._accept, name="probe", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        # Wakes the thread in accept(), which close() alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._folder.cleanup()
        if self._line is not None:
            self._line.close()

    def command(self, command: list[str]) -> list[str]:
        """Return a reader's command line with the probe in front of its start script."""
        port = str(self._listener.getsockname()[1])
        search = f"MICROPYPATH={self._folder.name}:.frozen"
        return ["env", search, *command[:-2], "-m", "probe", port, *command[-2:]]

    def wait(self, timeout_s: float = 15) -> None:
        """Return when a reader that was started is there."""
        assert self._came.wait(timeout_s), "the reader's probe reports"

    def heap_free(self) -> int:
        """Return the bytes of the reader's heap that are free after a collection."""
        return self._ask("heap")

    def outbox(self) -> int:
        """Return how many taps are on the reader's flash."""
        return self._ask("outbox")

    def leap(self, ms: int) -> None:
        """Let so much time pass for the reader at once: whatever it waits for in it is due."""
        self._ask(f"leap {ms}")

    def move_clock(self, s: int) -> None:
        """Move the reader's clock of day, forwards or backwards."""
        self._ask(f"wall {s}")

    def forget(self) -> None:
        """Take note that the reader was killed: the next answer is the next reader's."""
        with self._lock:
            self._came.clear()
            if self._line is not None:
                self._line.close()
                self._line = None

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            line.settimeout(_ANSWER_S)
            with self._lock:
                self._line = line
                self._came.set()

    def _ask(self, question: str) -> int:
        with self._lock:
            if self._line is None:
                raise ReaderGoneError(question)
            try:
                self._line.sendall(question.encode() + b"\n")
                answer = b""
                while not answer.endswith(b"\n"):
                    got = self._line.recv(64)
                    if not got:
                        raise ReaderGoneError(question)
                    answer += got
            except OSError as error:
                raise ReaderGoneError(question) from error
        return int(answer)
