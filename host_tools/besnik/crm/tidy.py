"""What an adapter brings of customers, made fit to be kept: whoever wrote the adapter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from besnik.crm.foreign import CrmAnswerError, Customer, Value

ID_MAX: Final = 100
_TEXT_MAX: Final = 1000
_POINTS_MAX: Final = 2**53


def tidied(customer: Customer) -> Customer:
    """Return a customer whose every part can be kept; CrmAnswerError for an id that cannot.

    No database takes a null character, and JSON no infinity. Texts end after 1,000 characters.
    """
    checked_id(customer.id)
    points = customer.points
    if points is not None and abs(points) > _POINTS_MAX:
        raise CrmAnswerError("the points of a customer there are beyond what can be counted")
    return replace(
        customer,
        name=_text(customer.name),
        cards=tuple(map(_text, customer.cards)),
        fields={name: _value(value) for name, value in customer.fields.items()},
    )


def checked_id(id: str) -> str:
    """Return the id of a customer there; CrmAnswerError if it is empty or cannot be kept."""
    if not 0 < len(id) <= ID_MAX or "\0" in id:
        raise CrmAnswerError(f"the id of a customer there is not 1 to {ID_MAX} characters long")
    return id


def tidied_all(found: Mapping[str, Customer]) -> dict[str, Customer]:
    """Return all of them tidied."""
    return {key: tidied(customer) for key, customer in found.items()}


def _value(value: object) -> Value:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _text(value if isinstance(value, str) else str(value))


def _text(text: str) -> str:
    # Half a surrogate pair has no UTF-8 form.
    return text.replace("\0", "").encode(errors="replace").decode()[:_TEXT_MAX]
