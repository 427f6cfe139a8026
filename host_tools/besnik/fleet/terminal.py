"""The commands on boards at a terminal: which board, how far, and what went wrong in words."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence

from besnik import config
from besnik.bytecode import CompileError
from besnik.fleet.flash import Progress
from besnik.fleet.register import CertificateError
from besnik.fleet.settings import SettingsError
from besnik.fleet.signing import SigningError
from besnik.fleet.usb import BoardError, ports
from besnik.unix_port import UnixPortError

FAILURES = (
    BoardError,
    CertificateError,
    CompileError,
    SettingsError,
    SigningError,
    UnixPortError,
    config.ConfigError,
    OSError,
    TimeoutError,
)
"""What a technician is told of in one line, instead of a traceback."""


def run(name: str, work: Callable[[config.Config], Coroutine[None, None, None]]) -> int:
    """Do the work of ``besnik fleet NAME``; say what went wrong; return the exit status."""
    try:
        asyncio.run(work(config.load()))
    except FAILURES as error:
        print(f"besnik fleet {name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nbesnik fleet {name}: stopped; run it again to finish", file=sys.stderr)
        return 130
    return 0


def only_port() -> str:
    """Return the port of the only board that is connected; BoardError if it is not clear."""
    found = ports()
    if len(found) == 1:
        return found[0]
    if not found:
        raise BoardError(
            "no board is connected: is the cable in, and does it carry data and not only power? One"
            " with a USB chip that is not known here is named by its port: --port"
        )
    raise BoardError(f"several boards are connected: name one of {', '.join(found)}")


def connected(given: Sequence[str]) -> Sequence[str]:
    """Return the ports ``given``, each once, or those of all that are connected; BoardError."""
    if found := list(dict.fromkeys(given)) or ports():
        return found
    raise BoardError("no board is connected: are the cables in, and do they carry data?")


def show(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def progress(path: str, done: int, total: int) -> None:
    """Show how many bytes are done, on one line; ``path`` is empty at its end."""
    percent(path, 100 * done // total if total else 100)


@contextlib.contextmanager
def until_left(shown: Progress = progress) -> Iterator[Progress]:
    """Yield ``shown`` for work in a thread, which ends at its next call once this is left.

    A thread cannot be interrupted: after Ctrl-C it would work on to its end.
    """
    is_left = threading.Event()

    def show_unless_left(path: str, done: int, total: int) -> None:
        if is_left.is_set():
            raise BoardError("stopped")
        shown(path, done, total)

    try:
        yield show_unless_left
    finally:
        is_left.set()


def percent(what: str, share: int) -> None:
    """Show how much is done, on one line, which ends with its last word."""
    end = "\n" if share == 100 else ""
    print(f"\r{share:3} % {what:32}", end=end, flush=True)
