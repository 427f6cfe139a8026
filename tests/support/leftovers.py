"""Texts of a page that no catalogue can reach.

Every text in use gets a pseudo-translation without a single Latin letter, under the name of
Russian, so that numbers and dates have none either. A Latin word that is left on a page was
written there by hand; what people have named stands in ``<bdi>``, ``dir="auto"`` or
``translate="no"``, what is the same in all languages in ``<code>``, ``<kbd>`` or ``dir="ltr"``.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from besnik.site import messages

LANGUAGE: Final = "ru"

_KEPT: Final = re.compile(r"(%\(\w+\)s|%[sd%]|\{\w*\}|<[^>]+>|&\w+;)")
_LETTERS: Final = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "абцдефгхийклмнопярстувшхызАБЦДЕФГХИЙКЛМНОПЯРСТУВШХЫЗ",
)
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
_SENTENCE: Final = re.compile(r"[A-Za-z]{2,}[,.:]? [A-Za-z]{2,}")
_FOREIGN: Final = frozenset({"bdi", "code", "kbd", "samp", "script", "style", "svg", "template"})
_VOID: Final = frozenset({"meta", "link", "input", "br", "img", "hr", "col", "wbr"})
_SPOKEN: Final = frozenset({"aria-label", "aria-description", "placeholder", "title", "alt"})


def pseudo(text: str) -> str:
    """Return a text with all Latin letters as others; placeholders and tags stay."""
    parts = _KEPT.split(text)
    return "".join(part if n % 2 else part.translate(_LETTERS) for n, part in enumerate(parts))


def compile_pseudo(folder: Path) -> None:
    """Write the pseudo-translation of every text in use under ``folder``."""
    catalog = Catalog(locale=LANGUAGE)
    for (text, context), _files in messages.texts():
        if isinstance(text, str):
            catalog.add(text, pseudo(text), context=context)
        else:
            forms = [pseudo(text[0]), *[pseudo(text[1])] * (catalog.num_plurals - 1)]
            catalog.add(text, forms, context=context)
    file = folder / LANGUAGE / "LC_MESSAGES/django.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as out:
        write_mo(out, catalog)


def leftovers(html: str) -> list[str]:
    """Return the Latin texts that a reader of this page sees or hears."""
    reader = _Reader()
    reader.feed(html)
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        foreign = tag in _FOREIGN or given.get("translate") == "no"
        foreign |= tag != "html" and ("dir" in given or "lang" in given)
        if not foreign and not self._foreign():
            self._attributes(given)
        if tag not in _VOID:
            self._open.append((tag, foreign))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _foreign in self._open]
        if not self._foreign() and "title" not in inside and _WORD.search(data):
            self.found.append(" ".join(data.split()))

    def _attributes(self, given: dict[str, str]) -> None:
        for name, value in given.items():
            word = _WORD if name in _SPOKEN else _SENTENCE if name.startswith("data-") else None
            if word and word.search(value):
                self.found.append(f"{name}={value!r}")

    def _foreign(self) -> bool:
        return any(foreign for _tag, foreign in self._open)
