"""A CRM that is not ours: what an adapter can do, and what goes to and fro.

An adapter is a class under the entry point group ``besnik.crm``; its name there is what a shop
chooses. ``open_crm(settings, secrets)`` of the class makes one; everything else is in `ForeignCrm`.
Adapters know nothing of taps, caches or retries: those are `besnik.crm`'s, the same for all.

Card ids are the credential's canonical data: upper-case hex without separators, 4, 7 or 10 bytes,
or a printed code. They are normalised before they come here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, Self

import msgspec

from besnik.crm.every import AnyCrm, Capabilities, CrmAwayError, CrmError, Health

__all__ = [
    "Ambiguous",
    "Capabilities",
    "CrmAnswerError",
    "CrmAwayError",
    "CrmError",
    "CrmRefusedError",
    "CrmSettingsError",
    "Customer",
    "Delivered",
    "Field",
    "ForeignCrm",
    "Found",
    "Health",
    "NewCustomer",
    "Page",
    "Setting",
    "Value",
    "Visit",
    "VisitKind",
]

# What a CRM keeps in a field, as far as it is shown: text, number, yes or no, or nothing.
Value = str | int | float | bool | None

VisitKind = Literal["visit", "purchase", "redeem", "reverse", "other"]


class CrmRefusedError(CrmError):
    """It does not let us in (401, 403): nothing is tried again until somebody changes the key."""


class CrmAnswerError(CrmError):
    """It answered what makes no sense: the mapping or its version is wrong."""


class CrmSettingsError(CrmError):
    """A setting is missing or wrong; the text names it."""


class Customer(msgspec.Struct, frozen=True):
    """A customer there. ``id`` is the CRM's own; ``fields`` holds the fields it was asked for.

    ``points`` is what the CRM says of them, None where it keeps none.
    """

    id: str
    name: str
    cards: tuple[str, ...] = ()
    points: int | None = None
    fields: Mapping[str, Value] = {}


class Ambiguous(msgspec.Struct, frozen=True):
    """More than one customer has that card: never the first of them, somebody has to decide."""

    ids: tuple[str, ...]


Found = Customer | Ambiguous


class Visit(msgspec.Struct, frozen=True):
    """One thing that happened at the counter, to be written to the customer's record there.

    ``event_id`` is the same however often it is sent. ``points`` is what it moved (minus for what
    was redeemed), ``balance`` what the customer has after it, None where it is not known.
    ``at`` is aware, UTC.
    """

    event_id: str
    customer: str
    kind: VisitKind
    shop: str
    at: dt.datetime
    points: int = 0
    balance: int | None = None
    card: str | None = None


class NewCustomer(msgspec.Struct, frozen=True):
    """A member who was enrolled at the till, to be made there; ``event_id`` as in Visit."""

    event_id: str
    name: str
    cards: tuple[str, ...] = ()
    phone: str = ""
    email: str = ""


class Delivered(msgspec.Struct, frozen=True):
    """What became of one event: written, there already, or refused with the reason.

    A refused one is not tried again by itself. ``customer`` is the id of a new customer.
    """

    event_id: str
    outcome: Literal["done", "already", "refused"]
    why: str = ""
    customer: str = ""


class Field(msgspec.Struct, frozen=True):
    """A field of a customer there, for the owner to choose from."""

    name: str
    label: str
    kind: Literal["text", "number", "date", "yes_no", "list", "other"] = "text"


class Page(msgspec.Struct, frozen=True):
    """Some of all customers; ``after`` asks for the next ones, None: these were the last."""

    customers: tuple[Customer, ...]
    after: str | None


class ForeignCrm(AnyCrm, Protocol):
    """A CRM as Besnik uses it. Every call may raise CrmError of one of its four kinds.

    Each call is bounded in time by the adapter's own HTTP timeouts: connect 1 s, 10 s in all.
    """

    @classmethod
    def open_crm(cls, settings: Mapping[str, str], secrets: Mapping[str, str]) -> Self:
        """Make one from what the owner set; CrmSettingsError. Talks to nobody yet."""

    @classmethod
    def asks_for(cls) -> Sequence[Setting]:
        """Return what the owner has to fill in, in order."""

    async def lookup_many(self, cards: Sequence[str], fields: Sequence[str]) -> Mapping[str, Found]:
        """Return the customers of cards, with ``fields``; an absent card is unknown there."""

    async def refresh(self, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Customer]:
        """Return customers by their own ids; one that is absent is gone."""

    async def record_visits(self, visits: Sequence[Visit], *, again: bool) -> Sequence[Delivered]:
        """Write events, one result an event, in order.

        ``again``: an earlier call with some of them may have been carried out.
        """

    async def create_customers(
        self, new: Sequence[NewCustomer], *, again: bool
    ) -> Sequence[Delivered]:
        """Make customers, one result each, in order; ``again`` as above."""

    async def list_customers(self, after: str | None, fields: Sequence[str]) -> Page:
        """Return customers from the beginning (None) or from where the last page ended."""

    async def describe(self) -> Sequence[Field]:
        """Return the fields that customers have there."""

    async def aclose(self) -> None:
        """Let go of connections."""


class Setting(msgspec.Struct, frozen=True):
    """One thing that the owner fills in. ``is_secret``: kept apart, never shown again.

    ``is_place``: with another value its customers may be others. ``is_field``: it is the name of a
    field that `describe` lists, there with ``field_prefix`` before it. ``is_file``: it is a path;
    when that file has changed, the CRM is opened anew.
    """

    name: str
    label: str
    is_secret: bool = False
    default: str = ""
    help: str = ""
    is_needed: bool = True
    is_place: bool = False
    is_field: bool = False
    field_prefix: str = ""
    is_file: bool = False
