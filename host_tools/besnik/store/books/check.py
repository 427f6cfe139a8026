"""Whether the ledger adds up: entries, accounts, lots and moves, each against the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from django.db import connection, transaction

# Of each kind of fault, so many are named.
NAMED: Final = 20
_COUNTED: Final = ("entry", "posting", "account", "lot", "lotmove")

# Each returns rows of what is wrong, with the words that say so: {} are the row's columns.
_CHECKS: Final = (
    (
        "entry {}: its postings of {} come to {}, not to 0",
        """SELECT posting.entry_id, account.unit, sum(posting.amount)
           FROM store_posting posting JOIN store_account account ON account.id = posting.account_id
           GROUP BY posting.entry_id, account.unit HAVING sum(posting.amount) <> 0""",
    ),
    (
        "entry {} has no postings",
        """SELECT entry.id FROM store_entry entry
           WHERE NOT EXISTS (SELECT 1 FROM store_posting WHERE entry_id = entry.id)""",
    ),
    (
        "account {} ({} {}): its balance is {}, its postings come to {}",
        """SELECT account.id, account.unit, account.account, account.balance,
                  coalesce(posted.total, 0)
           FROM store_account account LEFT JOIN (
               SELECT account_id, sum(amount) AS total FROM store_posting GROUP BY account_id
           ) posted ON posted.account_id = account.id
           WHERE account.balance <> coalesce(posted.total, 0)""",
    ),
    (
        "member {}, {}: lots less accounts are main {}, held {}, spent {}, expired {}, not 0",
        """SELECT member_id, unit, sum(main), sum(held), sum(spent), sum(expired) FROM (
               SELECT member_id, unit, main, held, spent, expired FROM store_lot
               UNION ALL
               SELECT member_id, unit, CASE WHEN account = 'main' THEN -balance ELSE 0 END,
                      CASE WHEN account = 'held' THEN -balance ELSE 0 END, -spent, -expired
               FROM store_account WHERE member_id IS NOT NULL
           ) side GROUP BY member_id, unit
           HAVING sum(main) <> 0 OR sum(held) <> 0 OR sum(spent) <> 0 OR sum(expired) <> 0""",
    ),
    (
        "program {}, {}: its lots have expired by {} more than its account says",
        """SELECT program_id, unit, sum(amount) FROM (
               SELECT member.program_id, lot.unit, lot.expired AS amount
               FROM store_lot lot JOIN store_member member ON member.id = lot.member_id
               UNION ALL
               SELECT program_id, unit, -balance FROM store_account
               WHERE member_id IS NULL AND account = 'expired'
           ) side GROUP BY program_id, unit HAVING sum(amount) <> 0""",
    ),
    (
        "lot {}: less its moves it is main {}, held {}, spent {}, expired {}, not 0",
        """SELECT id, sum(main), sum(held), sum(spent), sum(expired) FROM (
               SELECT id, main - amount AS main, held, spent, expired FROM store_lot
               UNION ALL
               SELECT lot_id, CASE WHEN part = 'main' THEN -amount ELSE 0 END,
                      CASE WHEN part = 'held' THEN -amount ELSE 0 END,
                      CASE WHEN part = 'spent' THEN -amount ELSE 0 END,
                      CASE WHEN part = 'expired' THEN -amount ELSE 0 END
               FROM store_lotmove
           ) side GROUP BY id
           HAVING sum(main) <> 0 OR sum(held) <> 0 OR sum(spent) <> 0 OR sum(expired) <> 0""",
    ),
    (
        "member {} has {} {} reserved, and no hold that would give it back",
        """SELECT account.member_id, account.balance, account.unit FROM store_account account
           WHERE account.account = 'held' AND account.balance <> 0
           AND NOT EXISTS (SELECT 1 FROM store_hold WHERE member_id = account.member_id)""",
    ),
)


class Report(msgspec.Struct, frozen=True):
    """What was looked at (rows by table), and what is wrong in words; ``more`` were not named."""

    counted: dict[str, int]
    faults: tuple[str, ...]
    more: int = 0

    @property
    def is_clean(self) -> bool:
        """Tell whether everything adds up."""
        return not self.faults


def check() -> Report:
    """Return whether the ledger adds up, as it is at one moment; nobody has to wait meanwhile."""
    faults: list[str] = []
    more = 0
    with _one_moment(), connection.cursor() as cursor:
        counted = {}
        for table in _COUNTED:
            cursor.execute(f"SELECT count(*) FROM store_{table}")
            counted[table] = cursor.fetchone()[0]
        for words, query in _CHECKS:
            cursor.execute(query)
            for place, row in enumerate(iter(cursor.fetchone, None)):
                if place < NAMED:
                    faults.append(words.format(*row))
                else:
                    more += 1
    return Report(counted, tuple(faults), more)


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read all of it as it is now; on SQLite without the lock that a transaction of ours takes."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("COMMIT")


def said(report: Report) -> str:
    """Return a report in words."""
    looked = ", ".join(f"{number} {table}" for table, number in report.counted.items())
    if report.is_clean:
        return f"the ledger adds up: looked at {looked} rows"
    lines = [f"the ledger does NOT add up (looked at {looked} rows):"]
    lines += [f"  {fault}" for fault in report.faults]
    if report.more:
        lines.append(f"  and {report.more} more like these")
    lines.append("Keep a copy of the database as it is now, then restore the last good backup.")
    return "\n".join(lines)
