"""One supervisor a folder: a second one learns who holds it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderInUseError(RuntimeError):
    """Another process works in the folder; the text names it."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the folder while the context lasts; FolderInUseError when somebody else does.

    The lock is the kernel's (flock), so it ends with the process, however that ends.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
            raise FolderInUseError(
                f"{folder} is in use by {holder}. Stop that one first (Ctrl-C in its window)."
            ) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()}, since {time.strftime('%H:%M:%S')}".encode())
        yield
    finally:
        os.close(descriptor)
