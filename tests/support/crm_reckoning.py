"""What a CRM was told, held against the ledger: nothing lost, nothing twice."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from support.paper_crm import PaperServer
from support.store import rows

_WAITING = """
    SELECT (SELECT count(*) FROM store_crmpending WHERE state = 'waiting')
         + (SELECT count(*) FROM store_crmdelivery WHERE state = 'waiting')"""
# What members who are customers there earned or lost, by the CRM's number of them.
_EARNED = """
    SELECT link.external_id, entry.program_id, entry.id, entry.created_at, sum(posting.amount)
    FROM store_posting posting JOIN store_entry entry ON entry.id = posting.entry_id
    JOIN store_account account ON account.id = posting.account_id
    JOIN store_crmlink link ON link.member_id = account.member_id
    GROUP BY link.external_id, entry.program_id, entry.id, entry.created_at"""
# Visits of theirs that earned nothing.
_UNEARNED = """
    SELECT link.external_id, shop.program_id, tap.id, tap.received_at, 0
    FROM store_tap tap JOIN store_crmlink link ON link.member_id = tap.member_id
    JOIN store_reader reader ON reader.id = tap.reader_id
    JOIN store_shop shop ON shop.id = reader.shop_id
    LEFT JOIN store_entry entry ON entry.tap_id = tap.id
    WHERE entry.id IS NULL AND tap.outcome = 'accepted' AND tap.reason = 'ok'"""
_TAPS = "SELECT count(*) FROM store_tap"
_UNCOUNTED = "SELECT tap_id FROM store_tap WHERE member_id IS NULL"


@dataclass
class Told:
    """How many taps and events there were, and how many went wrong in each way."""

    taps: int = 0
    events: int = 0
    uncounted: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.uncounted or self.lost or self.doubled or self.wrong)


def waiting(url: str) -> int:
    """Return how many taps and events still wait."""
    return int(rows(url, _WAITING)[0][0])


def visits(paper: PaperServer) -> list[tuple[str, str, int]]:
    """Return the events that the CRM has written down: id, customer, points."""
    with closing(sqlite3.connect(paper.file)) as connection:
        found = connection.execute("SELECT event, customer, points FROM visit ORDER BY rowid")
        return [(event, str(customer), points) for event, customer, points in found]


def balances(paper: PaperServer) -> dict[str, int]:
    """Return the last balance that each customer's events said."""
    with closing(sqlite3.connect(paper.file)) as connection:
        said = [json.loads(row[0]) for row in connection.execute("SELECT said FROM visit")]
    return {each["customer"]: each["balance"] for each in said if each["balance"] is not None}


def event_of(program: int, row: int, at: dt.datetime | str, kind: str = "e") -> str:
    """Return what a CRM knows an entry by, or a tap (``kind`` t) that has none.

    ``at`` is when it was written, as the driver says it.
    """
    moment = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC) if isinstance(at, str) else at
    return f"{kind}{program}-{row}-{int(moment.timestamp()):x}"


def reckon(url: str, paper: PaperServer) -> Told:
    """Hold the CRM against the ledger, when nothing waits any more."""
    held = visits(paper)
    count = Told(
        taps=int(rows(url, _TAPS)[0][0]), events=len(held), uncounted=len(rows(url, _UNCOUNTED))
    )
    times = Counter(event for event, _, _ in held)
    said = {event: (customer, points) for event, customer, points in held}
    count.doubled = sum(number - 1 for number in times.values())
    owed = [("e", row) for row in rows(url, _EARNED)] + [("t", row) for row in rows(url, _UNEARNED)]
    for kind, (customer, program, row, at, points) in owed:
        event = event_of(program, row, at, kind)
        if event not in said:
            count.lost += 1
        elif said[event] != (customer, int(points)):
            count.wrong.append(f"{event}: {said[event]} is not {(customer, int(points))}")
    return count
