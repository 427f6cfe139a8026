"""Balances and postings of a transaction, written together at its end.

So the accounts of members come before those of the program, which everybody moves, and each
kind in one order: two transactions never wait for each other in a circle, and the program's
accounts, which the bridge needs for each visit, are locked for as short as can be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import connection

from besnik.loyalty.ledger import MAIN, Entry
from besnik.loyalty.lots import Lot
from besnik.store.books.write import insert_postings

_Key = tuple[int, str, str]  # member (0: the program), unit, account
_ROWS: Final = 1000
_COLUMNS: Final = "program_id, member_id, unit, account, balance, spent, expired"
_UPSERT: Final = """
    INSERT INTO store_account ({columns}) VALUES {rows}
    ON CONFLICT {conflict} DO UPDATE SET balance = store_account.balance + excluded.balance,
        spent = store_account.spent + excluded.spent,
        expired = store_account.expired + excluded.expired
    RETURNING coalesce(member_id, 0), unit, account, id"""
# The conditions repeat those of the two partial unique indexes on the model.
_OF_MEMBER: Final = "(member_id, unit, account) WHERE member_id IS NOT NULL"
_OF_PROGRAM: Final = "(program_id, unit, account) WHERE member_id IS NULL"


class Changes:
    """What a transaction's entries do to accounts, until ``write``."""

    def __init__(self, program: int) -> None:
        self._program = program
        self._forget()

    def _forget(self) -> None:
        self._postings: list[tuple[int, _Key, int]] = []
        self._balance: Counter[_Key] = Counter()
        self._spent: Counter[_Key] = Counter()
        self._expired: Counter[_Key] = Counter()

    def add(self, row: int, entry: Entry, lots: Mapping[int, Lot]) -> None:
        """Remember the entry with the number ``row``; ``lots`` has those that it moves."""
        for posting in entry.postings:
            key = (posting.member or 0, posting.unit, posting.account)
            self._postings.append((row, key, posting.amount))
            self._balance[key] += posting.amount
        for move in entry.moves:
            if move.part in ("spent", "expired"):
                opened = lots[move.lot].opened
                gone = self._spent if move.part == "spent" else self._expired
                gone[opened.member, opened.unit, MAIN] += move.amount

    def write(self) -> None:
        """Write what was remembered, and forget it."""
        if not self._postings:
            return
        # An account that only counts what is spent is there: its lots were filled by postings.
        keys = sorted({*self._balance, *self._spent, *self._expired})
        numbers = self._upsert([key for key in keys if key[0]], _OF_MEMBER)
        numbers |= self._upsert([key for key in keys if not key[0]], _OF_PROGRAM)
        insert_postings((row, numbers[key], amount) for row, key, amount in self._postings)
        self._forget()

    def _upsert(self, keys: Sequence[_Key], conflict: str) -> dict[_Key, int]:
        numbers: dict[_Key, int] = {}
        with connection.cursor() as cursor:
            for start in range(0, len(keys), _ROWS):
                part = keys[start : start + _ROWS]
                rows = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(part))
                text = _UPSERT.format(columns=_COLUMNS, rows=rows, conflict=conflict)
                cursor.execute(text, [value for key in part for value in self._row(key)])
                numbers |= {row[:3]: row[3] for row in cursor.fetchall()}
        return numbers

    def _row(self, key: _Key) -> tuple[int | str | None, ...]:
        member, unit, account = key
        gone = (self._spent[key], self._expired[key])
        return (self._program, member or None, unit, account, self._balance[key], *gone)
