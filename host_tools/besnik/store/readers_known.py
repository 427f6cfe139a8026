"""What the records say of one reader, for whoever looks for a fault."""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from besnik.store.models import CrmSource, Reader

Breaker = Literal["closed", "half_open", "open"]


class Known(NamedTuple):
    """The shop a reader was entered in, None if it was not; its program's other CRM, if it is on.

    ``crm`` is the adapter's name, empty without one; ``breaker`` and ``why`` are its standing.
    """

    shop: str | None
    crm: str = ""
    breaker: Breaker = "closed"
    why: str = ""


def find(slug: str) -> Known:
    """Return what is known of a reader."""
    reader = Reader.objects.select_related("shop").filter(slug=slug).first()
    if reader is None:
        return Known(None)
    source = CrmSource.objects.filter(program_id=reader.shop.program_id, is_on=True).first()
    if source is None:
        return Known(reader.shop.slug)
    return Known(reader.shop.slug, source.adapter, cast("Breaker", source.breaker), source.why)
