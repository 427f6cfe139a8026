"""Rows of entries, lots and moves, many in a statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection

from besnik.loyalty.ledger import Entry, Move
from besnik.loyalty.lots import Lot
from besnik.store.models import Entry as EntryRow
from besnik.store.models import Lot as LotRow
from besnik.store.models import LotMove

_LOT: Final = "UPDATE store_lot SET main = %s, held = %s, spent = %s, expired = %s WHERE id = %s"


def insert_lots(entries: Sequence[tuple[EntryRow, Entry]]) -> list[list[Lot]]:
    """Write the lots that entries open; return them by entry, in the same order."""
    news = [(row, new) for row, entry in entries for new in entry.opens]
    rows = LotRow.objects.bulk_create(
        LotRow(
            member_id=new.member,
            unit=new.unit,
            entry=row,
            amount=new.amount,
            main=new.amount,
            opened_at=new.opened_at,
            available_at=new.available_at,
            expires_at=new.expires_at,
        )
        for row, new in news
    )
    made = (Lot(lot.pk, new, new.amount) for lot, (_, new) in zip(rows, news, strict=True))
    return [[next(made) for _ in entry.opens] for _, entry in entries]


def insert_moves(moves: Iterable[tuple[int, Move]]) -> None:
    """Write the moves of lots; each comes with the number of its entry."""
    LotMove.objects.bulk_create(
        LotMove(entry_id=entry, lot_id=move.lot, part=move.part, amount=move.amount)
        for entry, move in moves
    )


def update_lots(lots: Iterable[Lot]) -> None:
    """Write where the amounts of lots are now; whoever calls this has locked their members."""
    rows = [(lot.main, lot.held, lot.spent, lot.expired, lot.id) for lot in lots]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_LOT, rows)
