"""What is to be translated: every text of the pages, found in templates and modules.

``python -m besnik.site.messages`` says what the catalogues lack, and fails if that is anything;
``python -m besnik.site.messages ROOM FILE...`` adds the untranslated texts of these files to a
room, without a translation, and drops from the room what no page uses.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import write_po
from django.utils.translation.template import templatize

from besnik.site.catalogues import ROOMS, SOURCE, load, room_file, strings
from besnik.site.languages import LANGUAGES

PACKAGE: Final = Path(__file__).parents[1]
AREAS: Final = ("site", "store")
TRANSLATED: Final = tuple(code for code, _own_name in LANGUAGES if code != "en")
_KEYWORDS: Final = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_PLACEHOLDER: Final = re.compile(r"%\(\w+\)s|%[sd]|\{\w*\}|<[^>]+>")

Key = tuple[str | tuple[str, ...], str | None]
"""A text, or its forms for one and for many, and its context."""


class Text(NamedTuple):
    """A text of the pages and the files that use it, as paths in the package."""

    key: Key
    files: tuple[str, ...]


@cache
def texts(package: Path = PACKAGE, areas: Sequence[str] = AREAS) -> tuple[Text, ...]:
    """Return the texts of the templates and modules in these folders of ``package``."""
    files: dict[Key, dict[str, None]] = {}
    folders = [package / area for area in areas]
    for file in sorted(f for folder in folders for f in folder.rglob("*.*")):
        if file.suffix in (".py", ".html"):
            where = file.relative_to(package).as_posix()
            for key in _in_file(file):
                files.setdefault(key, {})[where] = None
    # gettext knows a text by its form for one, so the same word alone has the plural's entry.
    for key in [key for key in files if not isinstance(key[0], str)]:
        files[key] |= files.pop((key[0][0], key[1]), {})
    return tuple(Text(key, tuple(where)) for key, where in files.items())


def _in_file(file: Path) -> Iterator[Key]:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        text = templatize(text, origin=str(file))
    for _line, found, _comments, context in extract(
        "python", BytesIO(text.encode()), keywords=_KEYWORDS
    ):
        yield tuple(found) if isinstance(found, tuple) else found, context


def complaints(
    language: str, found: Iterable[Text] | None = None, source: Path = SOURCE
) -> list[str]:
    """Return everything that is wrong with a language's rooms, each with what to do about it."""
    used = {text.key: text.files for text in (texts() if found is None else found)}
    said: dict[Key, tuple[str, list[str]]] = {}
    wrong: list[str] = []
    for room in ROOMS:
        file = f"{language}/{room}.po"
        catalog = load(language, room, source)
        for message in catalog:
            if not message.id:
                continue
            key = _key(message)
            if key not in used:
                wrong.append(f"{file}: {_shown(key)} is not used: take it out")
            elif key in said and said[key][1] != strings(message):
                wrong.append(f"{file}: {_shown(key)} is said otherwise in {said[key][0]}: keep one")
            said.setdefault(key, (file, strings(message)))
            wrong += [f"{file}: {fault}" for fault in _faults(message, catalog.num_plurals)]
    for key, files in used.items():
        if key not in said:
            wrong.append(
                f"{', '.join(files)}: {_shown(key)} is in no {language} room: "
                f"run python -m besnik.site.messages ROOM {files[0]}, then translate it"
            )
    return wrong


def _faults(message: Message, forms: int) -> Iterator[str]:
    shown = _shown(_key(message))
    found = strings(message)
    if not all(found):
        yield f"{shown} is not translated: fill it in"
        return
    if message.fuzzy:
        yield f"{shown} is marked fuzzy: check it and take the mark off"
    if message.pluralizable and len(found) != forms:
        yield f"{shown} needs {forms} plural forms and has {len(found)}"
    wanted = set(_PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[1]))
    for text in found:
        if set(_PLACEHOLDER.findall(text)) != wanted:
            yield f"{shown} must have {sorted(wanted)}, which {text!r} has not"


def _key(message: Message) -> Key:
    id = message.id
    return (id if isinstance(id, str) else tuple(id)), message.context


def _shown(key: Key) -> str:
    text, context = key
    shown = repr(text if isinstance(text, str) else text[0])
    return shown if context is None else f"{shown} ({context})"


def update(
    language: str,
    room: str,
    files: Sequence[str],
    found: Iterable[Text] | None = None,
    source: Path = SOURCE,
) -> int:
    """Write a room with what it had and is in use, and what of ``files`` no room has.

    ``files`` are ends of paths ("templates/site/login.html"). Returns how many texts of the room
    are not translated yet.
    """
    old = load(language, room, source)
    elsewhere = {
        _key(message)
        for other in ROOMS
        if other != room
        for message in load(language, other, source)
    }
    catalog = Catalog(locale=language, header_comment="# Besnik's pages.", fuzzy=False)
    catalog.project, catalog.version = "Besnik", "pages"
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = ""
    catalog.creation_date = catalog.revision_date = old.creation_date
    for key, where in texts() if found is None else found:
        known = old.get(key[0], key[1])
        wanted = key not in elsewhere and any(path.endswith(tuple(files)) for path in where)
        if known or wanted:
            string = known.string if known else None
            catalog.add(key[0], string, locations=[(path, 0) for path in where], context=key[1])
    file = room_file(language, room, source)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        write_po(target, catalog, width=96, include_lineno=False, sort_output=True)
    return sum(not all(strings(message)) for message in catalog if message.id)


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what is missing, or bring a room up to date."""
    parser = argparse.ArgumentParser(
        prog="python -m besnik.site.messages", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("room", nargs="?", choices=ROOMS, help="the room that gets new texts")
    parser.add_argument("file", nargs="*", help="a template or module (the end of its path)")
    chosen = parser.parse_args(arguments)
    if chosen.room is None:
        wrong = [complaint for language in TRANSLATED for complaint in complaints(language)]
        print("\n".join(wrong) or "Every text is translated.")
        return 1 if wrong else 0
    for language in TRANSLATED:
        left = update(language, chosen.room, chosen.file)
        print(f"{room_file(language, chosen.room)}: {left} to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
