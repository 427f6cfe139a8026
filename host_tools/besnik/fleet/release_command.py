"""``besnik fleet release``: what it prints and returns."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from besnik import config
from besnik.bytecode import CompileError
from besnik.fleet import release, signing
from besnik.fleet.release import ReleaseError
from besnik.fleet.signing import SigningError

# The only one that the application runs on (`firmware/verify.py` refuses others).
_BOARD: Final = "esp32"
_PASSPHRASE: Final = "BESNIK_RELEASE_PASSPHRASE"


def new_key(file: Path) -> int:
    """Make the key that signs releases; return the exit status."""
    return _run(lambda: _new_key(file))


def make(key: Path, to: Path | None, *, number: int | None, version: str) -> int:
    """Make a signed release of the application here; return the exit status."""
    return _run(lambda: _make(key, to, number, version))


def check(folder: Path, public: Path | None) -> int:
    """Check a release as readers do; return the exit status."""
    return _run(lambda: _check(folder, public))


def _run(work: Callable[[], list[str]]) -> int:
    try:
        lines = work()
    except (CompileError, ReleaseError, SigningError, config.ConfigError, OSError) as error:
        print(f"besnik fleet release: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def _new_key(file: Path) -> list[str]:
    signing.keep_off_host(file, _state())
    made = signing.make_key(file, _passphrase(is_new=True))
    kept = release.public_file(_state())
    lines = [
        f"key: {file}: whoever has it can change every reader, so keep it off the shop's host, "
        "with a copy in a safe place",
        f"public half: {made}",
    ]
    if kept.exists():
        return [*lines, f"readers here obey another key: {kept} stays as it is"]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(made.read_bytes())
    return [
        *lines,
        f"copied to {kept}: besnik fleet flash gives it to readers from now on. On another host, "
        "copy it to the same place",
    ]


def _make(key_file: Path, to: Path | None, number: int | None, version: str) -> list[str]:
    signing.keep_off_host(key_file, _state())
    folder = to or release.folder_of(_state())
    passphrase = _passphrase(is_new=False) if signing.is_encrypted(key_file) else b""
    key = signing.load_key(key_file, passphrase)
    made = release.make(
        folder,
        key,
        release.application(),
        number=release.next_number(folder) if number is None else number,
        version=version or release.source_version(),
        board=_BOARD,
    )
    checked = release.load(made, signing.public_half(key))
    lines = _lines(checked, made)
    if checked.manifest.version != release.source_version():
        lines.append(
            f"mind: of themselves readers will say version {release.source_version()}: that is"
            " VERSION in firmware/reader.py"
        )
    public = release.public_file(_state())
    if public.exists() and signing.load_public(public) != signing.public_half(key):
        lines.append(f"mind: readers here obey {public}, which is another key: they refuse it")
    return lines


def _check(folder: Path, public: Path | None) -> list[str]:
    key = signing.load_public(public or release.public_file(_state()))
    return [*_lines(release.load(folder, key), folder), "signature and every file are good"]


def _lines(made: release.Release, folder: Path) -> list[str]:
    manifest = made.manifest
    return [
        f"release {manifest.number}: version {manifest.version} for {manifest.board}, bytecode "
        f"{manifest.mpy}, {len(manifest.files)} files, {manifest.size} bytes",
        f"in {folder}",
    ]


def _state() -> Path:
    return Path(config.load().state)


def _passphrase(*, is_new: bool) -> bytes:
    """Return what was typed or set, empty for none; never from the command line."""
    if _PASSPHRASE in os.environ:
        return os.environ[_PASSPHRASE].encode()
    if not sys.stdin.isatty():
        if is_new:
            return b""
        raise SigningError(
            f"the key has a passphrase: run this in a terminal, or set {_PASSPHRASE}"
        )
    typed = getpass.getpass(f"passphrase of the key{' (empty: none)' if is_new else ''}: ")
    if is_new and typed and getpass.getpass("once more: ") != typed:
        raise SigningError("these are two passphrases: try again")
    return typed.encode()
