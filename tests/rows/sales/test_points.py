"""Rows on collecting and using: stamps, points, campaigns, channels, tenders, branches, periods."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from besnik.loyalty.periods import PeriodEnd
from besnik.loyalty.rewards import AmountOff, FreeItem
from besnik.loyalty.rules import PerAmount, PerVisit, When
from besnik.loyalty.templates import cafe_stamps, coop_euro, fidaty, savings
from support.pos import Clock, Open
from support.programs import BASIS, point_per_euro, reward, with_rules

COFFEE = [{"id": "1", "amount_minor": 250, "title": "Espresso", "category": "coffee"}]


def test_L2_a_stamp_for_each_purchase_and_a_reward_at_ten(open_shop: Open, clock: Clock) -> None:
    pos = open_shop(cafe_stamps(BASIS))
    anna = pos.join()

    def drink() -> tuple[int, int]:
        clock.pass_(minutes=5)
        pos.ask("accrue", receipt=f"{clock.now:%d%H%M}", lines=COFFEE, who=anna.who)
        (line,) = anna.file()["rewards"]
        return line["full"], line["rest"]

    assert [drink() for _ in range(9)] == [(0, number) for number in range(1, 10)]
    assert anna.file()["now"] == []
    assert drink() == (1, 0), "the tenth: one reward, and nothing on the next card"
    assert anna.file()["now"] == ["free-coffee"]
    for _ in range(13):
        shown = drink()
    assert shown == (2, 3), "23 stamps"
    pos.ask("redeem", who=anna.who, reward="free-coffee", lines=COFFEE)
    (line,) = anna.file()["rewards"]
    assert (line["full"], line["rest"]) == (1, 3)


def test_L2_stamps_by_tap_and_by_sale_are_counted_once(open_shop: Open, clock: Clock) -> None:
    """A visit that the reader has stamped is not stamped again by its receipt."""
    from besnik.store.models import Entry

    card = reward(FreeItem(), cost=10, unit="stamp")
    pos = open_shop(with_rules(PerVisit(id="visit", unit="stamp"), rewards=(card,)))
    anna = pos.join(card="04A1B2C3D4E5F6")
    tap = pos.tap("04A1B2C3D4E5F6")
    Entry.objects.create(
        program_id=pos.program, kind="accrue", tap=tap, occurred_at=clock.now, created_at=clock.now
    )
    pos.sell(250, tap=tap.pk)
    assert anna.has("stamp") == 0, "this test's reader wrote no lot, and the sale gives none"
    anna.buy(250)
    assert anna.has("stamp") == 1, "a sale without a tap is a visit"


def test_L20_collect_then_redeem(open_shop: Open) -> None:
    pos = open_shop(savings(BASIS))
    pos.publish(rewards=(reward(AmountOff(400), cost=40),), joining_gift=None)
    anna = pos.join()
    assert anna.buy(4_780)["earned"] == {"point": 47}
    done = pos.ask("redeem", who=anna.who, reward="r")
    assert (done["cost"], done["off_minor"]) == (40, 400)
    assert anna.has() == 7


def test_L62_points_of_2026_are_usable_until_the_end_of_january(
    open_shop: Open, clock: Clock
) -> None:
    expiry = {"point": PeriodEnd(months=12, grace_days=31)}
    pos = open_shop(point_per_euro(expiry=expiry, rewards=(reward(AmountOff(100), cost=1),)))
    zone = pos.rules().tz
    anna, ben = pos.join(), pos.join("Ben")
    for each in (anna, ben):
        each.buy(4_700)
    assert anna.file()["expiring"] == [{"unit": "point", "last_day": "2027-01-31", "amount": 47}]
    clock.set("2027-01-31T23:59:59", zone)
    assert anna.has() == 47
    pos.ask("redeem", who=anna.who, amount=7)
    clock.set("2027-02-01T00:00:01", zone)
    assert (anna.has(), ben.has()) == (0, 0)
    assert pos.refused("redeem", who=ben.who, amount=1).code == "insufficient"
    assert ben.file()["balances"]["point"]["expired"] == 47


def test_L67_a_campaign_has_days_and_shops(open_shop: Open, clock: Clock) -> None:
    when = When(
        first_day=dt.date(2026, 2, 1), last_day=dt.date(2026, 2, 28), shops=("verona", "ancona")
    )
    pos = open_shop(with_rules(PerAmount(id="north", per_minor=100, when=when)))
    anna = pos.join()
    shops = {slug: pos.branch(slug) for slug in ("verona", "ancona", "roma")}

    def points(day: str, where: str) -> int:
        clock.set(f"{day}T12:00", pos.rules().tz)
        earned: dict[str, int] = anna.buy(1_000, shops[where])["earned"]
        return earned.get("point", 0)

    assert points("2026-01-31", "verona") == 0
    assert points("2026-02-01", "verona") == 10
    assert points("2026-02-28", "ancona") == 10
    assert points("2026-03-01", "verona") == 0
    assert points("2026-02-01", "roma") == 0, "a shop outside the list"


@pytest.mark.parametrize("channel", ["shop", "online", "other-coop"])
def test_L68_one_point_per_euro_wherever(open_shop: Open, channel: str) -> None:
    pos = open_shop(coop_euro(BASIS))
    anna = pos.join()
    assert anna.buy(3_790, channel=channel)["earned"] == {"point": 37}
    assert anna.has() == 37


@pytest.mark.parametrize(("tender", "points"), [("house_card", 55), ("cash", 37)])
def test_L71_one_more_for_each_two_with_the_house_card(
    open_shop: Open, tender: str, points: int
) -> None:
    pos = open_shop(coop_euro(BASIS))
    anna = pos.join()
    shown = pos.ask("preview", amount_minor=3_790, who=anna.who)
    assert shown["earned"] == {"cash": {"point": 37}, "house_card": {"point": 55}}
    done = anna.buy(3_790, tenders=[{"kind": tender, "amount_minor": 3_790}])
    assert done["earned"] == {"point": points}
    assert anna.has() == points


@pytest.mark.parametrize(
    ("reading", "amount_minor", "points"),
    [
        ("excess", 499, 0),
        ("excess", 500, 0),
        ("excess", 600, 2),
        ("excess", 3_790, 64),
        ("gate", 499, 0),
        ("gate", 500, 10),
        ("gate", 3_790, 74),
    ],
)
def test_L72_two_points_per_euro_above_five(
    open_shop: Open, reading: str, amount_minor: int, points: int
) -> None:
    pos = open_shop(fidaty(BASIS, "excess" if reading == "excess" else "gate"))
    anna = pos.join()
    anna.buy(amount_minor)
    assert anna.has() == points


def test_L115_earn_in_one_branch_and_burn_in_another(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    other, third = pos.branch(), pos.branch()
    anna = pos.join()
    anna.buy(3_000)
    other.ask("redeem", who=anna.who, amount=20)
    assert [anna.has(pos=each) for each in (pos, other, third)] == [10, 10, 10]


def test_L115_a_card_of_another_chain_is_nobody_s_here(open_shop: Open) -> None:
    here, elsewhere = open_shop(point_per_euro()), open_shop(point_per_euro())
    anna = here.join()
    assert elsewhere.refused("inquire", who={"member": anna.ref}).status == 404
    assert elsewhere.refused("accrue", receipt="1", amount_minor=100, who=anna.who).status == 404


def test_L5_a_sale_earns_the_same_however_the_member_was_found(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join("Anna Hoxha", card="04A1B2C3D4E5F6")
    tap = pos.tap("04A1B2C3D4E5F6")
    ways = [
        {"tap": tap.pk},
        {"phone": anna.phone},
        {"phone": anna.phone.removeprefix("+355").rjust(10, "0")},
        {"card": "04:a1:b2:c3:d4:e5:f6"},
        {"member": anna.ref},
    ]
    earned = [pos.sell(2_000, way)["earned"] for way in ways]
    assert earned == [{"point": 20}] * 5
    assert anna.has() == 100


@pytest.mark.parametrize("text", ["hoxha", "ANNA", "Anna H", "phone", "ref", "tail"])
def test_L5_a_forgotten_card_is_no_reason_to_go_without(open_shop: Open, text: str) -> None:
    """By name in any case, by phone, by number, by the end of the card's."""
    pos = open_shop(point_per_euro())
    anna = pos.join("Anna Hoxha", card="04A1B2C3D4E5F6")
    pos.join("Ben Leka")
    typed = {"phone": anna.phone, "ref": anna.ref, "tail": "E5F6"}.get(text, text)
    (found,) = pos.ask("search", text=typed)["matches"]
    assert (found["member"], found["name"]) == (anna.ref, "Anna Hoxha")
    pos.sell(2_000, {"member": found["member"]})
    assert anna.has() == 20


def test_L60_every_purchase_is_kept_with_its_lines(open_shop: Open, clock: Clock) -> None:
    from besnik.store.models import Sale, SaleLine, SaleTender

    pos = open_shop(point_per_euro())
    anna = pos.join()
    for month in range(36):
        clock.now = dt.datetime(2026 + month // 12, month % 12 + 1, 15, 12, tzinfo=dt.UTC)
        lines = [
            {"id": "a", "amount_minor": 1_000 + month, "title": "Bread", "category": "bakery"},
            {"id": "b", "amount_minor": 500, "quantity": 2, "title": "Milk"},
        ]
        tenders = [{"kind": "cash", "amount_minor": 1_500 + month}]
        pos.ask("accrue", receipt=f"M{month}", lines=lines, tenders=tenders, who=anna.who)
    kept = Sale.objects.filter(member__ref=anna.ref)
    assert kept.count() == 36
    assert SaleLine.objects.filter(sale__in=kept).count() == 72
    assert SaleTender.objects.filter(sale__in=kept, kind="cash").count() == 36
    assert sum(kept.values_list("amount_minor", flat=True)) == 36 * 1_500 + sum(range(36))


def test_L60_nobody_s_purchases_count_too(open_shop: Open) -> None:
    from besnik.store.models import Sale

    pos = open_shop(point_per_euro())
    done = pos.sell(4_780, buyer="token-of-a-payment-card")
    assert (done["member"], done["earned"], done["entry"]) == ("", {}, None)
    (sale,) = Sale.objects.filter(program=pos.program)
    assert (sale.member, sale.counting_minor, sale.buyer) == (
        None,
        4_780,
        "token-of-a-payment-card",
    )
    assert msgspec.json.encode(sale.earned) == b"{}"
