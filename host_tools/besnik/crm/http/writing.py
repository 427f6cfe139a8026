"""Writes events to the CRM: each once, and one that is refused never stops the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec

from besnik.crm.foreign import (
    Ambiguous,
    CrmAnswerError,
    CrmRefusedError,
    Delivered,
    Found,
    NewCustomer,
    Visit,
)
from besnik.crm.http import paths
from besnik.crm.http.calls import Calls, Reply, holds
from besnik.crm.http.mapping import Creation, Find, Visits, Write
from besnik.crm.http.template import Values

T = TypeVar("T")

NO_WHY: Final = "it did not take it"
NO_CARD_WHY: Final = "it has no card, by which it could be found there again"
PARTLY_WHY: Final = "it took some of these and not others: they are looked for in a while"
TWICE_WHY: Final = "more than one customer has that card there: merge them, or take the card away"


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items, so many at once."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def write_visits(
    calls: Calls, how: Visits, visits: Sequence[Visit], *, again: bool
) -> list[Delivered]:
    """Write visits and the balances after them; ``again``: look first which are there."""
    values = {visit.event_id: _visit_values(visit) for visit in visits}
    done = await _write_all(calls, how.write, how.find, "visits", values, again=again)
    if how.balance is not None:
        written = [visit for visit in visits if done[visit.event_id].outcome != "refused"]
        done |= await _set_balances(calls, how.balance, written)
    return [done[visit.event_id] for visit in visits]


async def make_customers(
    calls: Calls,
    how: Creation,
    new: Sequence[NewCustomer],
    holders: dict[str, Found],
    *,
    again: bool,
) -> list[Delivered]:
    """Make customers, but for those whose card has a holder there already."""
    done: dict[str, Delivered] = {}
    values: dict[str, Values] = {}
    for customer in new:
        found = [holders[card] for card in customer.cards if card in holders]
        ids = {each.id for each in found if not isinstance(each, Ambiguous)}
        if len(ids) > 1 or any(isinstance(each, Ambiguous) for each in found):
            done[customer.event_id] = Delivered(customer.event_id, "refused", TWICE_WHY)
        elif ids:
            done[customer.event_id] = Delivered(customer.event_id, "already", "", ids.pop())
        elif not customer.cards and how.find is None:
            done[customer.event_id] = Delivered(customer.event_id, "refused", NO_CARD_WHY)
        else:
            values[customer.event_id] = _customer_values(customer)
    done |= await _write_all(calls, how.write, how.find, "customers", values, again=again)
    return [done[customer.event_id] for customer in new]


async def _write_all(
    calls: Calls,
    write: Write,
    find: Find | None,
    name: str,
    values: dict[str, Values],
    *,
    again: bool,
) -> dict[str, Delivered]:
    done: dict[str, Delivered] = {}
    if again and find is not None:
        done |= await _there(calls, find, write, name, list(values.values()))
    missing = [value for event_id, value in values.items() if event_id not in done]
    for chunk in chunks(missing, write.at_once):
        outcomes = await _write(calls, write, name, chunk)
        if outcomes is None:
            # One of them is refused, and perhaps those before it are written.
            if find is not None and calls.search_lag_s:
                # They may not be found yet: who looked now would write them again.
                raise CrmAnswerError(PARTLY_WHY)
            singly = msgspec.structs.replace(write, at_once=1)
            alone = {value["event_id"]: value for value in chunk}
            outcomes = await _write_all(calls, singly, find, name, alone, again=True)
        done |= outcomes
    return done


async def _there(
    calls: Calls, find: Find, write: Write, name: str, values: Sequence[Values]
) -> dict[str, Delivered]:
    """Return the events of ``values`` that the CRM has."""
    found: dict[str, Delivered] = {}
    for chunk in chunks(values, find.at_once):
        asked = {value["event_id"] for value in chunk}
        reply = await calls.get(find, _batch(name, chunk))
        for row in reply.rows(find.rows) if reply else []:
            text = paths.text(paths.get(row, find.event))
            event_ids = (
                {event_id for event_id in asked if f"[{event_id}]" in text}
                if find.is_within
                else asked & {text}
            )
            own_id = paths.text(paths.get(row, write.id)) if write.id else ""
            found |= {each: Delivered(each, "already", "", own_id) for each in event_ids}
    return found


async def _write(
    calls: Calls, write: Write, name: str, chunk: Sequence[Values]
) -> dict[str, Delivered] | None:
    """Send one request; None if it cannot be told which of several records were refused."""
    reply = await calls.ask(write, _batch(name, chunk))
    event_ids = [value["event_id"] for value in chunk]
    if not reply.is_fine:
        return (
            None if len(chunk) > 1 else {event_ids[0]: _refused(calls, write, event_ids[0], reply)}
        )
    if write.results is None and not write.id:
        return {event_id: Delivered(event_id, "done") for event_id in event_ids}
    rows = reply.rows(write.results.rows if write.results else write.rows)
    if len(rows) == len(chunk):
        pairs = zip(event_ids, rows, strict=True)
        return {event_id: _of_row(write, event_id, row) for event_id, row in pairs}
    return None if len(chunk) > 1 else {event_ids[0]: Delivered(event_ids[0], "refused", NO_WHY)}


def _refused(calls: Calls, write: Write, event_id: str, reply: Reply) -> Delivered:
    if reply.matches(write.already):
        return Delivered(event_id, "already")
    why = f"{NO_WHY} (status {reply.status}{calls.code(reply)})"
    return Delivered(event_id, "refused", why)


def _of_row(write: Write, event_id: str, row: Any) -> Delivered:
    own_id = paths.text(paths.get(row, write.id)) if write.id else ""
    results = write.results
    if results is None or holds(row, results.done):
        return Delivered(event_id, "done", "", own_id)
    if any(holds(row, rule) for rule in results.already):
        return Delivered(event_id, "already", "", own_id)
    code = paths.text(paths.get(row, results.why)) if results.why else ""
    return Delivered(event_id, "refused", NO_WHY + (f" ({code})" if code else ""))


async def _set_balances(
    calls: Calls, write: Write, visits: Sequence[Visit]
) -> dict[str, Delivered]:
    """Set each customer's balance once, to that after the last visit; return what was refused."""
    last = {visit.customer: visit for visit in visits if visit.balance is not None}
    refused: dict[str, Delivered] = {}
    for chunk in chunks(list(last.values()), write.at_once):
        values = [_visit_values(visit) for visit in chunk]
        outcomes = await _set(calls, write, values)
        for value in values if outcomes is None else ():
            outcomes = (outcomes or {}) | (await _set(calls, write, [value]) or {})
        for event_id, each in (outcomes or {}).items():
            if each.outcome == "refused":
                told = f"the visit is there, but the balance could not be set: {each.why}"
                refused[event_id] = Delivered(event_id, "refused", told)
    return refused


async def _set(calls: Calls, write: Write, values: Sequence[Values]) -> dict[str, Delivered] | None:
    """Set balances in one request, as ``_write``.

    403 is an answer about the customer here: whoever may write visits was let in.
    """
    try:
        return await _write(calls, write, "visits", values)
    except CrmRefusedError:
        if len(values) > 1:
            return None
        event_id = values[0]["event_id"]
        why = "it is not allowed, or the customer is gone"
        return {event_id: Delivered(event_id, "refused", why)}


def _batch(name: str, chunk: Sequence[Values]) -> Values:
    """Return what a template may use: the list, its events' ids, and the first one's values."""
    return {**chunk[0], name: chunk, "events": [value["event_id"] for value in chunk]}


def _visit_values(visit: Visit) -> Values:
    return {name: getattr(visit, name) for name in Visit.__struct_fields__}


def _customer_values(new: NewCustomer) -> Values:
    words = new.name.split()
    return {
        "event_id": new.event_id,
        "name": new.name,
        # Where a surname is a must: the only word of a name is taken for one.
        "first_name": " ".join(words[:-1]),
        "last_name": words[-1] if words else new.event_id,
        "card": new.cards[0] if new.cards else None,
        "cards": list(new.cards) or None,
        "phone": new.phone,
        "email": new.email,
    }
