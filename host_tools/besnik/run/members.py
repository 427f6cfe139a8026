"""What the store wrote about a tap, read through the store's own face."""

from __future__ import annotations

import asyncio
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from besnik.store.members import TapFile


async def tap_file(reader: str, tap_id: str) -> TapFile | None:
    """Return the file of a tap, None if the store has none; reads off the event loop."""
    return await asyncio.to_thread(_read, reader, tap_id)


def _read(reader: str, tap_id: str) -> TapFile | None:
    _set_up()
    from besnik.store import members

    return members.tap_file(reader, tap_id, visits=0)


@cache
def _set_up() -> None:
    # Half a second of imports: after everything has started, not before.
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "besnik.site.settings")
    django.setup()
