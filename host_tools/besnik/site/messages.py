"""What is to be translated: every text of the pages, found in templates and modules.

``python -m besnik.site.messages`` brings the catalogues up to date: it adds new texts without a
translation, drops those no page uses, and leaves the translations alone.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from besnik.site.catalogues import SOURCE
from besnik.site.languages import LANGUAGES

PACKAGE: Final = Path(__file__).parent
_KEYWORDS: Final = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
}


def used(language: str, package: Path = PACKAGE) -> Catalog:
    """Return the texts of the templates and modules under ``package``, untranslated."""
    catalog = Catalog(locale=language, header_comment="# Besnik's pages.", fuzzy=False)
    catalog.project, catalog.version = "Besnik", "pages"
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = ""
    for file in sorted((*package.rglob("*.py"), *package.rglob("*.html"))):
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".html":
            text = templatize(text, origin=str(file))
        where = file.relative_to(package).as_posix()
        found = extract("python", BytesIO(text.encode()), keywords=_KEYWORDS)
        for _line, text_or_pair, _comments, context in found:
            catalog.add(text_or_pair, locations=[(where, 0)], context=context)
    return catalog


def catalogue_file(language: str) -> Path:
    """Return where the catalogue of a language is kept."""
    return SOURCE / language / "LC_MESSAGES" / "django.po"


def load(language: str) -> Catalog:
    """Return a language's catalogue, empty where there is none yet."""
    file = catalogue_file(language)
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def update(language: str) -> None:
    """Write a language's catalogue with exactly the texts in use."""
    known, catalog = load(language), used(language)
    catalog.creation_date = catalog.revision_date = known.creation_date
    for message in catalog:
        old = known.get(message.id, message.context) if message.id else None
        if old:
            message.string = old.string
    file = catalogue_file(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        write_po(target, catalog, width=96, include_lineno=False, sort_output=True)


def main() -> int:
    """Update every catalogue."""
    for language, _own_name in LANGUAGES[1:]:
        update(language)
    return 0


if __name__ == "__main__":
    sys.exit(main())
