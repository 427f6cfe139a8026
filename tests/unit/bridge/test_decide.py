"""The verdict on a tap."""

from __future__ import annotations

import datetime as dt

import pytest

from besnik.bridge.decide import decide
from besnik.credentials.assess import CardRef, Credential, Tier
from besnik.loyalty.ledger import NewLot, Posting
from besnik.loyalty.money import Currency
from besnik.loyalty.program import Program
from besnik.loyalty.rules import PerVisit, RuleSet
from besnik.loyalty.visits import VisitRules
from besnik.store.hot import KnownCard, KnownReader

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def at_reader(*stamps: int) -> KnownReader:
    rules = tuple(PerVisit(id=f"{give}", unit="stamp", give=give) for give in stamps)
    program = Program(
        id=3,
        name="Corner",
        currency=Currency.named("EUR"),
        zone="UTC",
        rule_sets=(RuleSet(version=1, first_day=NOW.date(), rules=rules),),
    )
    return KnownReader(id=4, shop="corner", rules=VisitRules(program))


READER = at_reader(2)
ACTIVE = KnownCard(card=5, member=7, member_ref="ref", state="active")
BLOCKED = KnownCard(card=6, member=7, member_ref="ref", state="blocked")
REPLACED = KnownCard(card=6, member=7, member_ref="ref", state="replaced")
CLOSED = KnownCard(card=6, member=7, member_ref="ref", state="closed")


def showing(tier: Tier, kind: str = "uid") -> Credential:
    return Credential(CardRef(kind, "5B3C2A19"), tier)


def test_an_active_card_is_accepted_and_earns_what_the_program_gives() -> None:
    decision = decide(showing("D"), ACTIVE, READER, NOW)
    assert (decision.outcome, decision.reason) == ("accepted", "ok")
    assert decision.entry is not None
    assert decision.entry.postings == (Posting(7, "stamp", 2), Posting(None, "stamp", -2))
    assert decision.entry.opens == (NewLot(7, "stamp", 2, NOW, NOW),)


def test_a_program_that_gives_nothing_still_accepts() -> None:
    decision = decide(showing("D"), ACTIVE, at_reader(), NOW)
    assert (decision.outcome, decision.entry) == ("accepted", None)


@pytest.mark.parametrize(
    ("credential", "card", "reason"),
    [(showing("D"), None, "unknown"), (showing("D"), BLOCKED, "blocked"),
     (showing("D"), REPLACED, "blocked"), (showing("D"), CLOSED, "blocked"),
     (showing("A", "ntag"), None, "unknown"), (showing("A", "ev2"), BLOCKED, "blocked"),
     (showing("X"), None, "random_id"), (showing("X"), ACTIVE, "random_id"),
     (showing("X", "sun"), None, "unknown"), (showing("X", "sun"), ACTIVE, "unknown")],
)  # fmt: skip
def test_a_refused_card_moves_nothing(
    credential: Credential, card: KnownCard | None, reason: str
) -> None:
    decision = decide(credential, card, READER, NOW)
    assert (decision.outcome, decision.reason, decision.entry) == ("rejected", reason, None)
