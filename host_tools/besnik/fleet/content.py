"""What a reader carries: every file of its flash, as bytes by its path there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from besnik.bytecode import FIXED, SLOTS
from besnik.fleet import release, signing
from besnik.fleet.build import ROOT

# The program that starts the reader. It goes on last and off first: without it nothing runs, so a
# reader that was half written is dark and silent and cannot be taken for a finished one.
START: Final = "main.py"
RELEASE_KEY: Final = "cert/release.pub"
# Paths that begin so are ours: what of them no reader has any more is removed.
_OURS: Final = (*(f"{slot}/" for slot in SLOTS), "firmware/", "lib/", "cert/", "config.json")


def of_reader(state: Path, root: Path = ROOT) -> dict[str, bytes]:
    """Return what all readers of a host have: the application, and what chooses its slot.

    With the public half of the key that signs their releases, if the host in ``state`` has one.
    What makes it one reader comes by its settings and certificates (`order`, `provision`).
    Raises CompileError, SigningError, OSError.
    """
    files = {f"{SLOTS[0]}/{path}": data for path, data in release.application(root).items()}
    files |= {name: (root / source).read_bytes() for source, name in FIXED.items()}
    key = release.public_file(state)
    if key.exists():
        files[RELEASE_KEY] = signing.load_public(key)
    return files


def missing(files: dict[str, bytes], there: dict[str, str]) -> list[str]:
    """Return the paths of ``files`` that differ from what is ``there`` (SHA-256 in hex by path)."""
    return [path for path, data in files.items() if there.get(path) != _digest(data)]


def stale(files: dict[str, bytes], there: dict[str, str]) -> list[str]:
    """Return what of ours is ``there`` and belongs to no reader any more."""
    return [path for path in there if path.startswith(_OURS) and path not in files]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
