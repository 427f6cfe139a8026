"""Spend that is counted towards the next thing given: what is carried, what is taken back."""

from __future__ import annotations

import msgspec

from besnik.loyalty.rules import SpendThreshold


class Counted(msgspec.Struct, frozen=True):
    """What a member gets (below zero: loses) and what is carried to the next sale afterwards.

    ``carried_minor`` is below zero when something was used that refunds no longer pay for: the
    next sales make that up first.
    """

    given: int
    carried_minor: int


def spend(rule: SpendThreshold, carried_minor: int, amount_minor: int) -> Counted:
    """Return what spending ``amount_minor`` gives a member who carries ``carried_minor``."""
    if not rule.carry_over:
        return Counted(rule.give * (amount_minor // rule.each_minor), 0)
    return settle(rule, carried_minor + amount_minor, unused=0)


def settle(rule: SpendThreshold, carried_minor: int, unused: int) -> Counted:
    """Return what a member who carries ``carried_minor`` and has ``unused`` things is due.

    Of a rule that carries over. What is unused is taken back while the spend does not pay for
    it; what was used stays, and is carried as a debt.
    """
    times = carried_minor // rule.each_minor
    if times < 0:
        times = -min(-times, max(0, unused) // rule.give)
    return Counted(rule.give * times, carried_minor - times * rule.each_minor)
