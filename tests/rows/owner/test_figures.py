"""Rows on figures: each with its window, its number and its interval."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from besnik.loyalty.rewards import AmountOff
from besnik.loyalty.templates import recognition, savings
from rows.owner.conftest import Enter, Past
from support.pos import Open, Pos
from support.programs import BASIS, point_per_euro, reward

SPAN = {"first": "2026-03-04", "last": "2026-06-01", "lost": "90"}
IN, BEFORE = dt.date(2026, 5, 1), dt.date(2026, 1, 20)
People = Callable[[Pos, int], list[int]]


def test_L15_members_against_others(
    open_shop: Open, enter: Enter, past: Past, people: People
) -> None:
    pos = open_shop(recognition(BASIS))
    for place, member in enumerate(people(pos, 50)):
        for _ in range(2 if place < 20 else 1):
            past(pos, IN, 500, member=member)
    for place in range(48):
        for _ in range(2 if place < 12 else 1):
            pos.sell(500, buyer=f"digest-{place}")
    office = enter(pos)
    line = office.figure("members_and_others", **SPAN)
    assert (line["value"], line["unit"], line["n"]) == ("15.0", "pp", "98")
    assert float(line["low_95"]) < 15 < float(line["high_95"])
    assert office.figure("repeat", **SPAN)["value"] == "40.0"
    assert office.figure("repeat_others", **SPAN)["value"] == "25.0"
    page = office.read("figures/", **SPAN)
    assert "+15 percentage points" in page
    assert "this is a difference, not an effect" in page


def test_L37_retention_and_the_claim_that_is_no_forecast(
    open_shop: Open, enter: Enter, past: Past, people: People
) -> None:
    pos = open_shop(recognition(BASIS))
    members = people(pos, 130)
    for member in members[:100]:
        past(pos, BEFORE, 500, member=member)
    for member in [*members[:80], *members[100:]]:
        past(pos, IN, 500, member=member)
    office = enter(pos)
    line = office.figure("retention", **SPAN)
    assert (line["value"], line["n"]) == ("80.0", "100"), "S = 100, E = 110, N = 30"
    assert (line["first_day"], line["last_day"]) == ("2026-03-04", "2026-06-01")
    assert line["time_zone"] == "Europe/Tirane"
    assert (line["low_95"], line["high_95"]) == ("71.12", "86.66"), "Wilson"
    assert office.figure("churn", **SPAN)["value"] == "20.0"
    page = office.read("figures/", **SPAN)
    assert "80%" in page and "claim, not forecast" in page
    assert "5 % more customers who stay: claimed profit + 25 – 100 %" in page
    assert "claimed profit + 50 – 200 %" in office.read("figures/", more="10")


def test_L38_negative_churn(open_shop: Open, enter: Enter, past: Past, people: People) -> None:
    pos = open_shop(recognition(BASIS))
    gone, less, more, *same = people(pos, 7)
    before = {gone: 50_000, less: 100_000, more: 350_000} | dict.fromkeys(same, 125_000)
    after = {less: 80_000, more: 450_000} | dict.fromkeys(same, 125_000)
    for member, amount in before.items():
        past(pos, BEFORE, amount, member=member)
    for member, amount in after.items():
        past(pos, IN, amount, member=member)
    office = enter(pos)
    line = office.figure("net_churn", **SPAN)
    assert (line["value"], line["n"]) == ("-3.0", "7"), "10,000: lost 500, shrank 200, grew 1,000"
    assert float(line["low_95"]) < -3 < float(line["high_95"])
    assert "-3%" in office.read("figures/", **SPAN).replace("−", "-")


def test_L105_repeat_purchase_rate(
    open_shop: Open, enter: Enter, past: Past, people: People
) -> None:
    pos = open_shop(recognition(BASIS))
    for place, member in enumerate(people(pos, 200)):
        for _ in range(2 if place < 70 else 1):
            past(pos, IN, 500, member=member)
    line = enter(pos).figure("repeat", **SPAN)
    assert (line["value"], line["n"]) == ("35.0", "200")
    assert (line["low_95"], line["high_95"]) == ("28.73", "41.84"), "Wilson"


def test_a_receipt_that_came_back_is_no_purchase(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    for number in range(6):
        anna = pos.join()
        anna.buy(1_000)
        second = anna.buy(2_000, receipt=f"back-{number}")
        if number < 3:
            pos.ask("refund", receipt=second["receipt"], lines=["1"])
    today = {"first": "2026-06-01", "last": "2026-06-01", "lost": "90"}
    line = enter(pos).figure("repeat", **today)
    assert (line["value"], line["n"]) == ("50.0", "6")
    assert enter(pos).figure("turnover", **today)["value"] == "120.0"


def test_a_share_of_fewer_than_five_is_not_shown(
    open_shop: Open, enter: Enter, past: Past, people: People
) -> None:
    pos = open_shop(recognition(BASIS))
    for member in people(pos, 4):
        past(pos, IN, 500, member=member)
    line = enter(pos).figure("repeat", **SPAN)
    assert (line["value"], line["n"]) == ("", "4")
    assert "too few to say" in enter(pos).read("figures/", **SPAN)


def test_redemption_liability_and_the_first_reward(open_shop: Open, enter: Enter) -> None:
    program = point_per_euro(rewards=(reward(AmountOff(500), cost=50),))
    pos = open_shop(program)
    anna = pos.join()
    anna.buy(10_000)
    pos.ask("redeem", who=anna.who, reward="r")
    office = enter(pos)
    today = {"first": "2026-06-01", "last": "2026-06-01", "lost": "90"}
    line = office.figure("redemption_point", **today)
    assert (line["value"], line["n"]) == ("50.0", "100")
    line = office.figure("liability_point", **today)
    assert (line["value"], line["unit"], line["n"]) == ("5.0", "EUR", "50"), "all may be used yet"
    line = office.figure("first_reward", **today)
    assert (line["value"], line["n"]) == ("151", "1"), "joined on 1 January"


def test_a_forecast_comes_with_its_interval(
    open_shop: Open, enter: Enter, past: Past, people: People
) -> None:
    pos = open_shop(savings(BASIS))
    (member,) = people(pos, 1)
    amounts = [100_000, 120_000, 110_000, 130_000, 90_000]
    for month, amount in enumerate(amounts, start=1):
        past(pos, dt.date(2026, month, 10), amount, member=member)
    office = enter(pos)
    assert "A forecast needs six months" in office.read("figures/")
    past(pos, dt.date(2025, 12, 10), 110_000, member=member)
    line = office.figure("forecast")
    assert (line["value"], line["n"]) == ("1100.0", "6")
    # 1,100 ± 2.571 · s · √(1 + 1/6), s = 141.42: 392.73
    assert (line["low_95"], line["high_95"]) == ("707.27", "1492.73")
    assert "in 95 of 100 such cases between" in office.read("figures/")
