"""What a release says of itself: the text that is signed, and that a reader reads first."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

_FIRST_LINE: Final = "besnik-release 1"
# What the boot loader of the application will run and load; nothing else can be in a slot.
_PATH: Final = r"^(main\.py|(firmware|lib)/[a-z0-9_]+(/[a-z0-9_]+)*\.mpy)\Z"
# A reader keeps its release's number in an i32, with four bits more (boot.py).
NUMBER_MAX: Final = 2**27 - 1
# What two slots and the outbox leave room for, on the smallest board (2 MiB of littlefs).
FILE_BYTES_MAX: Final = 64 * 1024
FILES_MAX: Final = 100

Number = Annotated[int, msgspec.Meta(ge=1, le=NUMBER_MAX)]
WORD: Final = r"^[0-9A-Za-z][0-9A-Za-z._+-]{0,15}\Z"
Word = Annotated[str, msgspec.Meta(pattern=WORD)]


class ManifestError(ValueError):
    """A text that is no manifest, or a manifest that no reader would take; says why."""


class File(msgspec.Struct, frozen=True):
    """One file of a release: its path on the reader, its size in bytes, SHA-256 as hex."""

    path: Annotated[str, msgspec.Meta(pattern=_PATH, max_length=64)]
    size: Annotated[int, msgspec.Meta(ge=0, le=FILE_BYTES_MAX)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Manifest(msgspec.Struct, frozen=True):
    """A release: readers take ``number`` only when it is above their own.

    ``version`` is for people. ``board`` is the kind of board it is for, ``mpy`` the version of
    bytecode that board's MicroPython has to load.
    """

    number: Number
    version: Word
    board: Word
    mpy: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+\.[0-9]+\Z")]
    files: Annotated[tuple[File, ...], msgspec.Meta(min_length=1, max_length=FILES_MAX)]

    @property
    def size(self) -> int:
        """All its files together, in bytes."""
        return sum(file.size for file in self.files)


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as the text that is signed; ManifestError if it would be none."""
    files = sorted(manifest.files, key=lambda file: file.path)
    lines = [
        _FIRST_LINE,
        f"number {manifest.number}",
        f"version {manifest.version}",
        f"board {manifest.board}",
        f"mpy {manifest.mpy}",
        *(f"file {file.path} {file.size} {file.sha256}" for file in files),
    ]
    text = "".join(f"{line}\n" for line in lines).encode()
    decode(text)
    return text


def decode(text: bytes) -> Manifest:
    """Return what a manifest says; ManifestError if it is not one, to the letter."""
    try:
        lines = text.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ManifestError("it is not plain text") from error
    if lines[0] != _FIRST_LINE:
        raise ManifestError(f"it does not begin with {_FIRST_LINE!r}")
    if lines[-1]:
        raise ManifestError("its last line is cut off")
    values = [line.split(" ") for line in lines[1:-1]]
    if [value[0] for value in values[:4]] != ["number", "version", "board", "mpy"]:
        raise ManifestError("its first lines are not number, version, board and mpy")
    head = {value[0]: " ".join(value[1:]) for value in values[:4]}
    try:
        manifest = msgspec.convert(
            {**head, "number": _whole(head["number"]), "files": [_file(row) for row in values[4:]]},
            Manifest,
        )
    except msgspec.ValidationError as error:
        raise ManifestError(str(error)) from error
    paths = [file.path for file in manifest.files]
    if paths != sorted(set(paths)):
        raise ManifestError("its files are not in order, or one is there twice")
    if "main.py" not in paths:
        raise ManifestError("it has no main.py, so nothing would start")
    return manifest


def _file(row: list[str]) -> dict[str, str | int]:
    if len(row) != 4 or row[0] != "file":
        raise ManifestError(f"its line {' '.join(row)!r} is not: file PATH SIZE SHA256")
    return {"path": row[1], "size": _whole(row[2]), "sha256": row[3]}


def _whole(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,9}", text):
        raise ManifestError(f"{text!r} is not a whole number")
    return int(text)
