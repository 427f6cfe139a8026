"""What a mapping says: how one CRM is asked, and where things are in its answers.

docs/crm-mappings.md explains each entry to whoever writes one.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from besnik.crm.foreign import Field, Setting


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; what it does not know is a mistake to be told."""


class Rule(_Table, frozen=True, kw_only=True, rename={"is_": "is"}):
    """What an answer looks like: its status, and the text of what is at a path (``is``)."""

    status: int | None = None
    at: str = ""
    is_: str | None = None


class Ask(_Table, frozen=True, kw_only=True):
    """One request. ``at_once`` items fit in it; its answer's rows are at ``rows``.

    ``none``: what the answer looks like when there is nothing to find.
    """

    path: str
    method: Annotated[str, Meta(pattern="^[A-Z]+$")] = "GET"
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body: Any = None
    at_once: Annotated[int, Meta(ge=1)] = 1
    rows: str = ""
    none: list[Rule] = []


class CustomerPlaces(_Table, frozen=True, kw_only=True):
    """Where a customer's values are in a row; ``columns`` is what is always asked for.

    ``fields``: the table in a row that the owner's fields are in. ``name``: paths whose texts make
    the name. ``false_is_empty``: the CRM says false where it has no text (Odoo).
    """

    id: str
    name: list[str]
    cards: str
    points: str = ""
    fields: str = ""
    columns: list[str] = []
    false_is_empty: bool = False


class Lookup(Ask, frozen=True, kw_only=True):
    """Customers by card. An answer of ``limit`` rows may lack some.

    ``is_loose``: the CRM also finds what only resembles the card; without it such an answer means
    that the filter was not understood.
    """

    limit: Annotated[int, Meta(ge=1)] = 200
    is_loose: bool = False


class Listing(Ask, frozen=True, kw_only=True):
    """All customers, page by page; ``next`` is how the following page is asked for.

    ``start`` is what stands for ``{after}`` on the first page.
    """

    next: Literal["at", "path", "offset", "page", "last_id"]
    next_at: str = ""
    start: str = ""
    page_size: Annotated[int, Meta(ge=1)] = 100


class Describe(Ask, frozen=True, kw_only=True):
    """The fields of customers. ``@key`` stands for the key where the rows are a table.

    ``kinds`` translates the CRM's kinds; ``always`` are fields that it does not list.
    """

    name: str
    label: str
    kind: str = ""
    prefix: str = ""
    kinds: dict[str, Literal["text", "number", "date", "yes_no", "list", "other"]] = {}
    always: list[Field] = []


class Find(Ask, frozen=True, kw_only=True):
    """Which events are there already: rows whose text at ``event`` is the id, or has [id] in it."""

    event: str
    is_within: bool = False


class Results(_Table, frozen=True, kw_only=True):
    """What an answer says of each of several records, in order."""

    rows: str = ""
    done: Rule = Rule()
    already: list[Rule] = []
    why: str = ""


class Write(Ask, frozen=True, kw_only=True):
    """Writes events. ``already``: the answer that means that one was written before.

    ``id``: where the id of a new record is in a row (of the answer, or of ``results``).
    ``is_idempotent``: the CRM itself writes no event twice.
    """

    is_idempotent: bool = False
    already: list[Rule] = []
    results: Results | None = None
    id: str = ""


class Visits(_Table, frozen=True, kw_only=True):
    """How visits are written: looked for if they may be there, written, the balance set."""

    write: Write
    find: Find | None = None
    balance: Write | None = None


class Creation(_Table, frozen=True, kw_only=True):
    """How customers are made; ``find`` looks for one by its event, or else its card is used."""

    write: Write
    find: Find | None = None


class Auth(_Table, frozen=True, kw_only=True):
    """How we say who we are. ``value`` is the header's, ``{token}`` in it OAuth's.

    ``form`` is sent to ``token_url`` for a token, which is at ``token_at`` of the answer.
    """

    kind: Literal["header", "basic", "oauth2"]
    header: str = "Authorization"
    value: str = "Bearer {key}"
    user: str = ""
    password: str = ""
    token_url: str = ""
    form: dict[str, str] = {}
    token_at: str = "access_token"
    lives_at: str = "expires_in"
    lives_s: Annotated[float, Meta(gt=0)] = 3600.0


class Errors(_Table, frozen=True, kw_only=True):
    """Answers that mean something else than their status says; ``code`` is where a reason is."""

    away: list[Rule] = []
    refused: list[Rule] = []
    code: str = ""


class Limits(_Table, frozen=True, kw_only=True):
    """How hard it may be asked, from the vendor's pages; ``per_day`` may be a setting's name.

    ``late_s``: how long its server works on a request at most, when we have given it up.
    """

    per_second: Annotated[float, Meta(gt=0)] | None = None
    per_day: Annotated[int, Meta(ge=1)] | str | None = None
    search_lag_s: Annotated[float, Meta(ge=0)] = 0.0
    late_s: Annotated[float, Meta(ge=0)] = 60.0


class Mapping(_Table, frozen=True, kw_only=True, rename={"listing": "list"}):
    """A whole file. ``tested`` says against what it was run, ``source`` where its facts are from.

    ``url`` is what paths are added to.
    """

    name: str
    tested: Literal["for real", "shapes only", "no"]
    url: str = "{url}"
    source: str = ""
    note: str = ""
    settings: list[Setting]
    auth: Auth
    headers: dict[str, str] = {}
    limits: Limits = Limits()
    errors: Errors = Errors()
    customer: CustomerPlaces
    lookup: Lookup
    refresh: Ask
    listing: Listing | None = None
    describe: Describe
    visits: Visits
    create: Creation | None = None
    health: Ask
