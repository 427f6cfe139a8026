"""What came of the taps of a shop under fire: the database against what was seen from outside."""

from __future__ import annotations

from collections import Counter as Tallied
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from support.outbox_reader import OutboxReader
from support.presenter import Presentation
from support.store import rows

_TAPS: Final = """SELECT tap.data, tap.tap_id FROM store_tap tap
    JOIN store_reader reader ON reader.id = tap.reader_id WHERE reader.slug = '{}'"""
_ENTRIES: Final = "SELECT tap_id FROM store_entry GROUP BY tap_id HAVING count(*) > 1"
_DRIFT: Final = """SELECT coalesce(sum(abs(gap)), 0) FROM (
    SELECT balance - coalesce(sum(posting.amount), 0) AS gap FROM store_account account
    LEFT JOIN store_posting posting ON posting.account_id = account.id
    GROUP BY account.id, balance) gaps"""


@dataclass
class Count:
    """How many taps were made and how many went wrong in each way; ``faults`` says which."""

    taps: int = 0
    lost: int = 0
    doubled: int = 0
    drift: int = 0
    unanswered: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.doubled or self.drift or self.unanswered)


def reckon(url: str, shown: Iterable[Presentation], loads: Iterable[OutboxReader]) -> Count:
    """Count the presentations at reader counter-1 and the taps of the load readers."""
    count = Count(drift=int(rows(url, _DRIFT)[0][0]), doubled=len(rows(url, _ENTRIES)))
    held = Tallied(uid for uid, _ in rows(url, _TAPS.format("counter-1")))
    for each in shown:
        count.taps += 1
        name = f"{each.uid} ({each.outcome})"
        _note(count, name, held[each.uid], is_sure=each.is_answered)
        if each.fault:
            count.unanswered += 1
            count.faults.append(f"{each.uid}: {each.fault}")
    for reader in loads:
        stored = Tallied(tap for _, tap in rows(url, _TAPS.format(reader.slug)))
        for tap in reader.taps:
            count.taps += 1
            _note(count, f"{reader.slug} {tap}", stored[tap], is_sure=True)
            if tap not in reader.answers:
                count.unanswered += 1
                count.faults.append(f"{reader.slug} {tap}: no verdict")
    return count


def _note(count: Count, name: str, held: int, *, is_sure: bool) -> None:
    if is_sure and not held:
        count.lost += 1
        count.faults.append(f"{name}: not in the database")
    if held > 1:
        count.doubled += 1
        count.faults.append(f"{name}: {held} times in the database")
