"""Tryton as a CRM: customers are parties, cards their identifiers, visits notes on the party.

Coded for Tryton 8.2 with its module ``party``; nothing has to be added there. A card is an
identifier without a type. Tryton keeps no points, so each note says what a visit moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Self
from urllib.parse import quote

from besnik.crm import tryton_values as values
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
from besnik.crm.spelling import spellings
from besnik.crm.tryton_rpc import Rpc, TrytonRefusesError
from besnik.crm.web import Json

PAGE_SIZE = 500
# Tryton's own limit on the records of one request.
_RECORDS_MAX: Final = 1000
_PARTY: Final = f"model.{values.PARTY}"
_NOTE: Final = "model.ir.note"
# What of which model the user has to be allowed, and how to say so.
_NEEDED: Final = (
    ("party.party", "read", "read parties"),
    ("party.party", "write", "change parties"),
    ("party.party", "create", "create parties"),
    ("party.identifier", "read", "read identifiers of parties"),
    ("party.identifier", "create", "create identifiers of parties"),
    ("ir.note", "create", "write notes"),
)


class Tryton:
    """See ForeignCrm. Writes go by one session, which is ended when one of them got no answer."""

    # Its fence ends what is still under way before a repeat.
    capabilities = Capabilities(lookup_max=100, write_max=200, per_second=10, late_s=0.0)

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    @classmethod
    def asks_for(cls) -> Sequence[Setting]:
        """See ForeignCrm."""
        return (
            Setting(
                "address",
                "Address",
                help="such as https://tryton.example.com:8000",
                is_place=True,
            ),
            Setting("database", "Database", default="tryton", is_place=True),
            Setting(
                "user",
                "User name",
                help="a user of its own, who may read and change parties and write notes",
            ),
            Setting("password", "Password", is_secret=True),
        )

    @classmethod
    def open_crm(cls, settings: Mapping[str, str], secrets: Mapping[str, str]) -> Self:
        """See ForeignCrm."""
        given = {**settings, **secrets}
        for setting in cls.asks_for():
            if not given.get(setting.name, "").strip():
                raise CrmSettingsError(f"{setting.name}: fill in the {setting.label.lower()}")
        database = quote(given["database"].strip(), safe="")
        return cls(Rpc(given["address"], database, given["user"].strip(), given["password"]))

    async def lookup_many(self, cards: Sequence[str], fields: Sequence[str]) -> Mapping[str, Found]:
        """See ForeignCrm."""
        if not cards:
            return {}
        codes = [text for card in cards for text in spellings(card)]
        domain = [["identifiers", "where", [["type", "=", None], ["code", "in", codes]]]]
        parties = await self._search(domain, fields, _RECORDS_MAX)
        return values.by_card(cards, parties, fields)

    async def refresh(self, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Customer]:
        """See ForeignCrm. A party that was merged into another, or made inactive, is gone."""
        numbers = [int(id_) for id_ in ids if id_.isdecimal()]
        if not numbers:
            return {}
        parties = await self._search([["id", "in", numbers]], fields, len(numbers))
        read = (values.customer(party, fields) for party in parties)
        return {each.id: each for each in read}

    async def record_visits(self, visits: Sequence[Visit], *, again: bool) -> Sequence[Delivered]:
        """See ForeignCrm."""
        there: set[str] = set()
        if again and visits:
            await self._rpc.fence()
            there = await self._events_there(visits)
        new = [visit for visit in visits if visit.event_id not in there]
        refused = await self._write_notes(new)
        return [_delivered(visit.event_id, there, refused) for visit in visits]

    async def create_customers(
        self, new: Sequence[NewCustomer], *, again: bool
    ) -> Sequence[Delivered]:
        """See ForeignCrm. Who is there by a card, or by the code we give, is not made again."""
        if not new:
            return []
        if again:
            await self._rpc.fence()
        return [await self._create(customer) for customer in new]

    async def list_customers(self, after: str | None, fields: Sequence[str]) -> Page:
        """See ForeignCrm."""
        domain = [["id", ">", int(after)]] if after else []
        parties = await self._search(domain, fields, PAGE_SIZE)
        last = str(parties[-1]["id"]) if len(parties) == PAGE_SIZE else None
        return Page(tuple(values.customer(party, fields) for party in parties), last)

    async def describe(self) -> Sequence[Field]:
        """See ForeignCrm."""
        return values.described(await self._asked(f"{_PARTY}.fields_get", None, 0))

    async def health(self) -> Health:
        """See ForeignCrm: asks what the user may do."""
        models = sorted({model for model, _, _ in _NEEDED})
        try:
            allowed = await self._asked("model.ir.model.access.get_access", models)
            missing = [what for model, act, what in _NEEDED if not allowed[model][act]]
        except CrmError as error:
            return Health(ok=False, why=str(error))
        except (KeyError, TypeError):
            return Health(ok=False, why="Tryton did not say what the user may do: is it Tryton 8?")
        if missing:
            return Health(ok=False, why=f"the user may not {', '.join(missing)}")
        return Health(ok=True)

    async def aclose(self) -> None:
        """See ForeignCrm."""
        await self._rpc.aclose()

    async def _search(
        self, domain: list[Json], fields: Sequence[str], limit: int
    ) -> list[values.Row]:
        names = [*values.ALWAYS, *(field for field in fields if field not in values.ALWAYS)]
        order = [["id", "ASC"]]
        found = await self._asked(f"{_PARTY}.search_read", domain, 0, limit, order, names)
        return values.rows(found)

    async def _asked(self, method: str, *params: Json) -> Json:
        """Return the result of a call that Tryton has no reason to forbid."""
        try:
            return await self._rpc.call(method, *params)
        except TrytonRefusesError as error:
            raise CrmAnswerError(str(error)) from error

    async def _events_there(self, visits: Sequence[Visit]) -> set[str]:
        domain = values.events_domain(visits)
        found = await self._asked(
            f"{_NOTE}.search_read", domain, 0, _RECORDS_MAX, None, ["message"]
        )
        return {values.event_of(note.get("message") or "") for note in values.rows(found)}

    async def _write_notes(self, visits: Sequence[Visit]) -> dict[str, str]:
        """Write notes all at once, one by one where that is refused; return the reasons."""
        if not visits:
            return {}
        try:
            await self._rpc.write(f"{_NOTE}.create", [values.note(visit) for visit in visits])
        except TrytonRefusesError as error:
            if len(visits) == 1:
                return {visits[0].event_id: await self._reason(visits[0], error)}
            refused: dict[str, str] = {}
            middle = len(visits) // 2
            for part in (visits[:middle], visits[middle:]):
                refused |= await self._write_notes(part)
            return refused
        return {}

    async def _reason(self, visit: Visit, error: TrytonRefusesError) -> str:
        if visit.customer not in await self.refresh([visit.customer], []):
            return f"there is no party {visit.customer} in Tryton any more"
        return str(error)

    async def _create(self, new: NewCustomer) -> Delivered:
        code = f"BESNIK-{new.event_id}"
        codes = [text for card in new.cards for text in spellings(card)]
        card = ["identifiers", "where", [["type", "=", None], ["code", "in", codes]]]
        known = await self._search([["OR", ["code", "=", code], card]], [], 2)
        if len(known) > 1:
            return Delivered(
                new.event_id, "refused", "more than one party in Tryton has a card of this member"
            )
        if known:
            return Delivered(new.event_id, "already", customer=str(known[0]["id"]))
        try:
            made = await self._rpc.write(f"{_PARTY}.create", [_party(new, code)])
        except TrytonRefusesError as error:
            return Delivered(new.event_id, "refused", str(error))
        return Delivered(new.event_id, "done", customer=str(made[0]))


def _party(new: NewCustomer, code: str) -> dict[str, Json]:
    contacts = [("mobile", new.phone), ("email", new.email)]
    reached = [{"type": kind, "value": value} for kind, value in contacts if value]
    party: dict[str, Json] = {"name": new.name, "code": code}
    if new.cards:
        party["identifiers"] = [["create", [{"code": card} for card in new.cards]]]
    if reached:
        party["contact_mechanisms"] = [["create", reached]]
    return party


def _delivered(event_id: str, there: set[str], refused: Mapping[str, str]) -> Delivered:
    if event_id in there:
        return Delivered(event_id, "already")
    if event_id in refused:
        return Delivered(event_id, "refused", refused[event_id])
    return Delivered(event_id, "done")
