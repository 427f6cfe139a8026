"""The passwords and keys of foreign CRMs: in one file that only its owner reads, or from outside.

``crm-secrets.json`` in the state folder holds them by program. A variable of the environment
``BESNIK_CRM_<NAME>`` (as in BESNIK_CRM_TOKEN) comes before it, for every program. They are in no
table, no log and on no page.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings

from besnik.crm.foreign import CrmSettingsError

ENVIRONMENT: Final = "BESNIK_CRM_"
_FILE: Final = "crm-secrets.json"
_OTHERS: Final = 0o077

_ByProgram = dict[str, dict[str, str]]


def read(program: int) -> dict[str, str]:
    """Return the secrets of a program (its row) by name; CrmSettingsError if others can read them.

    Names are in lower case.
    """
    return {**_all().get(str(program), {}), **outside()}


def outside() -> dict[str, str]:
    """Return the secrets that the environment holds, by name in lower case."""
    return {
        name.removeprefix(ENVIRONMENT).lower(): value
        for name, value in os.environ.items()
        if name.startswith(ENVIRONMENT)
    }


def write(program: int, secrets: Mapping[str, str]) -> None:
    """Keep the secrets of a program in place of those it had; none: forget them."""
    with _alone():
        kept = {**_all(), str(program): dict(secrets)}
        if not secrets:
            del kept[str(program)]
        _replace(_file(), msgspec.json.encode(kept))


def _file() -> Path:
    return Path(settings.STATE) / _FILE


def _all() -> _ByProgram:
    file = _file()
    try:
        mode, content = file.stat().st_mode, file.read_bytes()
    except FileNotFoundError:
        return {}
    if mode & _OTHERS:
        raise CrmSettingsError(f"others can read {file}: run chmod 600 on it, then change the keys")
    try:
        return msgspec.json.decode(content, type=_ByProgram)
    except msgspec.MsgspecError as error:
        raise CrmSettingsError(f"{file} is no file of keys: enter the CRM's key again") from error


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time change the file."""
    file = _file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file.with_name(file.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(file: Path, content: bytes) -> None:
    scratch = file.with_name(file.name + ".new")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())  # or a power cut leaves the new name on an empty file
    scratch.rename(file)
