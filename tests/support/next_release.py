"""The release that comes after the firmware as it is: the same files, but for the version."""

from __future__ import annotations

import shutil
from pathlib import Path

from besnik.fleet import release, signing

VERSION = "9.9.9"
_KEY = "away/release.key"


def make_key(state: Path) -> None:
    """Make the key that signs releases, away from the shop's host, which has its public half."""
    signing.make_key(state / _KEY)
    release.public_file(state).write_bytes((state / "away/release.pub").read_bytes())


def next_application(root: Path, scratch: Path) -> dict[str, bytes]:
    """Return the files of the firmware as it is, but for its `VERSION`; ``scratch`` is a folder."""
    for name in ("firmware", "lib"):
        shutil.copytree(root / name, scratch / name)
    shutil.copyfile(root / "main.py", scratch / "main.py")
    source = scratch / "firmware/reader.py"
    old = f'VERSION = "{release.source_version(root)}"'
    text = source.read_text(encoding="utf-8")
    assert text.count(old) == 1
    source.write_text(text.replace(old, f'VERSION = "{VERSION}"'), encoding="utf-8")
    return release.application(scratch)


def offer(state: Path, application: dict[str, bytes]) -> None:
    """Put release 1 of an application among those of the shop."""
    key = signing.load_key(state / _KEY)
    folder = release.folder_of(state)
    release.make(folder, key, application, number=1, version=VERSION, board="esp32")
