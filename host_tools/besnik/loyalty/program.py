"""What a program gives for what a member does."""

from __future__ import annotations

import msgspec

from besnik.loyalty.ledger import Entry, Posting


class Rules(msgspec.Struct, frozen=True):
    """The rules of program ``program``: how many stamps an accepted visit earns (0: none)."""

    program: int
    stamps_per_visit: int


def accrue_visit(rules: Rules, member: int) -> Entry | None:
    """Return the balanced entry that one visit of ``member`` earns, None if it earns nothing."""
    stamps = rules.stamps_per_visit
    if stamps == 0:
        return None
    return Entry(
        program=rules.program,
        kind="accrue",
        postings=(Posting(member, "stamp", stamps), Posting(None, "stamp", -stamps)),
    )
