"""`HttpCrm`: a foreign CRM that a mapping describes."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final, Self

import msgspec
from msgspec.structs import replace

from besnik.crm import spelling, web
from besnik.crm.foreign import (
    Capabilities,
    CrmAnswerError,
    CrmError,
    CrmSettingsError,
    Customer,
    Delivered,
    Field,
    Found,
    Health,
    NewCustomer,
    Page,
    Setting,
    Visit,
)
from besnik.crm.http import listing, reading, template, writing
from besnik.crm.http.calls import Calls, Reply
from besnik.crm.http.mapping import CustomerPlaces, Mapping
from besnik.crm.http.mapping_file import read

MAPPINGS: Final = Path(__file__).parent.parent / "mappings"


class HttpCrm:
    """A CRM behind a mapping; `ForeignCrm` says what each method does."""

    # The shipped mapping of a class, without ".toml"; "" where the owner names a file.
    mapping_name: ClassVar[str] = ""

    def __init__(self, mapping: Mapping, settings: Table[str, str], secrets: Table[str, str]):
        wanted = {setting.name: setting for setting in mapping.settings}
        given = {
            name: ((secrets if setting.is_secret else settings).get(name) or setting.default)
            for name, setting in wanted.items()
        }
        for name, setting in wanted.items():
            if setting.is_needed and not given[name].strip():
                raise CrmSettingsError(f"{name}: fill in {setting.label}")
        plain = {name: _clean(given[name]) for name in wanted if not wanted[name].is_secret}
        hidden = {name: _secret(name, given[name]) for name in wanted if wanted[name].is_secret}
        places = template.fill(msgspec.to_builtins(mapping.customer), plain)
        customer = msgspec.convert(places, CustomerPlaces)
        self._columns = reading.columns(customer, [])
        self._per_day = _per_day(mapping, plain)
        self._mapping = mapping = msgspec.structs.replace(mapping, customer=customer)
        url = template.fill_text(mapping.url, plain) or ""
        line = web.Web(url, total_s=web.TOTAL_S, follow_redirects=False)
        self._calls = Calls(mapping, plain, hidden, line)

    @classmethod
    def mapping(cls) -> Mapping:
        """Return the shipped mapping of this class."""
        return read(MAPPINGS / f"{cls.mapping_name}.toml")

    @classmethod
    def open_crm(cls, settings: Table[str, str], secrets: Table[str, str]) -> Self:
        """Make one from what the owner set; CrmSettingsError. Talks to nobody yet."""
        return cls(cls.mapping(), settings, secrets)

    @classmethod
    def asks_for(cls) -> Sequence[Setting]:
        """Return what the owner has to fill in, in order."""
        mapping = cls.mapping()
        return [
            replace(each, field_prefix=mapping.describe.prefix) if each.is_field else each
            for each in mapping.settings
        ]

    @property
    def capabilities(self) -> Capabilities:
        """What this one can do, as its mapping says."""
        mapping = self._mapping
        visits = mapping.visits
        return Capabilities(
            lookup_max=min(mapping.lookup.at_once, mapping.refresh.at_once),
            write_max=min(visits.write.at_once, visits.balance.at_once if visits.balance else 1000),
            idempotent_writes=visits.write.is_idempotent,
            per_second=mapping.limits.per_second,
            per_day=self._per_day,
            search_lag_s=mapping.limits.search_lag_s,
            late_s=mapping.limits.late_s,
            can_create=mapping.create is not None,
            can_list=mapping.listing is not None,
        )

    async def lookup_many(self, cards: Sequence[str], fields: Sequence[str]) -> Table[str, Found]:
        """Return the customers of cards, with ``fields``; an absent card is unknown there."""
        found: dict[str, Found] = {}
        for chunk in writing.chunks([*dict.fromkeys(cards)], self._cards_at_once()):
            found |= await self._look_up(chunk, fields)
        return found

    def _cards_at_once(self) -> int:
        """Return how many cards are looked up by one request, in every spelling if it has room."""
        at_once = self._mapping.lookup.at_once
        return at_once // spelling.COUNT or at_once

    def _spelled(self, cards: Sequence[str]) -> list[str]:
        if self._mapping.lookup.at_once < spelling.COUNT:
            return list(cards)
        return [text for card in cards for text in spelling.spellings(card)]

    async def _look_up(self, cards: Sequence[str], fields: Sequence[str]) -> dict[str, Found]:
        ask, places = self._mapping.lookup, self._mapping.customer
        values = {
            "cards": self._spelled(cards),
            "card": cards[0],
            "columns": reading.columns(places, fields),
            "limit": ask.limit,
        }
        reply = await self._calls.get(ask, values)
        rows = reply.rows(ask.rows) if reply else []
        if len(rows) >= ask.limit and len(cards) > 1:
            # Some may not have fitted into the answer.
            alone = [await self._look_up([card], fields) for card in cards]
            return {card: each for found in alone for card, each in found.items()}
        found, any_hit = reading.by_card(cards, rows, places, fields)
        if rows and not any_hit and not ask.is_loose:
            raise CrmAnswerError(
                "it answered with customers who do not have that card: is the name of the card's "
                "field in the settings right?"
            )
        return found

    async def refresh(self, ids: Sequence[str], fields: Sequence[str]) -> Table[str, Customer]:
        """Return customers by their own ids; one that is absent is gone."""
        ask, places = self._mapping.refresh, self._mapping.customer
        found: dict[str, Customer] = {}
        for chunk in writing.chunks([*dict.fromkeys(ids)], ask.at_once):
            columns = reading.columns(places, fields)
            values = {"ids": list(chunk), "id": chunk[0], "columns": columns}
            reply = await self._calls.get(ask, values)
            for row in reply.rows(ask.rows) if reply else []:
                customer = reading.customer(row, places, fields)
                if customer.id in chunk:
                    found[customer.id] = customer
        return found

    async def record_visits(self, visits: Sequence[Visit], *, again: bool) -> Sequence[Delivered]:
        """Write events, one result an event, in order; ``again``: some may be there."""
        return await writing.write_visits(self._calls, self._mapping.visits, visits, again=again)

    async def create_customers(
        self, new: Sequence[NewCustomer], *, again: bool
    ) -> Sequence[Delivered]:
        """Make customers, one result each, in order; who has the card already is not made."""
        how = self._mapping.create
        if how is None:
            raise CrmSettingsError(f"{self._mapping.name}: its mapping makes no customers")
        holders = await self.lookup_many([card for each in new for card in each.cards], [])
        return await writing.make_customers(self._calls, how, new, dict(holders), again=again)

    async def list_customers(self, after: str | None, fields: Sequence[str]) -> Page:
        """Return customers from the beginning (None) or from where the last page ended."""
        how = self._mapping.listing
        if how is None:
            raise CrmSettingsError(f"{self._mapping.name}: its mapping lists no customers")
        return await listing.page(self._calls, how, self._mapping.customer, after, fields)

    async def describe(self) -> Sequence[Field]:
        """Return the fields that customers have there."""
        return await listing.fields(self._calls, self._mapping.describe, self._columns)

    async def health(self) -> Health:
        """Say whether it can be used now; raises nothing."""
        ask = self._mapping.health
        try:
            reply: Reply | None = await self._calls.get(ask, {"columns": self._columns})
            if reply is not None:
                reply.rows(ask.rows)
        except CrmError as error:
            return Health(ok=False, why=str(error))
        return Health(ok=True)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._calls.aclose()


def _clean(value: str) -> str:
    """Return what somebody pasted: an address without the slash behind it."""
    value = value.strip()
    return value.rstrip("/") if value.startswith(("http://", "https://")) else value


def _secret(name: str, value: str) -> str:
    """Return a key as it was pasted; CrmSettingsError if more than it was."""
    value = value.strip()
    if not value.isprintable():
        raise CrmSettingsError(f"{name}: a line break or the like is in it; paste it in one line")
    return value


def _per_day(mapping: Mapping, settings: Table[str, str]) -> int | None:
    limit = mapping.limits.per_day
    if not isinstance(limit, str):
        return limit
    text = settings[limit]
    if not text.isdecimal() or int(text) < 1:
        raise CrmSettingsError(f"{limit}: {text!r} must be a whole number of requests a day")
    return int(text)


class OwnMapping(HttpCrm):
    """A CRM for which the owner has written (or been given) a mapping."""

    @classmethod
    def open_crm(cls, settings: Table[str, str], secrets: Table[str, str]) -> Self:
        """Make one from the mapping in the file ``mapping`` and what else the owner set."""
        file = settings.get("mapping", "").strip()
        if not file:
            raise CrmSettingsError("mapping: name the file, for example /etc/besnik/our-crm.toml")
        return cls(read(Path(file)), settings, secrets)

    @classmethod
    def asks_for(cls) -> Sequence[Setting]:
        """Return the file, and the settings that mappings usually have."""
        return (
            Setting("mapping", "The mapping's file", help="see docs/crm-mappings.md", is_file=True),
            Setting(
                "url",
                "The CRM's address",
                help="https://crm.example.com",
                is_needed=False,
                is_place=True,
            ),
            Setting("login", "Your name there", is_needed=False),
            Setting("key", "Its key or password", is_secret=True, is_needed=False),
        )
