"""Rows on tiers: what each reads, what it multiplies, and that it pays from the next sale on."""

from __future__ import annotations

import pytest

from besnik.loyalty.rewards import Access
from besnik.loyalty.templates import airline
from besnik.loyalty.tiers import Tier, TierPlan
from support.pos import Clock, Open
from support.programs import BASIS, point_per_euro, reward

SPEND = TierPlan(
    tiers=(
        Tier(name="Red", threshold=0),
        Tier(name="Silver", threshold=50_000, times_bp=13_000),
        Tier(name="Gold", threshold=150_000, times_bp=16_000),
    )
)


def test_L27_the_multiplier_holds_from_the_next_sale_on(open_shop: Open, clock: Clock) -> None:
    pos = open_shop(point_per_euro(tiers=SPEND))
    anna = pos.join()
    sales = []
    for _ in range(4):
        sales.append(anna.buy(50_000))
        clock.pass_(days=1)
    assert [sale["earned"]["point"] for sale in sales] == [500, 650, 650, 800]
    assert [sale["tier"] for sale in sales] == ["Red", "Silver", "Silver", "Gold"]
    assert [sale["tier_reached"] for sale in sales] == ["Silver", "", "Gold", ""]


@pytest.mark.parametrize(
    ("spent_minor", "tier"), [(100, "Red"), (50_000, "Silver"), (150_000, "Gold")]
)
def test_L27_each_level_has_its_threshold(open_shop: Open, spent_minor: int, tier: str) -> None:
    pos = open_shop(point_per_euro(tiers=SPEND))
    anna = pos.join()
    assert anna.file()["tier"]["name"] == "Red"
    anna.buy(spent_minor)
    assert anna.file()["tier"]["name"] == tier


def test_L27_what_was_returned_lifts_nobody(open_shop: Open) -> None:
    pos = open_shop(point_per_euro(tiers=SPEND))
    anna = pos.join()
    anna.buy(60_000, receipt="dear")
    assert anna.file()["tier"]["name"] == "Silver"
    assert pos.ask("refund", receipt="dear")["tier"] == "Red"
    assert anna.file()["tier"] == {
        "level": 0,
        "name": "Red",
        "benefits": [],
        "until": "2026-12-31",
        "next": "Silver",
        "missing": 50_000,
    }


MILES = {"A": {0: 1_000, 1: 1_300, 2: 1_600}, "B": {0: 1_000, 1: 1_500, 2: 2_000}}
TO_REACH = {0: 0, 1: 500, 2: 1_500}


def flown(open_shop: Open, clock: Clock, reading: str, level: int) -> tuple[int, list[str]]:
    """Return what a flight of 1,000 gives at a level, and what the cashier is shown."""
    pos = open_shop(airline(BASIS, "A" if reading == "A" else "B"))
    anna = pos.join()
    if TO_REACH[level]:
        anna.buy(TO_REACH[level] * 100)
        clock.pass_(days=1)
    services: list[str] = anna.file()["benefits"]
    earned = anna.buy(100_000)["earned"]
    assert earned["status"] == 1_000
    return earned["point"], services


@pytest.mark.parametrize("reading", ["A", "B"])
def test_L29_red_earns_as_it_is_and_names_its_partners(
    open_shop: Open, clock: Clock, reading: str
) -> None:
    miles, services = flown(open_shop, clock, reading, 0)
    assert (miles, services) == (1_000, ["car hire", "parking", "hotel discounts"])


@pytest.mark.parametrize(("reading", "miles"), [("A", 1_300), ("B", 1_500)])
def test_L30_silver_earns_more_and_is_served_first(
    open_shop: Open, clock: Clock, reading: str, miles: int
) -> None:
    found, services = flown(open_shop, clock, reading, 1)
    assert (found, "priority" in services, "lounges" in services) == (miles, True, False)


@pytest.mark.parametrize(("reading", "miles"), [("A", 1_600), ("B", 2_000)])
def test_L31_gold_earns_most_and_has_the_lounge(
    open_shop: Open, clock: Clock, reading: str, miles: int
) -> None:
    found, services = flown(open_shop, clock, reading, 2)
    assert (found, "priority" in services, "lounges" in services) == (miles, True, True)


def test_L32_status_points_are_not_spent_with_the_miles(open_shop: Open) -> None:
    pos = open_shop(airline(BASIS, "A"))
    pos.publish(rewards=(reward(Access(), cost=500),))
    anna = pos.join()
    anna.buy(100_000)
    pos.ask("redeem", who=anna.who, reward="r")
    assert (anna.has("point"), anna.has("status")) == (500, 1_000)
    assert anna.file()["tier"]["name"] == "Silver"
    refusal = pos.refused("transfer", who=anna.who, to=pos.join("Ben").who, amount=1, unit="status")
    assert refusal.code == "not_transferable"
