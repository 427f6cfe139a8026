"""Which board is which reader: ``{state}/boards.json``, by the chip's own number."""

from __future__ import annotations

import fcntl
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from besnik.broker import write_private
from besnik.fleet import settings
from besnik.fleet.usb import BoardError

_here = threading.Lock()


def reader_on(state: Path, chip: str, prefix: str) -> str:
    """Return the id of the reader that a board is, the next free ``prefix``-1, -2, … for a new one.

    BoardError if the board is new and there is no prefix.
    """
    with _held(state) as known:
        if chip not in known:
            if not prefix:
                raise BoardError(
                    "this board is new: give its id, READER, or the shop that it stands in, --shop;"
                    " several boards, the first part of their ids, as in flash --all counter"
                )
            known[chip] = next(
                name
                for name in (f"{prefix}-{number}" for number in itertools.count(1))
                if name not in known.values() and not settings.path_of(state, name).exists()
            )
        return known[chip]


def remember(state: Path, chip: str, reader: str) -> None:
    """Note that a board is this reader from now on; the one that was it before is a new board."""
    with _held(state) as known:
        for other in [other for other, name in known.items() if name == reader]:
            del known[other]
        known[chip] = reader


@contextmanager
def _held(state: Path) -> Iterator[dict[str, str]]:
    """Yield what is known, to be changed; other commands and threads wait."""
    state.mkdir(parents=True, exist_ok=True)
    file = state / "boards.json"
    with _here, (state / "boards.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = _read(file)
        before = dict(known)
        yield known
        if known != before:
            write_private(file, (json.dumps(known, indent=2) + "\n").encode())


def _read(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BoardError(f"{file}: is not JSON: {error}; mend it or delete it") from error
    return {str(chip): str(reader) for chip, reader in dict(found).items()}
