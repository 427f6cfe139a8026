"""Besnik's own store as `support.crm_every` wants a CRM: what people do in it, and its outages."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import support.orm  # noqa: F401  # isort: split - sets Django up
from besnik.credentials.assess import CardRef
from besnik.crm.embedded import EmbeddedCrm
from besnik.crm.matching import card_from
from besnik.store.access import StoreAccess
from besnik.store.database import is_sqlite
from besnik.store.hot import CardKey, DecidedTap, KnownCard, KnownReader
from besnik.store.models import Shop
from besnik.store.people import NewCard, add_card, enrol
from support.database import Databases, PostgresDatabases
from support.in_store import in_store
from support.store import rows, settings_for

_VISITS = """SELECT count(*) FROM store_entry entry JOIN store_tap tap ON tap.id = entry.tap_id
    WHERE tap.member_id = {}"""


class EmbeddedRecords:
    """See Records; ``url`` is that of a database with the demo shop, on which the models work."""

    def __init__(self, url: str, databases: Databases) -> None:
        self._url, self._databases = url, databases
        self._open()
        self._reader: KnownReader | None = None
        self._known: dict[str, KnownCard] = {}
        self._taps: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._outage = ExitStack()

    def _open(self) -> None:
        self._store = StoreAccess(settings_for(self._url))
        self.crm = EmbeddedCrm(self._store)

    async def find(self, cards: Sequence[str]) -> Mapping[str, str]:
        """See Records."""
        if self._reader is None:
            readers = await self._store.call(lambda hot: hot.readers(["counter-1"]))
            self._reader = readers["counter-1"]
        keys = {CardKey(self._reader.rules.program, _ref(card)): card for card in cards}
        found = await self.crm.lookup_many(list(keys))
        known = {keys[key]: card for key, card in found.items()}
        self._known |= known
        return {card: str(one.member) for card, one in known.items()}

    async def visit(self, *visits: tuple[str, str], again: bool = False) -> list[str]:
        """See Records; the store knows by itself what it has."""
        del again
        done = await self.crm.record_visits([self._tap(card, event) for card, event in visits])
        assert all(one.outcome == "accepted" for one in done)
        return ["already" if one.repeat else "done" for one in done]

    async def add(self, name: str, *cards: str) -> str:
        """See Records."""
        return await in_store(_enrolled, name, cards)

    async def visits(self, customer: str) -> int:
        """See Records."""
        ((count,),) = rows(self._url, _VISITS.format(int(customer)))
        return int(count)

    async def stop(self) -> None:
        """See Records: a server that lets nobody in, a disk that is not there at the next start."""
        if isinstance(self._databases, PostgresDatabases):
            self._outage.enter_context(self._databases.closed(self._url))
            return
        await self._store.aclose()
        file = _file(self._url)
        file.rename(file.with_suffix(".away"))
        file.mkdir()
        self._open()

    async def start(self) -> None:
        """See Records."""
        self._outage.close()
        if is_sqlite(self._url):
            file = _file(self._url)
            file.rmdir()
            file.with_suffix(".away").rename(file)

    async def aclose(self) -> None:
        """Let go of the database."""
        await self._store.aclose()

    def _tap(self, card: str, event: str) -> DecidedTap:
        assert self._reader is not None, "find the card first"
        known, now = self._known[card], dt.datetime.now(dt.UTC)
        tap_id = self._taps.setdefault(event, f"00001-{next(self._numbers):06d}")
        return DecidedTap(
            reader=self._reader.id,
            tap_id=tap_id,
            ref=_ref(card),
            card=known,
            tier="D",
            outcome="accepted",
            reason="ok",
            read_at=0,
            clock_quality=0,
            queued=False,
            received_at=now,
            entry=self._reader.rules.accrue(known.member, "corner", now),
        )


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _ref(card: str) -> CardRef:
    found = card_from(card)
    return CardRef("code", card) if found is None else CardRef(found.kind, found.data)


def _enrolled(name: str, cards: Sequence[str]) -> str:
    program = Shop.objects.get(slug="corner").program
    member = enrol(program, name=name, language="en")
    for card in cards:
        add_card(member, NewCard("uid", card))
    return str(member.pk)
