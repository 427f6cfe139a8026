"""Rows on cards: the same member by any of them, one card in several programs, misuse, joining."""

from __future__ import annotations

import pytest

from besnik.loyalty.guards import Velocity
from besnik.loyalty.templates import savings
from support.pos import Clock, Open
from support.programs import BASIS, point_per_euro

UID = "04A1B2C3D4E5F6"


def test_L3_the_same_member_by_uid_and_by_printed_code(open_shop: Open) -> None:
    from besnik.store.models import Member
    from besnik.store.people.codes import grouped, new_code
    from besnik.store.people.enrolment import NewCard, add_card

    pos = open_shop(point_per_euro())
    anna = pos.join(card=UID)
    code = new_code()
    add_card(Member.objects.get(ref=anna.ref), NewCard("code", code))
    for typed in (UID, code, grouped(code), code.lower()):
        (found,) = pos.ask("search", text=typed)["matches"]
        assert found["member"] == anna.ref
        assert pos.ask("inquire", who={"card": typed})["member"] == anna.ref
    swapped = code[1] + code[0] + code[2:]
    if swapped != code:
        assert pos.refused("inquire", who={"card": swapped}).code == "card_wrong"


def test_L4_one_card_in_three_programs_has_three_balances(open_shop: Open) -> None:
    shops = [open_shop(point_per_euro()) for _ in range(3)]
    people = [pos.join(card=UID) for pos in shops]
    for pos, amount in zip(shops, (1_000, 2_000, 3_000), strict=True):
        pos.sell(amount, {"card": UID})
    assert [each.has() for each in people] == [10, 20, 30]
    assert len({each.ref for each in people}) == 3
    for place, pos in enumerate(shops):
        assert pos.ask("inquire", who={"card": UID})["member"] == people[place].ref
        for other in people[:place] + people[place + 1 :]:
            assert pos.refused("inquire", who={"member": other.ref}).code == "member_unknown"


def test_L7_the_sixth_earning_in_ten_minutes_is_refused(open_shop: Open, clock: Clock) -> None:
    from besnik.store.models import Alert, Sale

    pos = open_shop(point_per_euro(velocity=Velocity(most=5, minutes=10)))
    anna = pos.join(card=UID)
    for _ in range(5):
        pos.sell(1_000, {"card": UID})
        clock.pass_(minutes=1)
    refusal = pos.refused("accrue", receipt="sixth", amount_minor=1_000, who={"card": UID})
    assert (refusal.status, refusal.code) == (409, "too_fast")
    (alert,) = Alert.objects.filter(program=pos.program)
    assert (alert.kind, alert.member.ref, alert.seen_at) == ("too_fast", anna.ref, None)
    assert anna.has() == 50
    assert not Sale.objects.filter(shop=pos.shop, receipt="sixth").exists(), (
        "the receipt can be sent without card"
    )
    pos.ask("accrue", receipt="sixth", amount_minor=1_000)
    clock.pass_(minutes=6)
    pos.sell(1_000, {"card": UID})
    assert anna.has() == 60


@pytest.mark.parametrize(
    ("found", "code"), [("blocked", "card_blocked"), ("replaced", "card_replaced")]
)
def test_L7_a_card_on_the_block_list_does_nothing(open_shop: Open, found: str, code: str) -> None:
    from besnik.store.models import Card

    pos = open_shop(point_per_euro())
    anna = pos.join(card=UID)
    tap = pos.tap(UID)
    Card.objects.filter(program=pos.program).update(state=found)
    for who in ({"card": UID}, {"tap": tap.pk}):
        for verb, more in (
            ("accrue", {"receipt": "1", "amount_minor": 100}),
            ("redeem", {"amount": 1}),
            ("inquire", {}),
        ):
            assert pos.refused(verb, who=who, **more).code == code
    anna.buy(1_000)
    assert anna.has() == 10, "the member goes on by phone"


def test_L26_the_gift_for_joining_comes_once_a_person(open_shop: Open) -> None:
    from besnik.store.models import Person

    pos = open_shop(savings(BASIS))
    first = pos.ask("signup", name="Anna", phone="+355 69 123 4567")
    assert first["gift"] == {"point": 10}
    assert first["balances"]["point"]["active"] == 10
    refusal = pos.refused("signup", name="Anna again", phone="069 123 4567")
    assert (refusal.status, refusal.code) == (409, "phone_known")
    # She leaves and everything that names her is deleted; then she joins again.
    Person.objects.filter(member__ref=first["member"]).delete()
    again = pos.ask("signup", name="Anna", phone="00355691234567")
    assert (again["gift"], again["balances"].get("point")) == ({}, None)
    other = pos.ask("signup", name="Ben", phone="+355 69 765 4321")
    assert other["gift"] == {"point": 10}


def test_L26_without_a_phone_there_is_no_gift_and_with_another_program_s_there_is(
    open_shop: Open,
) -> None:
    here, elsewhere = open_shop(savings(BASIS)), open_shop(savings(BASIS))
    assert here.ask("signup", name="Nobody")["gift"] == {}
    for pos in (here, elsewhere):
        assert pos.ask("signup", name="Anna", phone="+355691234567")["gift"] == {"point": 10}
