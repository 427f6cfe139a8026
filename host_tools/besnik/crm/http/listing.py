"""All customers page by page, and the fields that they have."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from typing import Any, Final

from besnik.crm.foreign import CrmAnswerError, Field, Page
from besnik.crm.http import paths, reading
from besnik.crm.http.calls import Calls, Reply
from besnik.crm.http.mapping import CustomerPlaces, Describe, Listing

# No page is larger, whatever a mapping says: a page is held in memory.
PAGE_MAX: int = 1000
_KEY: Final = "@key"


async def page(
    calls: Calls, how: Listing, places: CustomerPlaces, after: str | None, fields: Sequence[str]
) -> Page:
    """Return the page after ``after``, the first one for None."""
    limit = min(how.page_size, PAGE_MAX)
    if how.next == "path" and after is not None:
        reply = calls.understood(how, await calls.follow(how, after))
    else:
        start = how.start or {"offset": "0", "page": "1"}.get(how.next)
        columns = reading.columns(places, fields)
        values = {"after": after or start, "columns": columns, "limit": limit}
        reply = await calls.get(how, values)
    if reply is None:
        return Page((), None)
    rows = reply.rows(how.rows)
    customers = tuple(reading.customer(row, places, fields) for row in rows)
    return Page(customers, _next(how, reply, after, [each.id for each in customers], limit))


def _next(
    how: Listing, reply: Reply, after: str | None, ids: Sequence[str], limit: int
) -> str | None:
    if how.next in ("at", "path"):
        found = paths.text(paths.get(reply.body, how.next_at))
        if found and found == after:
            raise CrmAnswerError("its pages go round in a circle: does the mapping fit?")
        return found or None
    is_last = not ids
    if how.next_at:
        is_last = is_last or paths.text(paths.get(reply.body, how.next_at)) in ("", "false")
    else:
        is_last = len(ids) < limit
    if is_last:
        return None
    if how.next == "last_id":
        return ids[-1]
    return str(int(after or 1) + 1) if how.next == "page" else str(int(after or 0) + len(ids))


async def fields(calls: Calls, how: Describe, columns: Sequence[str]) -> list[Field]:
    """Return the fields of customers, those that the mapping adds first."""
    reply = await calls.get(how, {"columns": columns})
    if reply is None:
        return [*how.always]
    found = {field.name: field for field in how.always}
    for row in _described(how, reply):
        name = paths.text(paths.get(row, how.name))
        if name:
            label = paths.text(paths.get(row, how.label)) or name
            kind = how.kinds.get(paths.text(paths.get(row, how.kind)), "text")
            found.setdefault(how.prefix + name, Field(how.prefix + name, label, kind))
    return [*found.values()]


def _described(how: Describe, reply: Reply) -> list[Any]:
    at = paths.get(reply.body, how.rows)
    if how.name == _KEY and isinstance(at, Table):
        return [{**row, _KEY: key} for key, row in at.items() if isinstance(row, Table)]
    return reply.rows(how.rows)
