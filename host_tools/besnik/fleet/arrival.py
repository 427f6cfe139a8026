"""A reader that was just made is seen: it comes on line at the broker and answers a first tap."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from besnik import config
from besnik.fleet import label, settings
from besnik.fleet.order import Identity
from besnik.fleet.usb import BoardError
from besnik.fleet.watch import RefusedError, Watcher

# A reader starts in seconds; Wi-Fi, the clock and the first handshake take most of them.
ONLINE_S: Final = 60
TAP_S: Final = 120

Say = Callable[[str], None]
"""Called with each thing that a technician is to be told."""


@contextlib.asynccontextmanager
async def watching(shop: config.Config, reader: Identity) -> AsyncIterator[Watcher]:
    """Yield what hears the reader at the broker, before it starts; BoardError if none answers."""
    watcher = Watcher(shop.broker, reader.settings["shop"], reader.reader)
    try:
        await watcher.connect()
    except RefusedError as error:
        raise BoardError(
            "the broker does not take the site's password: [broker] site_password in besnik.toml"
            " is not what it was started with"
        ) from error
    except (OSError, TimeoutError) as error:
        where = f"{shop.broker.host}:{shop.broker.port}"
        raise BoardError(
            f"the broker at {where} does not answer, and the reader is to be seen there: start it"
            " with `besnik broker`"
        ) from error
    try:
        yield watcher
    finally:
        await watcher.close()


async def see(
    watcher: Watcher, reader: str, say: Say, *, waits_for_tap: bool, tap_s: float = TAP_S
) -> None:
    """Return when the reader is on line and, if asked, a card was answered; BoardError if not."""
    say(f"{reader}: starts …")
    birth = await watcher.online(ONLINE_S)
    if birth is None:
        raise BoardError(
            f"{reader} did not come on line within {ONLINE_S} s. Its light says why (README:"
            " signals); usually the Wi-Fi's name or password, or broker.host"
        )
    say(f"{reader}: is on line, start {birth.bd}")
    if not waits_for_tap:
        return
    say(f"{reader}: hold any card to it …")
    visit = await watcher.visit(tap_s)
    if visit is None:
        raise BoardError(
            f"no tap was answered within {tap_s:.0f} s: is the RC522 wired as the README says, does"
            " the bridge run, and is this reader in its shop (page Readers)?"
        )
    say(f"{reader}: tap {visit.tap}: {visit.r}, {visit.why}. The reader works.")


def draw_label(shop: config.Config, reader: Identity) -> Path:
    """Draw the card that is stuck under the reader; return its file."""
    folder = settings.path_of(Path(shop.state), reader.reader).parent
    made = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    return label.write(folder, reader.settings["shop"], reader.reader, made)
