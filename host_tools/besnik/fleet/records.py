"""The shop's records, looked into by commands that can do without them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TypeVar

from besnik.fleet.order import Identity
from besnik.fleet.usb import BoardError

_T = TypeVar("_T")


class UnreadableError(Exception):
    """There are no records to look into; the text says why."""


def looked_at(work: Callable[[], _T]) -> _T:
    """Return what ``work`` finds with Django set up, in whatever thread; UnreadableError."""
    import django
    from django.db import Error, connection

    from besnik.config import ConfigError

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "besnik.site.settings")
    try:
        django.setup()
        try:
            return work()
        finally:
            connection.close()  # each thread has its own
    except ConfigError as error:
        raise UnreadableError(str(error)) from error
    except Error as error:
        raise UnreadableError(f"{error}; has besnik store migrate run?") from error


async def enter(reader: Identity, till: str, say: Callable[[str], None]) -> None:
    """Enter a reader that is new in its shop's records; ``say`` is told where it stands.

    Without ``till`` the shop must have one only. BoardError where it is not clear. Where the
    records cannot be looked into that is said, and somebody else has to enter it.
    """
    said = await asyncio.to_thread(_entered, reader.settings["shop"], reader.reader, till)
    if said:
        say(said)


def _entered(shop: str, reader: str, till: str) -> str:
    def enter() -> str:
        from besnik.store import entering

        try:
            return entering.enter(shop, reader, till)
        except entering.NoPlaceError as error:
            raise BoardError(str(error)) from error

    try:
        place = looked_at(enter)
    except UnreadableError as error:
        return (
            f"{reader}: whether its shop knows it cannot be seen ({error}): its taps are refused"
            " until it is entered on the owner's page of shops"
        )
    return f"{reader}: entered in the shop's records, at {place}" if place else ""
