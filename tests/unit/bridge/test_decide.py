"""The verdict on a tap."""

from __future__ import annotations

import pytest

from besnik.bridge.decide import decide
from besnik.credentials.assess import Tier
from besnik.loyalty.ledger import Posting
from besnik.loyalty.program import Rules
from besnik.store.hot import KnownCard

RULES = Rules(program=3, stamps_per_visit=2)
ACTIVE = KnownCard(card=5, member=7, member_ref="ref", state="active")
BLOCKED = KnownCard(card=6, member=7, member_ref="ref", state="blocked")


def test_an_active_card_is_accepted_and_earns_what_the_program_gives() -> None:
    decision = decide("D", ACTIVE, RULES)
    assert (decision.outcome, decision.reason) == ("accepted", "ok")
    assert decision.entry is not None
    assert decision.entry.postings == (Posting(7, "stamp", 2), Posting(None, "stamp", -2))


def test_a_program_that_gives_nothing_still_accepts() -> None:
    decision = decide("D", ACTIVE, Rules(program=3, stamps_per_visit=0))
    assert (decision.outcome, decision.entry) == ("accepted", None)


@pytest.mark.parametrize(
    ("tier", "card", "reason"),
    [("D", None, "unknown"), ("D", BLOCKED, "blocked"), ("X", None, "random_id"),
     ("X", ACTIVE, "random_id")],
)  # fmt: skip
def test_a_refused_card_moves_nothing(tier: Tier, card: KnownCard | None, reason: str) -> None:
    decision = decide(tier, card, RULES)
    assert (decision.outcome, decision.reason, decision.entry) == ("rejected", reason, None)
