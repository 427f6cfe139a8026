"""Rows on rewards: four kinds exact to the cent, stock, reserving, gifts."""

from __future__ import annotations

from typing import Any

import pytest

from besnik.loyalty.rewards import Access, AmountOff, FreeItem, PercentOff, RewardKind
from support.pos import Clock, Open
from support.programs import point_per_euro, reward

RECEIPT = [
    {"id": "1", "amount_minor": 1_250, "title": "Burrito"},
    {"id": "2", "amount_minor": 300, "title": "Smoothie"},
    {"id": "3", "amount_minor": 449, "title": "Salad"},
]


@pytest.mark.parametrize(
    ("kind", "amounts_minor"),
    [
        (AmountOff(500), [937, 225, 337]),
        (AmountOff(9_999), [0, 0, 0]),
        (PercentOff(1_000), [1_126, 270, 404]),
        (PercentOff(5_000, most_minor=100), [1_187, 285, 427]),
        (FreeItem(), [0, 300, 449]),
        (FreeItem(up_to_minor=400), [1_250, 0, 449]),
        (Access(), [1_250, 300, 449, 0]),
    ],
)
def test_L21_each_kind_of_reward_exact_to_the_cent(
    open_shop: Open, kind: RewardKind, amounts_minor: list[int]
) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(kind),)))
    anna = pos.join()
    anna.buy(5_000)
    done = pos.ask("redeem", who=anna.who, reward="r", lines=RECEIPT)
    assert [line["amount_minor"] for line in done["lines"]] == amounts_minor
    total = sum(amounts_minor)
    assert done["off_minor"] == 1_999 - total
    tenders = [{"kind": "cash", "amount_minor": total}]
    sold = pos.ask(
        "accrue",
        receipt="golden",
        lines=done["lines"],
        tenders=tenders,
        who=anna.who,
        redemptions=[done["redemption"]],
    )
    assert sold["rewards"] == [
        {
            "redemption": done["redemption"],
            "reward": "r",
            "title": "reward",
            "off_minor": done["off_minor"],
            "entry": done["entry"],
        }
    ]
    assert sold["earned"].get("point", 0) == total // 100
    assert anna.has() == total // 100


def test_L21_a_free_amount_is_worth_what_the_best_reward_says(open_shop: Open) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(500)),)))
    anna = pos.join()
    anna.buy(10_000)
    assert anna.file()["worth_minor"] == 1_000
    done = pos.ask("redeem", who=anna.who, amount=33, lines=RECEIPT)
    assert (done["off_minor"], anna.has()) == (330, 67)
    assert sum(line["amount_minor"] for line in done["lines"]) == 1_999 - 330


def test_L61_the_fourth_of_three_is_refused(open_shop: Open) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(Access(), cost=1, stock=3),)))
    anna = pos.join()
    anna.buy(1_000)
    for left in (3, 2, 1):
        (line,) = anna.file()["rewards"]
        assert (line["left"], line["times"]) == (left, left)
        pos.ask("redeem", who=anna.who, reward="r")
    refusal = pos.refused("redeem", who=anna.who, reward="r")
    assert (refusal.status, refusal.code) == (409, "sold_out")
    assert (anna.has(), anna.file()["now"]) == (7, [])


def test_L61_a_piece_that_comes_back_can_be_had_again(open_shop: Open) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(Access(), cost=1, stock=1),)))
    anna = pos.join()
    anna.buy(1_000)
    given = pos.ask("redeem", who=anna.who, reward="r")
    assert pos.refused("redeem", who=anna.who, reward="r").code == "sold_out"
    pos.ask("reverse", redemption=given["redemption"])
    assert anna.has() == 10
    pos.ask("redeem", who=anna.who, reward="r")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"first_day": "2026-06-02"}, "too_early"),
        ({"last_day": "2026-05-31"}, "too_late"),
        ({"levels": (1, 2)}, "tier"),
        ({"first_day": "2026-06-01", "last_day": "2026-06-01"}, None),
    ],
)
def test_L61_the_catalogue_says_who_may_have_what_and_when(
    open_shop: Open, fields: dict[str, Any], code: str | None
) -> None:
    import datetime as dt

    days = {
        name: dt.date.fromisoformat(value) if isinstance(value, str) else value
        for name, value in fields.items()
    }
    pos = open_shop(point_per_euro(rewards=(reward(Access(), cost=1, **days),)))
    anna = pos.join()
    anna.buy(1_000)
    if code is None:
        pos.ask("redeem", who=anna.who, reward="r")
    else:
        assert pos.refused("redeem", who=anna.who, reward="r").code == code
        assert anna.file()["rewards"] == []


def test_L78_what_was_held_comes_back_before_paying(open_shop: Open) -> None:
    from besnik.store.models import Entry, Hold, Reservation

    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(400), cost=40, stock=1),)))
    anna = pos.join()
    anna.buy(5_000)
    held = pos.ask("hold", who=anna.who, reward="r", lines=RECEIPT)
    line = anna.file()["balances"]["point"]
    assert (line["active"], line["reserved"]) == (10, 40)
    assert pos.refused("redeem", who=anna.who, reward="r").status == 409
    pos.ask("release", hold=held["hold"], reason="customer changed her mind")
    line = anna.file()["balances"]["point"]
    assert (line["active"], line["reserved"], line["spent"]) == (50, 0, 0)
    kinds = list(Entry.objects.filter(program=pos.program).order_by("pk").values_list("kind"))
    assert kinds == [("accrue",), ("hold",), ("release",)], "both stay visible, and come to nothing"
    assert not Hold.objects.filter(member__program=pos.program).exists()
    assert not Reservation.objects.filter(stock__program=pos.program).exists()
    assert pos.refused("commit", hold=held["hold"]).code == "hold_unknown"
    pos.ask("redeem", who=anna.who, reward="r")


def test_L78_what_was_held_is_spent_when_the_sale_is_paid(open_shop: Open) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(400), cost=40),)))
    anna = pos.join()
    anna.buy(5_000)
    held = pos.ask("hold", who=anna.who, reward="r", lines=RECEIPT)
    sold = pos.ask(
        "accrue", receipt="paid", lines=held["lines"], who=anna.who, holds=[held["hold"]]
    )
    (given,) = sold["rewards"]
    assert (given["reward"], given["off_minor"]) == ("r", 400)
    line = anna.file()["balances"]["point"]
    assert (line["active"], line["reserved"], line["spent"]) == (10 + 15, 0, 40)


def test_L78_a_hold_that_nobody_settles_ends_by_itself(open_shop: Open, clock: Clock) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(Access(), cost=40, stock=1),)))
    anna, ben = pos.join(), pos.join("Ben")
    anna.buy(5_000)
    ben.buy(5_000)
    held = pos.ask("hold", who=anna.who, reward="r")
    clock.pass_(minutes=9, seconds=59)
    assert pos.refused("redeem", who=ben.who, reward="r").code == "sold_out"
    clock.pass_(seconds=1)
    assert pos.refused("commit", hold=held["hold"]).code == "hold_ended"
    pos.ask("redeem", who=ben.who, reward="r")
    pos.ask("redeem", who=anna.who, amount=50)
    assert anna.has() == 0, "what was reserved could be used again"


def test_L104_a_gift_is_a_line_of_nothing(open_shop: Open) -> None:
    from besnik.store.models import SaleLine

    pos = open_shop(point_per_euro(rewards=(reward(Access(), cost=10, title="Umbrella"),)))
    anna = pos.join()
    anna.buy(1_000)
    done = pos.ask("redeem", who=anna.who, reward="r", lines=RECEIPT)
    assert done["lines"][:3] == [{**line} for line in RECEIPT]
    gift = done["lines"][3]
    assert (gift["title"], gift["amount_minor"], gift["reward"]) == ("Umbrella", 0, True)
    pos.ask(
        "accrue",
        receipt="gift",
        lines=done["lines"],
        who=anna.who,
        redemptions=[done["redemption"]],
    )
    kept = SaleLine.objects.get(sale__shop=pos.shop, reward=True)
    assert (kept.title, kept.amount_minor) == ("Umbrella", 0)
    assert anna.has() == 19
