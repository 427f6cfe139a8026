"""What a sale was counted by, and what of it still counts."""

from __future__ import annotations

from collections import Counter

import msgspec

from besnik.loyalty.engine import Standing, compute
from besnik.loyalty.ledger import MAIN, Unit, Written
from besnik.loyalty.program import Program, decode
from besnik.loyalty.rules import RuleSet
from besnik.store.models import Entry, ProgramVersion
from besnik.store.models import Sale as SaleRow
from besnik.store.till import earning
from besnik.store.till.basket import counting_of, returned_of, stored_sale, without_visits


def rules_of(program: Program, row: SaleRow) -> RuleSet | None:
    """Return the rules a sale was counted by, also if the program no longer has them."""
    if row.version is None:
        return None
    found = _with_version(program, row.version) or _published(program, row.version)
    if found is None:
        return None
    if _visit_counted(row):
        whole = msgspec.structs.replace(program, rule_sets=(found,))
        return without_visits(whole, found).rule_sets[0]
    return found


def standing_of(row: SaleRow) -> Standing:
    """Return the standing a sale was counted with."""
    return msgspec.convert(row.standing or {}, Standing)


def accrual_of(row: SaleRow) -> int | None:
    """Return the entry of what a sale earned its member, the newest if it was moved."""
    entries = Entry.objects.filter(sale=row, kind="accrue").order_by("-pk")
    return entries.values_list("pk", flat=True).first()


def changes(written: Written, member: int) -> dict[Unit, int]:
    """Return what an entry did to a member's balances."""
    sums: Counter[Unit] = Counter()
    for posting in written.entry.postings:
        if posting.member == member and posting.account == MAIN:
            sums[posting.unit] += posting.amount
    return {unit: amount for unit, amount in sums.items() if amount}


def count_again(program: Program, row: SaleRow) -> None:
    """Write what a sale counts for and gave, without what came back."""
    left = stored_sale(row).without(returned_of(row))
    row.counting_minor = counting_of(left, ())
    rules = rules_of(program, row)
    row.earned = {}
    if rules is not None and left.lines:
        row.earned = compute(rules, left, standing_of(row), program.tz).totals
    row.save(update_fields=["counting_minor", "earned"])


def count_for_nothing(row: SaleRow) -> None:
    """Write that a sale was taken back as a whole."""
    row.counting_minor, row.earned = 0, {}
    row.save(update_fields=["counting_minor", "earned"])


def _with_version(program: Program, version: int) -> RuleSet | None:
    return next((rules for rules in program.rule_sets if rules.version == version), None)


def _published(program: Program, version: int) -> RuleSet | None:
    documents = ProgramVersion.objects.filter(program=program.id).order_by("-version")
    for document in documents.values_list("document", flat=True):
        if (found := _with_version(decode(document), version)) is not None:
            return found
    return None


def _visit_counted(row: SaleRow) -> bool:
    return bool((row.standing or {}).get(earning.VISIT_COUNTED))
