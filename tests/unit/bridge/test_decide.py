"""The verdict on a tap."""

from __future__ import annotations

import pytest

from besnik.bridge.decide import decide
from besnik.credentials.assess import CardRef, Credential, Tier
from besnik.loyalty.ledger import Posting
from besnik.loyalty.program import Rules
from besnik.store.hot import KnownCard

RULES = Rules(program=3, stamps_per_visit=2)
ACTIVE = KnownCard(card=5, member=7, member_ref="ref", state="active")
BLOCKED = KnownCard(card=6, member=7, member_ref="ref", state="blocked")


def showing(tier: Tier, kind: str = "uid") -> Credential:
    return Credential(CardRef(kind, "5B3C2A19"), tier)


def test_an_active_card_is_accepted_and_earns_what_the_program_gives() -> None:
    decision = decide(showing("D"), ACTIVE, RULES)
    assert (decision.outcome, decision.reason) == ("accepted", "ok")
    assert decision.entry is not None
    assert decision.entry.postings == (Posting(7, "stamp", 2), Posting(None, "stamp", -2))


def test_a_program_that_gives_nothing_still_accepts() -> None:
    decision = decide(showing("D"), ACTIVE, Rules(program=3, stamps_per_visit=0))
    assert (decision.outcome, decision.entry) == ("accepted", None)


@pytest.mark.parametrize(
    ("credential", "card", "reason"),
    [(showing("D"), None, "unknown"), (showing("D"), BLOCKED, "blocked"),
     (showing("A", "ntag"), None, "unknown"), (showing("A", "ev2"), BLOCKED, "blocked"),
     (showing("X"), None, "random_id"), (showing("X"), ACTIVE, "random_id"),
     (showing("X", "sun"), None, "unknown"), (showing("X", "sun"), ACTIVE, "unknown")],
)  # fmt: skip
def test_a_refused_card_moves_nothing(
    credential: Credential, card: KnownCard | None, reason: str
) -> None:
    decision = decide(credential, card, RULES)
    assert (decision.outcome, decision.reason, decision.entry) == ("rejected", reason, None)
