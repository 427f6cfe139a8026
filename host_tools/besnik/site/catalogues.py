"""Translations: one ``.po`` per language and room in this package, compiled into the state folder.

A room is a part of the pages, so that several people can translate without meeting in one file;
Django reads all rooms of a language as the one ``.mo`` they are merged into. Babel writes it, so
no gettext tools need to be installed and the package's own folder is never written to.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

SOURCE: Final = Path(__file__).parent / "locale"
ROOMS: Final = ("shop", "access", "cashier", "member", "owner", "api", "crm", "fleet")


def room_file(language: str, room: str, source: Path = SOURCE) -> Path:
    """Return where a room of a language is kept."""
    return source / language / f"{room}.po"


def load(language: str, room: str, source: Path = SOURCE) -> Catalog:
    """Return a room, empty where there is none yet. PoFileError has a note that names the file."""
    file = room_file(language, room, source)
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as stream:
        try:
            return read_po(stream, locale=language, abort_invalid=True)
        except PoFileError as broken:
            broken.add_note(f"This is {file}.")
            raise


def strings(message: Message) -> list[str]:
    """Return the translations of a message, one for each plural form, "" where one is missing."""
    found = message.string or ""
    return [found] if isinstance(found, str) else [one or "" for one in found]


def merged(language: str, source: Path = SOURCE) -> Catalog:
    """Return all rooms of a language as one; a text that stands in two is taken from the first."""
    whole = Catalog(locale=language, fuzzy=False)
    for room in ROOMS:
        for message in load(language, room, source):
            if not message.id or message.fuzzy or not all(strings(message)):
                continue
            if not whole.get(message.id, message.context):
                whole.add(message.id, message.string, context=message.context)
    return whole


def compile_stale(target: Path, source: Path = SOURCE) -> list[str]:
    """Compile every language whose ``.mo`` under ``target`` was made from other sources.

    Returns the languages compiled. A catalogue appears whole or not at all: several
    processes may do this at once. Babel's PoFileError passes through.
    """
    done = []
    for folder in sorted(folder for folder in source.iterdir() if folder.is_dir()):
        mo = target / folder.name / "LC_MESSAGES" / "django.mo"
        made_from = mo.with_suffix(".sources")
        digest = _digest(folder)
        if mo.exists() and made_from.exists() and made_from.read_text("ascii") == digest:
            continue
        mo.parent.mkdir(parents=True, exist_ok=True)
        draft = mo.with_suffix(f".{os.getpid()}")
        with draft.open("wb") as out:
            write_mo(out, merged(folder.name, source))
        draft.replace(mo)
        draft.write_text(digest, "ascii")
        draft.replace(made_from)
        done.append(folder.name)
    return done


def _digest(folder: Path) -> str:
    """Return what tells these sources from others; an update may bring files of an older date."""
    digest = sha256()
    for file in sorted(folder.glob("*.po")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
