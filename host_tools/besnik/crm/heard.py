"""What a CRM says by itself, through its webhook: whose record changed there.

Every CRM has its own form for it. All that is needed of it is ids of customers, and a card's number
where there is one; a false one costs no more than that a customer is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from besnik.crm.matching import card_from
from besnik.store.models import CrmAnswer, CrmRecord, CrmSource

MOST: Final = 500
_VALUE_MAX: Final = 100
_DEPTH_MAX: Final = 8


def changed(source: CrmSource, said: Any) -> int:
    """Mark what was read of the customers named in ``said`` (JSON) as old; return how many."""
    values = list(dict.fromkeys(_values(said)))[:MOST]
    program = source.program_id
    # A card that nobody had may have been given to somebody now.
    cards = [card.data for value in values if (card := card_from(value)) is not None]
    # Whose a card of several is stays in dispute until the CRM has one customer for it.
    CrmAnswer.objects.filter(program=program, card__in=cards, state="none").delete()
    records = CrmRecord.objects.filter(program=program, external_id__in=values)
    return records.update(is_stale=True)


def _values(said: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(said, dict):
        parts: Any = said.values()
    elif isinstance(said, list):
        parts = said
    else:
        # bool is an int: True is the id of nobody.
        if isinstance(said, str | int) and not isinstance(said, bool):
            text = str(said).strip()
            if 0 < len(text) <= _VALUE_MAX and text.isprintable():
                yield text
        return
    if depth < _DEPTH_MAX:
        for part in parts:
            yield from _values(part, depth + 1)
