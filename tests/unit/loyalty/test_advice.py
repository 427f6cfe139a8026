"""What a cashier is told at a tap: three rewards at most, the worth in money, one line."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from besnik.loyalty.advice import AtCounter, alert, chips, worth_minor
from besnik.loyalty.rewards import Access, AmountOff, Reward
from besnik.loyalty.templates import recognition, savings
from besnik.loyalty.texts.catalogue import LANGUAGES, say
from besnik.loyalty.tiers import Progress, Tier, TierPlan
from support.shop import ANNA, BASIS, BEN

DAY = dt.date(2026, 6, 1)
REWARDS = (
    Reward(id="5", title="5 off", kind=AmountOff(500), cost=50),
    Reward(id="1", title="1 off", kind=AmountOff(100), cost=10),
    Reward(id="12", title="12 off", kind=AmountOff(1_200), cost=100),
    Reward(id="bag", title="bag", kind=Access(), cost=20, stock=1),
    Reward(id="gold", title="lounge", kind=Access(), cost=5, levels=(2,)),
    Reward(id="hers", title="scarf", kind=Access(), cost=5, member=BEN),
    Reward(id="old", title="old", kind=Access(), cost=5, last_day=dt.date(2026, 5, 31)),
)
PLAN = TierPlan(tiers=(Tier(name="Red", threshold=0), Tier(name="Silver", threshold=50_000)))
PROGRAM = msgspec.structs.replace(savings(BASIS), rewards=REWARDS, tiers=PLAN)


def seen(points: int = 0, **known: object) -> AtCounter:
    known = {"member": ANNA, "level": 0, "day": DAY, "active": {"point": points}, **known}
    return msgspec.convert(known, AtCounter)


@pytest.mark.parametrize(
    ("points", "shown"),
    [
        (9, []),
        (10, [("1", 1)]),
        (47, [("bag", 1), ("1", 4)]),
        (100, [("12", 1), ("5", 2), ("bag", 1)]),
    ],
)
def test_at_most_three_rewards_that_can_be_had_now(
    points: int, shown: list[tuple[str, int]]
) -> None:
    assert [(chip.reward.id, chip.times) for chip in chips(PROGRAM, seen(points))] == shown


def test_what_is_sold_out_or_for_others_is_not_offered() -> None:
    assert [chip.reward.id for chip in chips(PROGRAM, seen(20, left={"bag": 0}))] == ["1"]
    assert {chip.reward.id for chip in chips(PROGRAM, seen(9, level=2))} == {"gold"}
    assert {chip.reward.id for chip in chips(PROGRAM, seen(9, member=BEN))} == {"hers"}


def test_the_balance_in_money_is_that_of_the_best_reward() -> None:
    assert worth_minor(PROGRAM, seen(47)) == 564
    assert worth_minor(recognition(BASIS), seen(47)) is None


def test_one_line_is_said_in_this_order() -> None:
    expiring = [("point", DAY + dt.timedelta(days=14), 30), ("point", DAY, 5)]
    near = Progress(1, 45_000, 50_000, 5_000)
    everything = {"birthday": True, "expiring": expiring, "progress": near, "visits": 10}
    said = []
    for gone in ("", "birthday", "expiring", "progress", "visits"):
        everything.pop(gone, None)
        line = alert(PROGRAM, seen(**everything))
        said.append(None if line is None else say(line, "en"))
        for language in LANGUAGES:
            assert line is None or "{" not in say(line, language)
    assert said == [
        "It is the birthday today: congratulate.",
        "5 points: last day 2026-06-01.",
        "EUR 50 more and you are Silver.",
        "10 visits by now: say thank you.",
        None,
    ]


def test_what_is_far_away_is_not_said() -> None:
    later = [("point", DAY + dt.timedelta(days=15), 30), ("point", DAY - dt.timedelta(days=1), 5)]
    assert alert(PROGRAM, seen(expiring=later)) is None
    assert alert(PROGRAM, seen(progress=Progress(1, 44_999, 50_000, 5_001))) is None
    assert alert(PROGRAM, seen(progress=Progress(1, 50_000, 50_000, 0))) is None
    assert alert(PROGRAM, seen(visits=9)) is None
