"""From the rows of an answer to customers, and to what each card found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from besnik.crm.foreign import (
    Ambiguous,
    CrmAnswerError,
    CrmSettingsError,
    Customer,
    Found,
    Value,
)
from besnik.crm.http import paths
from besnik.crm.http.mapping import CustomerPlaces

# A field's name goes into query languages as it is, so it must be a name in all of them.
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_SEPARATORS: Final = re.compile(r"[\s:.\-]")


def checked(fields: Sequence[str]) -> Sequence[str]:
    """Return the names of fields; CrmSettingsError for what can be none."""
    for field in fields:
        if not _FIELD.fullmatch(field):
            raise CrmSettingsError(f"field: {field!r} cannot be the name of a field")
    return fields


def columns(places: CustomerPlaces, fields: Sequence[str]) -> list[str]:
    """Return what a customer's row must have: the mapping's own columns and the fields, once."""
    return list(dict.fromkeys([*places.columns, *checked(fields)]))


def customer(row: Any, places: CustomerPlaces, fields: Sequence[str]) -> Customer:
    """Return the customer in a row; CrmAnswerError if there is none in it."""
    own_id = paths.text(paths.get(row, places.id))
    if not own_id:
        raise CrmAnswerError(
            f"a customer in its answer has no id at {places.id!r}: does the mapping fit?"
        )
    parts = [paths.text(_clean(paths.get(row, place), places)) for place in places.name]
    prefix = f"{places.fields}." if places.fields else ""
    return Customer(
        id=own_id,
        name=" ".join(part for part in parts if part),
        cards=tuple(canonical(text) for text in cards(row, places)),
        points=paths.whole(paths.get(row, places.points)) if places.points else None,
        fields={field: _field(row, prefix + field, places) for field in fields},
    )


def cards(row: Any, places: CustomerPlaces) -> list[str]:
    """Return the texts of the cards in a row, as they are there."""
    return paths.texts(_clean(paths.get(row, places.cards), places))


def canonical(card: str) -> str:
    """Return a card's text as Besnik writes it, however somebody typed it there."""
    return _SEPARATORS.sub("", card).upper()


def by_card(
    asked: Sequence[str], rows: Iterable[Any], places: CustomerPlaces, fields: Sequence[str]
) -> tuple[dict[str, Found], bool]:
    """Return what each card found, and whether any row had one of the cards at all."""
    wanted = {canonical(card): card for card in asked}
    hits: dict[str, dict[str, Customer]] = {}
    for row in rows:
        found = customer(row, places, fields)
        for card in found.cards:
            if card in wanted:
                hits.setdefault(wanted[card], {})[found.id] = found
    result: dict[str, Found] = {
        card: next(iter(of.values())) if len(of) == 1 else Ambiguous(tuple(sorted(of)))
        for card, of in hits.items()
    }
    return result, bool(hits)


def _clean(value: Any, places: CustomerPlaces) -> Any:
    return None if value is False and places.false_is_empty else value


def _field(row: Any, path: str, places: CustomerPlaces) -> Value:
    value = paths.get(row, path)
    return None if value is paths.ABSENT else paths.shown(_clean(value, places))
