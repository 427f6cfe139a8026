"""A small mapping of a test's own, and the adapter on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from besnik.crm.foreign import Visit
from besnik.crm.http.adapter import HttpCrm, OwnMapping
from support.json_server import Asked, JsonServer, Said

MAPPING = """
name = "Ours"
tested = "no"
[[settings]]
name = "url"
label = "Address"
[[settings]]
name = "key"
label = "Key"
is_secret = true
[[settings]]
name = "card_field"
label = "Field of the card"
default = "card"
[auth]
kind = "header"
header = "X-Key"
value = "{key}"
[errors]
code = "error.code"
away = [{ status = 403, at = "error.code", is = "LIMIT" }]
[customer]
id = "id"
name = ["first", "last"]
cards = "{card_field}"
points = "points"
columns = ["id", "{card_field}"]
[lookup]
path = "/find"
method = "POST"
at_once = 3
limit = 4
rows = "rows"
body = { cards = "{cards}", columns = "{columns}" }
none = [{ status = 404 }]
[refresh]
path = "/people/{id}"
none = [{ status = 404 }]
[list]
path = "/all"
rows = "rows"
next = "at"
next_at = "next"
query = { after = "{after}", fields = "{columns:csv}" }
[describe]
path = "/fields"
name = "@key"
label = "label"
[visits.find]
path = "/visits"
at_once = 10
rows = "rows"
event = "event"
query = { event = "{events}" }
[visits.write]
path = "/visits"
method = "POST"
at_once = 10
body = { rows = { for_each = "visits", make = { event = "{event_id}", who = "{customer}" } } }
[visits.balance]
path = "/people/{customer}"
method = "PATCH"
body = { points = "{balance}" }
[create.write]
path = "/people"
method = "POST"
id = "id"
body = { first = "{first_name}", last = "{last_name}", card = "{card}", phone = "{phone}" }
[health]
path = "/all"
rows = "rows"
"""
ANNA = {"id": 1, "first": "Anna", "last": "Arben", "card": "04AA", "points": "12"}


def written(folder: Path) -> Path:
    """Write the mapping into a folder; return the file."""
    file = folder / "ours.toml"
    file.write_text(MAPPING)
    return file


def rewrite(file: Path, before: str, after: str) -> None:
    """Change the mapping in one place."""
    assert before in MAPPING
    file.write_text(MAPPING.replace(before, after, 1))


def rewrite_auth(file: Path, auth: str) -> None:
    """Put another table [auth] into the mapping."""
    head, _, rest = MAPPING.partition("[auth]")
    file.write_text(f"{head}[auth]\n{auth}\n[errors]{rest.partition('[errors]')[2]}")


def opened(mapping: Path, server: JsonServer) -> HttpCrm:
    """Return the adapter with the mapping in a file, on a server."""
    return OwnMapping.open_crm(
        {"mapping": str(mapping), "url": f"{server.url}/"}, {"key": "s3cret"}
    )


async def ask(mapping: Path, answer: Callable[[Asked], Said], call: Any) -> tuple[Any, list[Asked]]:
    """Return what a call on the adapter returned, and what the server was asked for."""
    with JsonServer(answer) as server:
        crm = opened(mapping, server)
        try:
            return await call(crm), server.asked
        finally:
            await crm.aclose()


def visit(event_id: str, customer: str = "1", balance: int | None = None) -> Visit:
    """Return a visit."""
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    return Visit(event_id, customer, "visit", "Café", now, 3, balance)
