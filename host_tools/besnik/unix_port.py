"""MicroPython's Unix port, as the running Python's environment has it."""

from __future__ import annotations

import sysconfig
from pathlib import Path


class UnixPortError(RuntimeError):
    """It is not installed; the text says what to do."""


def interpreter() -> Path:
    """Return its program; UnixPortError."""
    path = Path(sysconfig.get_path("scripts")) / "micropython"
    if not path.exists():
        raise UnixPortError(f"{path} is missing: run make, or install host_tools/requirements")
    return path
