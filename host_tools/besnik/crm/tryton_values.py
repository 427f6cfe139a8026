"""Tryton's records as values: parties, their cards and fields, and notes about visits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from besnik.crm.foreign import (
    Ambiguous,
    CrmAnswerError,
    Customer,
    Field,
    Found,
    Value,
    Visit,
    VisitKind,
)
from besnik.crm.spelling import canonical
from besnik.crm.web import Json

Row = Mapping[str, Json]

PARTY: Final = "party.party"
# Of every party, whatever else is shown. A name may be empty in Tryton, a code never is.
ALWAYS: Final = ("name", "code", "identifiers.code", "identifiers.type")

_MARK: Final = "Besnik "
_WORDS: Final[Mapping[VisitKind, str]] = {
    "visit": "Visit",
    "purchase": "Purchase",
    "redeem": "Reward",
    "reverse": "Correction",
    "other": "Change",
}
_KINDS: Final[Mapping[str, Literal["text", "number", "date", "yes_no", "list"]]] = {
    **dict.fromkeys(("char", "text", "selection"), "text"),
    **dict.fromkeys(("integer", "float", "numeric"), "number"),
    **dict.fromkeys(("date", "datetime", "timestamp"), "date"),
    "boolean": "yes_no",
    **dict.fromkeys(("many2many", "one2many"), "list"),
    "many2one": "text",
}
_RELATIONS: Final = ("many2one", "many2many", "one2many")
# Tryton's own book-keeping, and what is the same for every party.
_NOT_SHOWN: Final = frozenset(
    (
        *("active", "code_alnum", "code_digit", "code_readonly", "distance", "id", "identifiers"),
        *("create_uid", "rec_name", "replaced_by", "write_uid", "xml_id"),
    )
)


def rows(result: Json) -> list[Row]:
    """Return the records of an answer; CrmAnswerError if they are none."""
    if isinstance(result, list) and all(
        isinstance(row, dict) and isinstance(row.get("id"), int) for row in result
    ):
        return result
    raise CrmAnswerError("Tryton answered with something else than records: which version is it?")


def customer(row: Row, fields: Iterable[str]) -> Customer:
    """Return a party."""
    return Customer(
        id=str(row["id"]),
        name=row.get("name") or f"[{row.get('code')}]",
        cards=tuple(canonical(code) for code in _codes(row)),
        fields={field: shown(row, field) for field in fields},
    )


def by_card(
    asked: Sequence[str], parties: Iterable[Row], fields: Sequence[str]
) -> Mapping[str, Found]:
    """Return whose each card is; a party's inactive cards are not among its own."""
    hits: dict[str, list[Customer]] = {}
    for party in parties:
        found = customer(party, fields)
        for card in set(found.cards):
            hits.setdefault(card, []).append(found)
    return {
        card: hits[card][0]
        if len(hits[card]) == 1
        else Ambiguous(tuple(each.id for each in hits[card]))
        for card in asked
        if card in hits
    }


def shown(row: Row, field: str) -> Value:
    """Return a field of a record; ``categories.rec_name`` is that of the records it points to."""
    head, dot, tail = field.partition(".")
    value = row.get(head + dot)
    if dot and isinstance(value, list):
        return ", ".join(str(_scalar(each.get(tail))) for each in value) or None
    return _scalar(value.get(tail) if dot and value else value)


def described(fields: Json) -> list[Field]:
    """Return the fields that can be shown, out of Tryton's description of its fields."""
    if not isinstance(fields, dict) or "name" not in fields:
        raise CrmAnswerError("Tryton did not say which fields a party has: which version is it?")
    known = [
        Field(
            name + (".rec_name" if each["type"] in _RELATIONS else ""),
            each["string"],
            _KINDS[each["type"]],
        )
        for name, each in fields.items()
        if name not in _NOT_SHOWN and each["type"] in _KINDS
    ]
    return sorted(known, key=lambda field: field.label)


def resource(party: str) -> str:
    """Return how Tryton writes a reference to a party."""
    return f"{PARTY},{party}"


def note(visit: Visit) -> dict[str, str]:
    """Return the note that tells of a visit; its last line is what it is found by."""
    points = f": {visit.points:+d} points" if visit.points else ""
    balance = f", {visit.balance} in all" if visit.balance is not None else ""
    first = f"{_WORDS[visit.kind]} at {visit.shop}, {visit.at:%Y-%m-%d %H:%M} UTC{points}{balance}"
    return {
        "resource": resource(visit.customer),
        "message": f"{first}\n{_MARK}{visit.event_id}",
    }


def event_of(message: str) -> str:
    """Return the event that a note tells of, empty if it is none of ours."""
    last = message.rpartition("\n")[2]
    return last.removeprefix(_MARK) if last.startswith(_MARK) else ""


def events_domain(visits: Sequence[Visit]) -> list[Json]:
    """Return the condition that notes about these visits meet."""
    resources = sorted({resource(visit.customer) for visit in visits})
    marks = [f"%{_MARK}{_literal(visit.event_id)}" for visit in visits]
    return [
        ["resource", "in", resources],
        ["OR", *(["message", "like", mark] for mark in marks)],
    ]


def _codes(row: Row) -> list[str]:
    identifiers = row.get("identifiers.") or []
    # A VAT number has a type; a card's number has none.
    return [each["code"] for each in identifiers if not each.get("type")]


def _literal(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _scalar(value: Json) -> Value:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case {"__class__": "Decimal", "decimal": str(digits)}:
            return float(digits) if "." in digits else int(digits)
        case {"__class__": "date" | "datetime" as kind, "year": y, "month": m, "day": d, **rest}:
            clock = f" {rest.get('hour', 0):02d}:{rest.get('minute', 0):02d}"
            return f"{y:04d}-{m:02d}-{d:02d}" + (clock if kind == "datetime" else "")
    return None
