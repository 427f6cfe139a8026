"""How a bridge goes by at the broker: alone, or as one of several that share the taps.

One bridge keeps its session for a week: taps that come while it is away wait at the broker.

Several share a subscription (MQTT 5.0, 4.8.2), and each of their sessions ends with its
connection. mosquitto 2.0.11, measured: it hands the taps out in turn to *every* session of the
group, so a kept one whose bridge is dead gets its share as well and sits on it. A session that
ends takes along what its bridge had not acknowledged (mosquitto gives that to no other), but the
very next tap goes to a bridge that lives. What went down with a bridge comes again: readers keep
a tap until they have its verdict. If no bridge is left, taps wait in the readers.
"""

from __future__ import annotations

from typing import Final

import msgspec

from besnik import contract
from besnik.config import Config, ConfigError
from besnik.store.database import is_sqlite

TAPS: Final = f"{contract.ROOT}/+/+/tap"
# Not shared: what a card answers is for the bridge that asked.
_ANSWERS: Final = f"{contract.ROOT}/+/+/apdu/rsp"
# Fixed: the session that keeps taps while no bridge runs is found again by this name.
_CLIENT_ID: Final = "besnik-bridge"
_KEPT_S: Final = 7 * 24 * 3600


class Account(msgspec.Struct, frozen=True):
    """A bridge's client id, its subscriptions with QoS 1, and how long its session is kept."""

    client_id: str
    topics: tuple[str, ...]
    session_expiry_s: int
    is_shared: bool


def account(settings: Config) -> Account:
    """Return the account of this bridge; ConfigError if there can be no several."""
    number = settings.bridge.instance
    if number == 0:
        return Account(_CLIENT_ID, (TAPS, _ANSWERS), _KEPT_S, is_shared=False)
    if is_sqlite(settings.database.url):
        raise ConfigError(
            f"bridge.instance = {number}: several bridges need PostgreSQL, because an SQLite file "
            "has one writer; leave the instance out, or set database.url to postgres://…"
        )
    shared = f"$share/besnik/{TAPS}"
    return Account(f"{_CLIENT_ID}-{number}", (shared, _ANSWERS), 0, is_shared=True)
