"""What changed a member's balances, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.models import Sum

from besnik.loyalty.ledger import Unit
from besnik.store.models import Entry, Member, Posting
from besnik.store.own.shown import History, HistoryLine

HISTORY_PAGE: Final = 20
# What rules keep for themselves; it is shown to nobody.
_INNER: Final = "carry:"


def history(member: Member, before: int | None = None, most: int = HISTORY_PAGE) -> History:
    """Return what changed the balances of ``member``, the newest first, before entry ``before``.

    What was only kept aside for a sale and let go changed nothing and is not in it.
    """
    moved = Posting.objects.filter(account__member=member).exclude(account__unit__startswith=_INNER)
    if before is not None:
        moved = moved.filter(entry__lt=before)
    sums = (
        moved.values("entry_id", "account__unit")
        .annotate(total=Sum("amount"))
        .exclude(total=0)
        .order_by("-entry_id", "account__unit")
        .values_list("entry_id", "account__unit", "total")
    )
    by_entry: dict[int, list[tuple[Unit, int]]] = {}
    older = None
    for entry, unit, amount in sums.iterator(chunk_size=4 * most):
        if len(by_entry) == most and entry not in by_entry:
            older = min(by_entry)
            break
        by_entry.setdefault(entry, []).append((unit, amount))
    rows = Entry.objects.filter(pk__in=by_entry).select_related(
        "tap__reader__shop", "sale__shop", "redemption"
    )
    found = {row.pk: row for row in rows}
    lines = (_line(found[entry], amounts) for entry, amounts in by_entry.items())
    return History(tuple(lines), older)


def _line(row: Entry, amounts: Sequence[tuple[Unit, int]]) -> HistoryLine:
    sale, tap = row.sale, row.tap
    shop = sale.shop.name if sale else tap.reader.shop.name if tap else ""
    redemption = getattr(row, "redemption", None)
    return HistoryLine(
        entry=row.pk,
        at=row.occurred_at or (sale.at if sale else row.created_at),
        kind=row.kind,
        amounts=tuple(amounts),
        shop=shop,
        receipt=sale.receipt if sale else "",
        paid_minor=sale.amount_minor if sale and row.kind == "accrue" else None,
        title=redemption.title if redemption else "",
        visit=tap is not None,
    )
