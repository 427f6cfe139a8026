"""Translations: ``.po`` files in this package, compiled into the state folder when stale.

Babel writes the ``.mo`` files Django reads, so no gettext tools need to be installed and the
package's own folder is never written to.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE: Final = Path(__file__).parent / "locale"


def compile_stale(target: Path, source: Path = SOURCE) -> list[str]:
    """Compile every catalogue whose ``.mo`` under ``target`` is missing or older.

    Returns the languages compiled. A catalogue appears whole or not at all: several
    processes may do this at once. Babel's PoFileError passes through.
    """
    done = []
    for po in sorted(source.glob("*/LC_MESSAGES/django.po")):
        mo = target / po.relative_to(source).with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
            continue
        mo.parent.mkdir(parents=True, exist_ok=True)
        with po.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
        draft = mo.with_suffix(f".{os.getpid()}")
        with draft.open("wb") as out:
            write_mo(out, catalogue)
        draft.replace(mo)
        done.append(po.parts[-3])
    return done
