"""The list of members, a member's file with the way to the next tier (L34), and the places."""

from __future__ import annotations

import datetime as dt

from besnik.loyalty.rewards import AmountOff
from besnik.loyalty.tiers import CalendarWindow, Tier, TierPlan
from rows.owner.conftest import Enter
from support.pos import Clock, Open
from support.programs import point_per_euro, reward

PLAN = TierPlan(
    tiers=(Tier(name="Red", threshold=0), Tier(name="Gold", threshold=100_000)),
    window=CalendarWindow(12),
)


def test_L34_when_the_next_tier_is_reached_at_this_pace(
    open_shop: Open, enter: Enter, clock: Clock
) -> None:
    pos = open_shop(point_per_euro(tiers=PLAN))
    clock.set("2026-06-29 10:00")
    anna = pos.join()
    for month in range(6):
        clock.set(f"2026-{month + 1:02}-10 10:00")
        anna.buy(10_000)
    clock.set("2026-06-29 10:00")
    page = enter(pos).read(f"members/{anna.ref}/")
    assert "€400 more and you are Gold." in page
    assert "At this pace you are Gold in 4 months." in page, "600 of 1,000 in 180 days"


def test_members_are_found_and_filtered(open_shop: Open, enter: Enter, clock: Clock) -> None:
    pos = open_shop(point_per_euro(tiers=PLAN))
    anna, boris, zoe = pos.join("Anna Gold"), pos.join("Борис Орлов"), pos.join("Zoe Never")
    anna.buy(100_000)
    clock.pass_(days=100)
    boris.buy(1_000)
    office = enter(pos)

    def names(**query: str) -> set[str]:
        page = office.read("members/", **query)
        return {name for name in ("Anna", "Борис", "Zoe") if name in page}

    assert names() == {"Anna", "Борис", "Zoe"}
    assert names(text="орлов") == {"Борис"}
    assert names(text=zoe.phone) == {"Zoe"}
    assert names(activity="active") == {"Борис"}
    assert names(activity="lapsed") == {"Anna"}
    assert names(activity="new") == {"Zoe"}
    assert names(tier="1") == {"Anna"}
    assert names(tier="0") == {"Борис", "Zoe"}
    assert "Nobody was found" in office.read("members/", text="nobody")


def test_an_auditor_sees_what_happened_and_nobody_s_name(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join("Anna Hoxha", phone="+355691234567")
    anna.buy(1_000)
    auditor = enter(pos, "auditor")
    for page in (auditor.read("members/"), auditor.read(f"members/{anna.ref}/")):
        assert "Hoxha" not in page and "123 4567" not in page and anna.ref in page
    assert "+10 points" in auditor.read(f"members/{anna.ref}/")
    auditor.post(f"members/{anna.ref}/write", 403, note="x")


def test_a_manager_blocks_a_card_and_it_buys_nothing_more(open_shop: Open, enter: Enter) -> None:
    from besnik.store.models import Card

    pos = open_shop(point_per_euro())
    anna = pos.join(card="04A1B2C3D4E580")
    card = Card.objects.get(member__ref=anna.ref)
    manager = enter(pos, "manager")
    manager.post(f"members/{anna.ref}/cards/{card.pk}", state="blocked")
    assert pos.refused("accrue", receipt="r1", amount_minor=100, who={"card": card.data}).code
    manager.post(f"members/{anna.ref}/cards/{card.pk}", state="active")
    pos.sell(100, {"card": card.data})
    stranger = enter(open_shop(point_per_euro()))
    stranger.get(f"members/{anna.ref}/", status=404)
    stranger.post(f"members/{anna.ref}/cards/{card.pk}", 404, state="blocked")


def test_notes_gifts_and_codes(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    office = enter(pos)
    office.post(f"members/{anna.ref}/write", note="Likes <b>cinnamon</b>", gift="Window seat")
    office.post(f"members/{anna.ref}/code")
    page = office.read(f"members/{anna.ref}/")
    assert "Likes <b>cinnamon</b>" in page and "Window seat" in page
    from besnik.store.models import Card, Gift

    assert Card.objects.get(member__ref=anna.ref).kind == "code"
    office.post(f"members/{anna.ref}/drop", gift=str(Gift.objects.get().pk))
    assert "Window seat" not in office.read(f"members/{anna.ref}/")


def test_stock_alerts_and_places(open_shop: Open, enter: Enter, clock: Clock) -> None:
    from besnik.store.models import Alert, Shop, Till

    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(500), cost=50),)))
    office = enter(pos)
    assert "never runs out" in office.read("stock/")
    office.post("stock/r", left="۳")
    assert "3 pieces" in office.read("stock/")
    office.post("stock/r", 422, left="many")
    office.post("stock/r", left="")
    office.post("stock/none", 404, left="3")

    at = clock.now - dt.timedelta(minutes=3)
    Alert.objects.create(program_id=pos.program, kind="too_fast", at=at)
    assert "1 alert waits for you" in office.read("")
    assert "used too often" in office.read("alerts/")
    office.post("alerts/seen", until=str(Alert.objects.get().pk))
    assert "Nothing waits for you" in office.read("alerts/")

    office.post("places/shops", name="Market Street")
    office.post("places/market-street/tills", **{"till-name": "Till 1"})
    office.post("places/shops", 422, name="Market Street")
    till = Till.objects.get(shop__slug="market-street").pk
    office.post(f"places/tills/{till}/readers", **{"reader-name": "Counter 9"})
    taken = office.post(f"places/tills/{till}/readers", 422, **{"reader-name": "Counter 9"})
    assert "This short name is taken" in taken.content.decode()
    office.post(f"places/tills/{till}/readers", 422, **{"reader-name": "Bridge"})
    office.post("places/rename", shop="market-street", name="Old Market")
    assert "Old Market market-street Till 1 till-1 Counter 9 counter-9" in office.read("places/")
    assert Shop.objects.get(slug="market-street").program_id == pos.program
    enter(pos, "manager").post("places/shops", 403, name="Another")
