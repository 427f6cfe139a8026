"""Programs for tests at the till: the templates with a few figures changed."""

from __future__ import annotations

from typing import Any

import msgspec

from besnik.loyalty.program import Program
from besnik.loyalty.rewards import Reward, RewardKind
from besnik.loyalty.rules import PerAmount, Rule, RuleSet
from besnik.loyalty.templates import Basis, recognition
from support.pos import FIRST_DAY

BASIS = Basis(0, "Corner", FIRST_DAY)


def with_rules(*rules: Rule, **fields: Any) -> Program:
    """Return a program with these rules from the first day on."""
    rule_set = RuleSet(version=1, first_day=FIRST_DAY, rules=rules)
    return msgspec.structs.replace(recognition(BASIS), rule_sets=(rule_set,), **fields)


def point_per_euro(**fields: Any) -> Program:
    """Return a program that gives a point per euro, and nothing for joining."""
    return with_rules(PerAmount(id="spend", per_minor=100), **fields)


def reward(kind: RewardKind, cost: int = 50, **fields: Any) -> Reward:
    """Return a reward with the id ``r``."""
    return Reward(**{"id": "r", "title": "reward", "kind": kind, "cost": cost, **fields})
