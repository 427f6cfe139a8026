"""What the bridge asks of the database, the same for SQLite and PostgreSQL.

These statements bypass Django for speed; ``TABLES`` names every column they write, and a test
holds it to the models.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec
from msgspec.structs import replace

from besnik.config import Config
from besnik.contract import Outcome, Reason
from besnik.credentials.assess import CardRef, Finding, Tier
from besnik.loyalty.ledger import Entry, balanced
from besnik.loyalty.visits import Bounds, VisitRules
from besnik.store.database import connect_postgres, connect_sqlite, is_sqlite

TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "store_tap": (
        "reader_id",
        "tap_id",
        "kind",
        "data",
        "card_id",
        "member_id",
        "counter",
        "tier",
        "outcome",
        "reason",
        "finding",
        "read_at",
        "clock_quality",
        "queued",
        "received_at",
    ),
    "store_entry": ("program_id", "kind", "tap_id", "occurred_at", "created_at"),
    "store_account": ("program_id", "member_id", "unit", "balance"),
    "store_posting": ("entry_id", "account_id", "amount"),
    "store_lot": (
        "member_id",
        "unit",
        "entry_id",
        "amount",
        "main",
        "opened_at",
        "available_at",
        "expires_at",
    ),
    "store_alert": ("program_id", "kind", "member_id", "detail", "at"),
    "store_crmpending": ("program_id", "tap_id", "state"),
}


TapKey = tuple[int, str]  # reader row, tap id


class LedgerError(ValueError):
    """An entry whose postings do not sum to zero; nothing of its batch was written."""


class KnownReader(msgspec.Struct, frozen=True):
    """A reader of the installation: its row, its shop's slug, what visits there earn.

    ``asks_crm``: its program has another CRM, which may know cards that are unknown here.
    """

    id: int
    shop: str
    rules: VisitRules
    asks_crm: bool = False


class CardKey(msgspec.Struct, frozen=True):
    """A card as a program knows it."""

    program: int
    ref: CardRef


class KnownCard(msgspec.Struct, frozen=True):
    """A card's row, its member's row and public reference, its state and the member's tier.

    ``closed`` is every card of a member who left or was erased.
    """

    card: int
    member: int
    member_ref: str
    state: Literal["active", "blocked", "replaced", "closed"]
    level: int = 0


class DecidedTap(msgspec.Struct, frozen=True):
    """A tap with its verdict, ready to be written; ``entry`` is what it moves, if anything.

    An entry is of the program of ``reader``, and its postings are on main accounts.
    ``finding`` is for the cashier, who is told more than the reader. One whose ``reason`` is
    ``pending`` waits for another CRM's answer (``pending.py``).
    ``reader`` is the reader's row; ``read_at`` Unix seconds; ``received_at`` aware, UTC.
    ``counter`` is the SUN counter, None for other evidence. Accepted by everything else, the tap
    can still be refused for its counter when it is written; ``counter_gap`` is then set: how far
    the counter rose over the last accepted one. It is
    held against ``bounds`` then as well, if there are any.
    """

    reader: int
    tap_id: str
    ref: CardRef
    card: KnownCard | None
    tier: Tier
    outcome: Outcome
    reason: Reason
    read_at: int
    clock_quality: int
    queued: bool
    received_at: dt.datetime
    entry: Entry | None
    counter: int | None = None
    counter_gap: int = 0
    finding: Finding = ""
    bounds: Bounds | None = None

    @property
    def key(self) -> TapKey:
        """What makes this tap itself however often it is sent: reader row and tap id."""
        return self.reader, self.tap_id

    @property
    def happened_at(self) -> dt.datetime:
        """When the card was held there, as far as anybody knows."""
        return happened_at(self.read_at, self.clock_quality, self.queued, self.received_at)


class Recorded(msgspec.Struct, frozen=True):
    """The verdict that stands for a tap; ``repeat`` if the tap had been written before.

    ``counter_gap``: how far its SUN counter rose over the last accepted one; 0 if it did not.
    """

    outcome: Outcome
    reason: Reason
    member_ref: str | None
    repeat: bool
    counter_gap: int = 0


class Batch(Protocol):
    """Taps on their way to their verdicts, in three steps; these may run on another thread."""

    @property
    def slugs(self) -> Sequence[str]:
        """The readers they came from."""

    def open(self, readers: Mapping[str, KnownReader]) -> Sequence[CardKey]:
        """Take the readers that exist; return the cards that the taps can be of."""

    def decide(self, cards: Mapping[CardKey, KnownCard]) -> Sequence[DecidedTap]:
        """Take the cards that are known; return the taps that are to be recorded."""


class HotStore(Protocol):
    """The bridge's statements on one connection; used from one thread at a time.

    ``waits``: for others who write to the same database. If not, SQLite's own error says that
    somebody does, and nothing was done; PostgreSQL waits always.
    """

    waits: bool

    def readers(self, slugs: Sequence[str]) -> dict[str, KnownReader]:
        """Return the readers that exist, by slug; others that are known can be among them."""

    def cards(self, keys: Sequence[CardKey]) -> dict[CardKey, KnownCard]:
        """Return the cards that exist, by key."""

    def settle(self, batch: Batch) -> Sequence[Recorded]:
        """Lead a batch through its steps and record its taps; see ``record``."""

    def record(self, taps: Sequence[DecidedTap]) -> list[Recorded]:
        """Write taps, entries, postings and balances in one transaction.

        Returns one verdict a tap, in order, after the commit. A tap whose key was written
        before, or earlier in ``taps``, writes nothing and gets the first verdict. An accepted
        tap whose counter is not fresh is rejected as replayed (``counters.py``), and one that
        comes too soon with an alert (``pace.py``). LedgerError if an entry is not balanced;
        the driver's errors pass through, with nothing written.
        """

    def recorded(self, keys: Collection[TapKey]) -> dict[TapKey, Recorded]:
        """Return the verdicts of those of the taps that were written before."""

    def close(self) -> None:
        """Close the connection."""


def open_hot(config: Config) -> HotStore:
    """Open the database for the bridge; the driver's own errors pass through."""
    if is_sqlite(config.database.url):
        from besnik.store.hot_sqlite import SqliteStore

        return SqliteStore(connect_sqlite(config))
    from besnik.store.hot_postgres import PostgresStore

    return PostgresStore(connect_postgres(config))


def first_of_each(taps: Sequence[DecidedTap]) -> dict[TapKey, DecidedTap]:
    """Return the first tap of each key; LedgerError if one of them has an unbalanced entry."""
    firsts: dict[TapKey, DecidedTap] = {}
    for tap in taps:
        key = tap.reader, tap.tap_id
        if key in firsts:
            continue
        firsts[key] = tap
        if tap.entry is not None and not balanced(tap.entry.postings):
            raise LedgerError(f"entry of tap {tap.tap_id} is not balanced")
    return firsts


def happened_at(
    read_at: int, clock_quality: int, queued: bool, received_at: dt.datetime
) -> dt.datetime:
    """Return when a card was held to the reader, as far as anybody knows.

    A tap that waited in the reader's outbox happened when the reader says, if its clock was set
    from the network (contract: tq 2); any other when it came. None happened after it came.
    """
    if queued and clock_quality == 2:
        return min(dt.datetime.fromtimestamp(read_at, dt.UTC), received_at)
    return received_at


def verdicts(
    taps: Sequence[DecidedTap],
    firsts: Mapping[TapKey, DecidedTap],
    earlier: Mapping[TapKey, Recorded],
) -> list[Recorded]:
    """Return the verdict of each tap: that of its key in ``earlier``, else its first's, once."""
    results: list[Recorded] = []
    given = dict(earlier)
    for tap in taps:
        key = tap.key
        if (known := given.get(key)) is not None:
            results.append(known if known.repeat else replace(known, repeat=True, counter_gap=0))
            continue
        first = firsts[key]
        ref = None if first.card is None else first.card.member_ref
        result = Recorded(first.outcome, first.reason, ref, False, first.counter_gap)
        given[key] = result
        results.append(result)
    return results
