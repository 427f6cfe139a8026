"""What has gone wrong in other systems (loyalty-domain, section 2) and cannot here, by the API.

What the engine alone shows is in tests/unit/loyalty/test_pitfalls.py, under the same numbers.
"""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from besnik.loyalty.membership import Sunset
from besnik.loyalty.periods import AfterDays
from besnik.loyalty.rewards import AmountOff, FreeItem
from besnik.loyalty.rules import PerAmount, RuleSet
from besnik.loyalty.templates import cafe_stamps, savings
from besnik.loyalty.tiers import Tier, TierPlan
from support.pos import FIRST_DAY, Clock, Open
from support.programs import BASIS, point_per_euro, reward

UID = "04A1B2C3D4E5F6"


def test_pitfall_1_a_queue_sent_again_doubles_nothing(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    queue = [
        {"receipt": f"Q{number}", "amount_minor": 1_000 + 100 * number, "who": anna.who}
        for number in range(20)
    ]
    answers: list[list[bytes]] = []
    for _ in range(3):
        sent = [
            pos.send("accrue", each, **{"Idempotency-Key": f"queue-{place}"})
            for place, each in enumerate(queue)
        ]
        assert {answer.status_code for answer in sent} == {200}
        replayed = [answer.headers.get("Idempotent-Replayed") for answer in sent]
        assert replayed == ["true" if answers else None] * 20
        answers.append(
            [answer.content.replace(b'"repeat":true', b'"repeat":false') for answer in sent]
        )
    assert answers[0] == answers[1] == answers[2]
    assert anna.has() == sum(10 + number for number in range(20))
    other = pos.send("accrue", queue[1], **{"Idempotency-Key": "queue-0"})
    assert (other.status_code, other.json()["code"]) == (422, "key_conflict")
    # The same receipt under a new key is the same sale.
    assert pos.refused("accrue", **queue[0]).code == "receipt_known"


def test_pitfall_2_buying_and_refunding_for_ever_earns_nothing(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    for number in range(10):
        anna.buy(10_000, receipt=f"R{number}")
        assert pos.ask("refund", receipt=f"R{number}")["taken"] == {"point": -100}
        assert pos.refused("refund", receipt=f"R{number}").code == "already_reversed"
        assert pos.refused("reverse", receipt=f"R{number}", reason="x").code == "already_reversed"
    assert anna.has() == 0


def test_pitfall_2_spending_before_each_refund_is_owed_and_comes_to_an_end(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    for number in range(5):
        anna.buy(10_000, receipt=f"R{number}")
        if anna.has() >= 50:
            pos.ask("redeem", who=anna.who, amount=50)
        pos.ask("refund", receipt=f"R{number}")
    line = anna.file()["balances"]["point"]
    assert (line["active"], line["spent"], line["negative"]) == (0, 100, 100)


def test_pitfall_3_a_refund_does_not_charge_the_redeemed_points_again(open_shop: Open) -> None:
    pos = open_shop(point_per_euro(rewards=(reward(FreeItem(), cost=50),)))
    anna = pos.join()
    anna.buy(10_000)
    lines = [
        {"id": "dear", "amount_minor": 4_000},
        {"id": "gift", "amount_minor": 9_900, "title": "Cake"},
    ]
    given = pos.ask("redeem", who=anna.who, reward="r", lines=lines)
    pos.ask(
        "accrue",
        receipt="with-reward",
        lines=given["lines"],
        who=anna.who,
        redemptions=[given["redemption"]],
    )
    assert anna.has() == 100 - 50 + 40
    done = pos.ask("refund", receipt="with-reward", lines=["dear"])
    assert (done["taken"], done["restored"]) == ({"point": -40}, {})
    assert anna.has() == 50, "the reward's line was kept: its points stay spent, once"
    done = pos.ask("refund", receipt="with-reward", lines=["gift-gift"])
    assert (done["taken"], done["restored"]) == ({}, {"point": 50})
    assert anna.has() == 100
    assert pos.refused("reverse", redemption=given["redemption"]).code == "already_reversed"


def test_pitfall_3_what_was_burned_comes_back_to_the_same_lots(
    open_shop: Open, clock: Clock
) -> None:
    from besnik.store.models import Lot

    pos = open_shop(
        point_per_euro(rewards=(reward(AmountOff(100), cost=60),), expiry={"point": AfterDays(30)})
    )
    anna = pos.join()
    for _ in range(2):
        anna.buy(5_000)
        clock.pass_(days=10)
    lots = Lot.objects.filter(member__ref=anna.ref).order_by("pk")
    before = list(lots.values_list("pk", "main", "expires_at"))
    given = pos.ask("redeem", who=anna.who, reward="r")
    mains = list(lots.values_list("main", flat=True))
    assert mains == [0, 40], "the one that runs out first"
    line = [{"id": "1", "amount_minor": 900}]
    pos.ask("accrue", receipt="all", lines=line, who=anna.who, redemptions=[given["redemption"]])
    pos.ask("refund", receipt="all")
    after = list(lots.values_list("pk", "main", "expires_at"))
    assert after[:2] == before


def test_pitfall_4_the_reward_s_line_earns_nothing(open_shop: Open) -> None:
    """Five bought and one free give five, not six."""
    pos = open_shop(cafe_stamps(BASIS))
    anna = pos.join()
    six = [{"id": "1", "amount_minor": 1_500, "quantity": 6, "category": "coffee"}]
    for number in range(2):
        pos.ask("accrue", receipt=f"first-{number}", lines=six, who=anna.who)
    given = pos.ask("redeem", who=anna.who, reward="free-coffee", lines=six)
    assert [line.get("quantity", 1) for line in given["lines"]] == [5, 1]
    sold = pos.ask(
        "accrue",
        receipt="six",
        lines=given["lines"],
        who=anna.who,
        redemptions=[given["redemption"]],
    )
    assert sold["earned"] == {"stamp": 5}
    assert anna.has("stamp") == 12 - 10 + 5


def test_pitfall_5_a_member_may_spend_any_part_of_the_balance(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    anna.buy(10_000)
    for part in (1, 30, 69):
        pos.ask("redeem", who=anna.who, amount=part)
    assert anna.has() == 0


def test_pitfall_6_the_balance_is_its_history(open_shop: Open, clock: Clock) -> None:
    from besnik.store.models import Account, Lot, Posting

    pos = open_shop(point_per_euro(expiry={"point": AfterDays(30)}))
    anna = pos.join()
    for amount in (10_000, 5_000):
        anna.buy(amount)
        clock.pass_(days=1)
    pos.ask("redeem", who=anna.who, amount=20)
    clock.pass_(days=29)
    (account,) = Account.objects.filter(member__ref=anna.ref, account="main")
    postings = Posting.objects.filter(account=account).values_list("amount", flat=True)
    lots = Lot.objects.filter(member=account.member).values_list("main", flat=True)
    assert sum(postings) == account.balance == sum(lots) == 130
    assert anna.has() == 50, "what has run out is not shown, whenever the nightly run comes"


def test_pitfall_7_points_that_come_later_do_not_land_on_what_has_expired(
    open_shop: Open, clock: Clock
) -> None:
    pos = open_shop(point_per_euro(expiry={"point": AfterDays(5)}))
    anna = pos.join()
    anna.buy(1_000)
    clock.pass_(days=6)
    anna.buy(1_000)
    line = anna.file()["balances"]["point"]
    assert (line["active"], line["expired"]) == (10, 10)


def test_pitfall_8_a_program_that_has_ended_takes_nobody_in(open_shop: Open, clock: Clock) -> None:
    pos = open_shop(savings(BASIS))
    anna = pos.join()
    pos.publish(sunset=Sunset(clock.now.date(), 90))
    assert pos.refused("signup", name="Ben", phone="+355691234567").code == "ended"
    sold = anna.buy(1_000)
    assert (sold["earned"], sold["note"]) == ({}, "not_earning")
    clock.pass_(days=89)
    pos.ask("redeem", who=anna.who, amount=1)
    clock.pass_(days=1)
    assert pos.refused("redeem", who=anna.who, amount=1).code == "ended"


def test_pitfall_9_a_second_redemption_sees_what_the_first_left(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    anna.buy(10_000)
    assert pos.ask("redeem", who=anna.who, amount=80)["balances"]["point"]["active"] == 20
    refusal = pos.refused("redeem", who=anna.who, amount=80)
    assert refusal.code == "insufficient"
    assert "80" in refusal.detail
    assert "20" in refusal.detail


def test_pitfall_10_the_same_points_are_redeemed_once(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    for _ in range(2):
        anna.buy(1_000)
    pos.ask("redeem", who=anna.who, amount=20)
    assert pos.refused("redeem", who=anna.who, amount=1).code == "insufficient"
    assert pos.refused("hold", who=anna.who, amount=1).code == "insufficient"
    assert pos.refused("transfer", who=anna.who, to=pos.join().who, amount=1).status == 409


def test_pitfall_11_the_sale_that_reaches_a_tier_is_counted_with_the_tier_before_it(
    open_shop: Open,
) -> None:
    """196 points expected, 217 given: the higher tier was applied to the sale itself."""
    plan = TierPlan(
        tiers=(
            Tier(name="Bronze", threshold=0),
            Tier(name="Silver", threshold=15_000, times_bp=11_100),
        )
    )
    pos = open_shop(point_per_euro(tiers=plan))
    anna = pos.join()
    assert anna.buy(19_600)["earned"] == {"point": 196}
    assert anna.buy(19_600)["earned"] == {"point": 217}


def test_pitfall_13_a_sale_that_arrives_late_counts_by_the_rules_of_its_day(
    open_shop: Open, clock: Clock
) -> None:
    from besnik.store.models import Lot, Sale

    pos = open_shop(point_per_euro(expiry={"point": AfterDays(30)}))
    anna = pos.join()
    sold_at = clock.now
    pos.sell(1_000, receipt="off-line", at=sold_at.isoformat())
    richer = RuleSet(
        version=2,
        first_day=dt.date(2026, 6, 2),
        rules=(PerAmount(id="spend", give=2, per_minor=100),),
    )
    pos.publish(rule_sets=(*pos.rules().rule_sets, richer))
    clock.pass_(days=3)
    assert pos.ask("attach", receipt="off-line", who=anna.who)["earned"] == {"point": 10}
    assert anna.buy(1_000)["earned"] == {"point": 20}
    late = anna.buy(1_000, at=sold_at.isoformat())
    assert late["earned"] == {"point": 10}
    first, second, _ = Lot.objects.filter(member__ref=anna.ref).order_by("pk")
    assert (first.opened_at, second.opened_at) == (sold_at, clock.now)
    assert second.expires_at - first.expires_at == dt.timedelta(days=3)
    versions = (
        Sale.objects.filter(member__ref=anna.ref).order_by("pk").values_list("version", flat=True)
    )
    assert list(versions) == [1, 2, 1]


def test_pitfall_13_a_late_sale_is_counted_with_the_tier_of_its_day(
    open_shop: Open, clock: Clock
) -> None:
    plan = TierPlan(
        tiers=(
            Tier(name="Red", threshold=0),
            Tier(name="Gold", threshold=10_000, times_bp=20_000),
        )
    )
    pos = open_shop(point_per_euro(tiers=plan))
    anna = pos.join()
    before = clock.now - dt.timedelta(days=1)
    anna.buy(10_000)
    late = anna.buy(1_000, at=before.isoformat())
    assert (late["earned"], late["tier"]) == ({"point": 10}, "Red")
    assert anna.buy(1_000)["earned"] == {"point": 20}


def test_pitfall_15_every_expiry_is_shown_and_nothing_is_deleted(
    open_shop: Open, clock: Clock
) -> None:
    pos = open_shop(point_per_euro(expiry={"point": AfterDays(30)}))
    anna = pos.join()
    for amount in (1_000, 2_000):
        anna.buy(amount)
        clock.pass_(days=10)
    assert [(each["last_day"], each["amount"]) for each in anna.file()["expiring"]] == [
        ("2026-07-01", 10),
        ("2026-07-11", 20),
    ]


def test_pitfall_16_a_sale_is_moved_to_another_member_and_back(
    open_shop: Open, clock: Clock
) -> None:
    from besnik.store.models import Entry

    pos = open_shop(point_per_euro())
    anna, ben = pos.join(), pos.join("Ben")
    anna.buy(5_000, receipt="wrong")
    assert pos.refused("attach", receipt="wrong", who=ben.who).code == "sale_of_another"
    for to, shown in ((ben, (0, 50)), (anna, (50, 0)), (ben, (0, 50))):
        clock.pass_(minutes=5)
        assert pos.refused("move", receipt="wrong", to=to.who).code == "reason"
        moved = pos.ask("move", receipt="wrong", to=to.who, reason="wrong card")
        assert moved["earned"] == {"point": 50}
        assert (anna.has(), ben.has()) == shown
    kinds = (
        Entry.objects.filter(sale__receipt="wrong", program=pos.program)
        .order_by("pk")
        .values_list("kind", flat=True)
    )
    assert list(kinds) == ["accrue", *["reverse", "accrue"] * 3]
    pos.ask("refund", receipt="wrong")
    assert (anna.has(), ben.has()) == (0, 0)


def test_pitfall_17_a_phone_s_random_number_is_nobody_s_card(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    for verb, body in (
        ("signup", {"name": "Anna", "card": "08A1B2C3"}),
        ("accrue", {"receipt": "1", "amount_minor": 100, "who": {"card": "08a1b2c3"}}),
        ("redeem", {"amount": 1, "who": {"card": "08:A1:B2:C3"}}),
    ):
        assert pos.refused(verb, **body).code == "random_uid"


@pytest.mark.parametrize("number", ["04A1B2C3D4", "04A1B2C3D4E5F60", "no number", "04A1"])
def test_pitfall_18_a_number_of_another_length_is_no_card(open_shop: Open, number: str) -> None:
    """Five bytes: a reader that counts the check byte as part of the number."""
    pos = open_shop(point_per_euro())
    assert pos.refused("signup", name="Anna", card=number).code == "card_wrong"


def test_pitfall_19_a_card_that_can_be_copied_collects_and_does_not_pay(open_shop: Open) -> None:
    from besnik.store.models import Card, Staff
    from besnik.store.pins import hashed

    pos = open_shop(point_per_euro())
    anna = pos.join(card=UID)
    copied, asked = pos.tap(UID), {"amount": 10}
    pos.sell(10_000, {"tap": copied.pk})
    mira = f"mira-{pos.program}"
    Staff.objects.create_user(mira, None, program_id=pos.program, name="M", pin=hashed("4711"))
    for who in ({"tap": copied.pk}, {"card": UID}, {"member": anna.ref}):
        refusal = pos.refused("redeem", who=who, **asked)
        assert (refusal.status, refusal.code) == (409, "copyable")
        wrong = {"username": mira, "pin": "4712"}
        assert pos.refused("redeem", who=who, approval=wrong, **asked).code == "wrong_pin"
        right = {"username": mira, "pin": "4711"}
        pos.ask("redeem", who=who, approval=right, **asked)
    pos.ask("redeem", who=anna.who, **asked)
    Card.objects.filter(program=pos.program, data=UID).update(kind="ntag")
    proved = pos.tap(UID, tier="A", kind="ntag")
    pos.ask("redeem", who={"tap": proved.pk}, **asked)
    assert anna.has() == 50


def test_pitfall_19_five_wrong_pins_are_enough(open_shop: Open) -> None:
    from besnik.store.models import Staff
    from besnik.store.pins import hashed

    pos = open_shop(point_per_euro())
    anna = pos.join(card=UID)
    anna.buy(10_000)
    mira = f"mira-{pos.program}"
    Staff.objects.create_user(mira, None, program_id=pos.program, name="M", pin=hashed("4711"))
    ask = {"who": {"card": UID}, "amount": 10}
    for pin in ("1", "2", "3", "4", "5"):
        approval = {"username": mira, "pin": pin}
        assert pos.refused("redeem", approval=approval, **ask).code == "wrong_pin"
    approval = {"username": mira, "pin": "4711"}
    assert pos.refused("redeem", approval=approval, **ask).code == "pin_locked"
    assert anna.has() == 100


def test_pitfall_20_an_unknown_number_makes_no_member(open_shop: Open) -> None:
    from besnik.store.models import Member

    pos = open_shop(point_per_euro())
    before = Member.objects.count()
    for who in ({"card": UID}, {"tap": pos.tap(UID).pk}):
        refusal = pos.refused("accrue", receipt="1", amount_minor=100, who=who)
        assert (refusal.status, refusal.code) == (404, "card_unknown")
    assert Member.objects.count() == before


def test_pitfall_21_a_card_that_stays_on_the_reader_is_one_sale(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join(card=UID)
    tap = pos.tap(UID)
    pos.sell(1_000, tap=tap.pk)
    assert pos.refused("accrue", receipt="2", amount_minor=1_000, tap=tap.pk).code == "tap_taken"
    assert anna.has() == 10


def test_pitfall_23_whoever_buys_may_collect_for_somebody_else(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna, ben = pos.join(), pos.join("Ben")
    anna.buy(5_000, receipt="for-ben")
    pos.ask("move", receipt="for-ben", to=ben.who)
    assert (anna.has(), ben.has()) == (0, 50)


def test_pitfall_24_what_was_agreed_to_is_kept_purpose_by_purpose(open_shop: Open) -> None:
    from besnik.store.models import Consent

    pos = open_shop(savings(BASIS))
    said = "News of this shop by SMS."
    done = pos.ask(
        "signup",
        name="Anna",
        phone="+355691234567",
        consents=[
            {"purpose": "marketing", "given": True, "text": said},
            {"purpose": "profiling", "given": False, "text": "Offers by what I buy."},
        ],
    )
    kept = Consent.objects.filter(member__ref=done["member"]).order_by("purpose")
    assert list(kept.values_list("purpose", "given", "source")) == [
        ("marketing", True, "api"),
        ("profiling", False, "api"),
    ]
    assert done["gift"] == {"point": 10}
    wrong = [{"purpose": "everything", "given": True, "text": said}]
    assert pos.refused("signup", name="Ben", consents=wrong).code == "consent"


def test_a_program_s_first_day_is_what_it_says(open_shop: Open) -> None:
    early = RuleSet(version=1, first_day=FIRST_DAY, last_day=dt.date(2026, 5, 31))
    pos = open_shop(msgspec.structs.replace(point_per_euro(), rule_sets=(early,)))
    sold = pos.join().buy(1_000)
    assert (sold["earned"], sold["note"]) == ({}, "not_earning")
