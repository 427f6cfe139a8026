"""Rows on what is not bought goods: transfer, stored value, paid membership."""

from __future__ import annotations

import pytest

from besnik.loyalty.guards import Transfers
from besnik.loyalty.templates import coop_euro, paid_vip
from support.pos import Clock, Open
from support.programs import BASIS, point_per_euro


def test_L70_a_transfer_between_cards_keeps_the_expiry(open_shop: Open, clock: Clock) -> None:
    from besnik.store.models import Account, Lot

    pos = open_shop(coop_euro(BASIS))
    anna, ben = pos.join(), pos.join("Ben")
    anna.buy(3_700)
    clock.pass_(days=40)
    done = pos.ask("transfer", who=anna.who, to={"member": ben.ref}, amount=37)
    assert done["balances"]["point"]["active"] == 0
    assert (anna.has(), ben.has()) == (0, 37)
    first, moved = Lot.objects.filter(unit="point", member__program=pos.program).order_by("pk")
    assert first.expires_at == moved.expires_at is not None
    assert ben.file()["expiring"] == [{"unit": "point", "last_day": "2027-01-31", "amount": 37}]
    balances = Account.objects.filter(unit="point", program=pos.program)
    assert sum(balances.values_list("balance", flat=True)) == 0
    pos.ask("reverse", entry=done["entry"], reason="wrong card")
    assert (anna.has(), ben.has()) == (37, 0)


def test_L70_a_transfer_has_limits(open_shop: Open, clock: Clock) -> None:
    pos = open_shop(point_per_euro(transfers=Transfers(most=30, a_day=50)))
    anna, ben = pos.join(card="04A1B2C3D4E5F6"), pos.join("Ben")
    anna.buy(10_000)

    def code(amount: int, **who: object) -> str:
        sent = {"who": anna.who, "to": ben.who, "amount": amount} | who
        answer = pos.send("transfer", sent)
        return "" if answer.status_code == 200 else answer.json()["code"]

    assert code(31) == "transfer_limit"
    assert code(30) == ""
    assert code(30) == "transfer_limit", "the day's fifty"
    assert code(20) == ""
    clock.pass_(days=1)
    assert code(30) == ""
    assert code(20, to=anna.who) == "same_member"
    assert code(20, who={"card": "04A1B2C3D4E5F6"}) == "copyable"
    clock.pass_(days=1)
    assert code(21) == "insufficient"


def test_L103_stored_value_is_money_apart_from_points(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    assert pos.ask("topup", who=anna.who, amount_minor=5_000)["stored_minor"] == 5_000
    assert pos.ask("pay", who=anna.who, amount_minor=1_840)["stored_minor"] == 3_160
    refusal = pos.refused("pay", who=anna.who, amount_minor=3_161)
    assert (refusal.status, refusal.code) == (409, "insufficient")
    assert "3160" in refusal.detail
    shown = anna.file()
    assert (shown["stored_minor"], shown["currency"]) == (3_160, "EUR")
    assert anna.has("point") == 0


def test_L103_a_card_that_can_be_copied_pays_nothing(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    uid = "04A1B2C3D4E5F6"
    pos.join(card=uid)
    pos.ask("topup", who={"card": uid}, amount_minor=5_000)
    for who in ({"card": uid}, {"tap": pos.tap(uid).pk}):
        assert pos.refused("pay", who=who, amount_minor=100).code == "copyable"


def test_L35_a_paid_membership_lasts_365_days(open_shop: Open, clock: Clock) -> None:
    pos = open_shop(paid_vip(BASIS))
    anna = pos.join()
    assert anna.file()["benefits"] == []
    done = pos.ask("buy-membership", who=anna.who)
    assert done["fee_minor"] == 6_000
    assert done["membership"] == {
        "first_day": "2026-06-01",
        "last_day": "2027-05-31",
        "benefits": ["free delivery"],
    }
    clock.pass_(days=364)
    assert anna.file()["benefits"] == ["free delivery"], "day 365"
    clock.pass_(days=1)
    assert (anna.file()["benefits"], anna.file()["membership"]) == ([], None), "day 366"


@pytest.mark.parametrize(("days", "back_minor"), [(72, 4_800), (0, 5_984), (363, 16)])
def test_L35_a_membership_is_refunded_by_the_day(
    open_shop: Open, clock: Clock, days: int, back_minor: int
) -> None:
    pos = open_shop(paid_vip(BASIS))
    anna = pos.join()
    pos.ask("buy-membership", who=anna.who)
    clock.pass_(days=days)
    done = pos.ask("end-membership", who=anna.who)
    assert done["back_minor"] == back_minor
    assert anna.file()["benefits"] == ["free delivery"], "the day itself is still used"
    assert pos.refused("end-membership", who=anna.who).code == "no_membership"
    clock.pass_(days=1)
    assert anna.file()["benefits"] == []


def test_L35_a_second_year_follows_the_first(open_shop: Open, clock: Clock) -> None:
    pos = open_shop(paid_vip(BASIS))
    anna = pos.join()
    pos.ask("buy-membership", who=anna.who)
    second = pos.ask("buy-membership", who=anna.who)["membership"]
    assert (second["first_day"], second["last_day"]) == ("2027-06-01", "2028-05-30")
    assert pos.ask("end-membership", who=anna.who)["back_minor"] == 5_984 + 6_000
