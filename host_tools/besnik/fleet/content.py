"""What a reader carries: every file of its flash, as bytes by its path there."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Final

from besnik.bytecode import FIXED, SLOTS
from besnik.fleet import cert
from besnik.fleet.build import ROOT, build
from besnik.fleet.settings import Settings, encode

# The program that starts the reader. It goes on last and off first: without it nothing runs, so a
# reader that was half written is dark and silent and cannot be taken for a finished one.
START: Final = "main.py"
# Paths that begin so are ours: what of them no reader has any more is removed.
_OURS: Final = (*(f"{slot}/" for slot in SLOTS), "firmware/", "lib/", "cert/", "config.json")


def of_reader(
    settings: Settings | None, certificates: Path | None, root: Path = ROOT
) -> dict[str, bytes]:
    """Return all files of a reader; ``certificates`` is the folder of its three (`cert`).

    Without settings it is one that waits for them (`provision`).
    Raises CompileError, OSError.
    """
    files: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="besnik-") as scratch:
        for artifact in build(Path(scratch), root):
            files[f"{SLOTS[0]}/{artifact.name}"] = (Path(scratch) / artifact.name).read_bytes()
    if certificates is not None:
        for name in cert.FILES:
            files[f"cert/{name}"] = (certificates / name).read_bytes()
    if settings is not None:
        files["config.json"] = encode(settings)
    files[f"{SLOTS[0]}/main.py"] = (root / "main.py").read_bytes()
    return files | {name: (root / source).read_bytes() for source, name in FIXED.items()}


def missing(files: dict[str, bytes], there: dict[str, str]) -> list[str]:
    """Return the paths of ``files`` that differ from what is ``there`` (SHA-256 in hex by path)."""
    return [path for path, data in files.items() if there.get(path) != _digest(data)]


def stale(files: dict[str, bytes], there: dict[str, str]) -> list[str]:
    """Return what of ours is ``there`` and belongs to no reader any more."""
    return [path for path in there if path.startswith(_OURS) and path not in files]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
