"""The key file: TOML that only its owner may read, or a variable of the environment.

``keys.toml``, mode 0600::

    [[sun]]                            # NTAG 424 DNA by its address; a table for each version
    version = 1
    template = "e={picc}&m={mac}"      # sun_template.py says what it may hold
    meta_key = "…"                     # 32 hex digits, or "env:NAME"; only with {picc}
    file_key = "…"                     # the master key, if diversified
    diversified = true                 # the default: every card has its own key (AN10922)

    [[ev2]]                            # NTAG 424 DNA or DESFire EV2/EV3 by challenge
    version = 1
    aid = "D2760000850101"             # as the command that selects it carries it
    key_number = 2                     # a key that authenticates and may change nothing
    key = "…"
    diversified = true

    [[originality]]                    # who signs UIDs besides NXP, whose keys are built in
    name = "Our card maker"
    public_key = "04…"                 # an uncompressed point, upper-case hex; no secret

The version says which key proved a card; while keys change, the old and the new one stand side
by side. No error made here holds a key: it names the place.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from besnik.credentials.an10922 import MESSAGE_MAX
from besnik.credentials.keyring import KEYS_MAX, Keys, Secret
from besnik.credentials.originality import Signers
from besnik.credentials.sun_template import SunTemplate

FILE_VARIABLE: Final = "BESNIK_KEYS"
FILE_MAX_BYTES: Final = 65_536

_FROM_ENVIRONMENT: Final = "env:"
_KEY: Final = re.compile(r"[0-9A-Fa-f]{32}\Z")
_FIELD_NAME: Final = re.compile(r"`([a-z_]{1,20})`")
_UID_BYTES: Final = 7
_WANTED: Final = {
    "version": "a whole number from 0 to 255",
    "diversified": "true or false",
    "system": "at most 12 characters of ASCII without spaces",
    "aid": "3 bytes, or 5 to 16 bytes, as upper-case hex",
    "key_number": "1 to 13: key 0 can change the card and has no place here",
    "sun": f"at most {KEYS_MAX} tables [[sun]]",
    "ev2": f"at most {KEYS_MAX} tables [[ev2]]",
    "originality": f"at most {KEYS_MAX} tables [[originality]]",
    "name": "1 to 40 characters of ASCII",
    "public_key": "04 and two coordinates of 16, 24 or 28 bytes, as upper-case hex",
}


class KeyFileError(ValueError):
    """Keys that cannot be used; the text names the place and what to do, never a key."""


def load_keys(default: Path, environment: Mapping[str, str] = os.environ) -> Keys:
    """Return the keys of ``BESNIK_KEYS``, else of the file ``default``; KeyFileError.

    ``BESNIK_KEYS`` is the path of another file, or ``env:NAME`` if the variable NAME holds the
    text of the file. Without that variable and without the file there are no keys.
    """
    named = environment.get(FILE_VARIABLE)
    if named and named.startswith(_FROM_ENVIRONMENT):
        return _parse(_variable(named, environment), f"{FILE_VARIABLE}={named}", environment)
    file = Path(named) if named else default
    try:
        text = _read(file)
    except FileNotFoundError:
        if named:
            raise KeyFileError(f"{file}: not found; {FILE_VARIABLE} names it") from None
        return Keys()
    return _parse(text, str(file), environment)


def _read(file: Path) -> str:
    try:
        # Non-blocking, or a pipe under this name would hold the start for ever.
        with open(file, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as f:
            # The open file is asked, not its name: nobody can swap it in between.
            status = os.fstat(f.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"{file}: is no regular file")
            if stat.S_IMODE(status.st_mode) & 0o077:
                mode = stat.S_IMODE(status.st_mode)
                raise KeyFileError(f"{file}: mode {mode:04o} lets others in; chmod 600 {file}")
            raw = f.read(FILE_MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyFileError(f"{file}: cannot be read: {error.strerror}") from None
    if len(raw) > FILE_MAX_BYTES:
        raise KeyFileError(f"{file}: is longer than {FILE_MAX_BYTES} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # Every `from None` here keeps an error that holds the text of the file out of logs.
        raise KeyFileError(f"{file}: is not UTF-8 text") from None


def _parse(text: str, source: str, environment: Mapping[str, str]) -> Keys:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line \d+, column \d+", str(error))
        raise KeyFileError(f"{source}: is not TOML{f' at {place[0]}' if place else ''}") from None

    def decode(kind: type, value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError("must be text in quotes")
        return SunTemplate(value) if kind is SunTemplate else _secret(value, environment)

    try:
        keys = msgspec.convert(raw, Keys, dec_hook=decode)
    except msgspec.ValidationError as error:
        raise KeyFileError(f"{source}: {_without_values(str(error))}") from None
    for problem in _problems(keys):
        raise KeyFileError(f"{source}: {problem}")
    return keys


def _secret(value: str, environment: Mapping[str, str]) -> Secret:
    if value.startswith(_FROM_ENVIRONMENT):
        value = _variable(value, environment).strip()
    if not _KEY.match(value):
        raise ValueError("must be a key of 32 hex digits, or env:NAME of a variable with one")
    return Secret(bytes.fromhex(value))


def _variable(reference: str, environment: Mapping[str, str]) -> str:
    name = reference.removeprefix(_FROM_ENVIRONMENT)
    # A key written behind env: by mistake would be shown as a name.
    if _KEY.match(name) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
        raise KeyFileError(f"{_FROM_ENVIRONMENT} is followed by the name of a variable")
    if name not in environment:
        raise KeyFileError(f"the variable {name} is not set; {_FROM_ENVIRONMENT}{name} asks for it")
    return environment[name]


def _without_values(message: str) -> str:
    """Return a message of msgspec with its place in front and without anything from the file."""
    problem, _, where = message.partition(" - at `$")
    path = where.strip("`.")
    name = re.sub(r"\[\d+\]", "", path).rpartition(".")[2]
    if name in _WANTED and not problem.startswith("Object"):
        return f"{path}: must be {_WANTED[name]}"
    if problem.startswith("Object contains unknown field"):
        known = _FIELD_NAME.search(problem)
        problem = f"has a name that is not known{f': {known[1]}' if known else ''}"
    elif problem.startswith("Object missing required field"):
        lacking = _FIELD_NAME.search(problem)
        problem = f"lacks {lacking[1] if lacking else 'a field'}"
    elif problem.startswith("Expected"):
        problem = "must be a table"
    return f"{path or 'top level'}: {problem}"


def _problems(keys: Keys) -> Iterator[str]:
    """Yield what each table allows by itself and the whole does not."""
    uses: dict[Secret, tuple[str, str]] = {}
    for place, purpose, secret in _secrets(keys):
        if not any(secret.reveal()):
            yield f"{place}: is the key that cards leave the factory with; change it on the card"
        first = uses.setdefault(secret, (place, purpose))
        if first[1] != purpose:
            yield f"{place}: is the same as {first[0]}; each purpose needs a key of its own"
    for kind, versions in (
        ("sun", [key.version for key in keys.sun]),
        ("ev2", [key.version for key in keys.ev2]),
    ):
        for number, version in enumerate(versions):
            if version in versions[:number]:
                yield f"{kind}[{number}].version: {version} stands twice; each is used once"
    for number, key in enumerate(keys.sun):
        if ("picc" in key.template.fields) != (key.meta_key is not None):
            wanted = "lacks meta_key" if key.meta_key is None else "needs no meta_key"
            yield f"sun[{number}]: {wanted}; it opens {{picc}} and nothing else"
    for number, ev2 in enumerate(keys.ev2):
        if _UID_BYTES + len(ev2.application) + len(ev2.system) > MESSAGE_MAX:
            yield f"ev2[{number}].system: is too long beside this aid"
    yield from _signer_problems(keys)


def _signer_problems(keys: Keys) -> Iterator[str]:
    for number, signer in enumerate(keys.originality):
        try:
            Signers([signer])
        except ValueError as error:
            yield f"originality[{number}].public_key: {error}"


def _secrets(keys: Keys) -> Iterator[tuple[str, str, Secret]]:
    """Yield place, purpose and key."""
    for number, sun in enumerate(keys.sun):
        yield f"sun[{number}].file_key", "sun.file_key", sun.file_key
        if sun.meta_key is not None:
            yield f"sun[{number}].meta_key", "sun.meta_key", sun.meta_key
    for number, ev2 in enumerate(keys.ev2):
        yield f"ev2[{number}].key", "ev2.key", ev2.key
