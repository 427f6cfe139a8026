"""What a cashier may do alone, and what somebody else has to agree to; as the pages ask it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from besnik.loyalty.guards import Goodwill
from support.pos import Clock, Customer, Open, Pos
from support.programs import point_per_euro

if TYPE_CHECKING:  # the models can be imported once support.orm has set Django up
    from besnik.store.till import Place


def at_till(pos: Pos, role: str, *, vouched: bool = False) -> Place:
    """Return where somebody of a role works, whose PIN is 4711 and name the role and program."""
    from besnik.store.models import Staff
    from besnik.store.pins import hashed
    from besnik.store.till import Place

    name = f"{role}-{pos.program}"
    found = Staff.objects.filter(username=name).first() or Staff.objects.create_user(
        name, None, program_id=pos.program, name=role, role=role, pin=hashed("4711")
    )
    return Place.of_staff(found, pos.till, pos.clock.now, vouched=vouched)


def refused(place: Place, verb: str, ask: object) -> str:
    """Return why a verb is refused, "" if it is done."""
    from besnik.store import till

    try:
        getattr(till, verb)(place, ask)
    except till.TillError as error:
        return error.code
    return ""


def agreed(pos: Pos, role: str) -> object:
    """Return the approval of somebody of a role."""
    from besnik.store.till.asks import Approval

    at_till(pos, role)
    return Approval(username=f"{role}-{pos.program}", pin="4711")


def who(anna: Customer) -> object:
    """Name the customer by reference, as a page does."""
    from besnik.store.till.asks import Who

    return Who(member=anna.ref)


def test_a_minute_later_taking_back_needs_a_reason_and_a_lead(
    open_shop: Open, clock: Clock
) -> None:
    from besnik.store.till.asks import Reverse

    pos = open_shop(point_per_euro())
    anna = pos.join()
    entries = [anna.buy(1_000)["entry"] for _ in range(4)]
    assert refused(at_till(pos, "cashier"), "reverse", Reverse(entry=entries[0])) == ""
    clock.pass_(seconds=61)
    cashier = at_till(pos, "cashier")
    assert refused(cashier, "reverse", Reverse(entry=entries[1])) == "reason"
    assert refused(cashier, "reverse", Reverse(entry=entries[1], reason="x")) == "needs_lead"
    ask = Reverse(entry=entries[1], reason="x", approval=agreed(pos, "cashier"))
    assert refused(cashier, "reverse", ask) == "needs_pin"
    ask = Reverse(entry=entries[1], reason="x", approval=agreed(pos, "lead"))
    assert refused(cashier, "reverse", ask) == ""
    assert refused(at_till(pos, "lead"), "reverse", Reverse(entry=entries[2], reason="x")) == ""
    assert anna.has() == 10


def test_a_reversal_is_reversed_once(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    entry = anna.buy(1_000)["entry"]
    back = pos.ask("reverse", entry=entry)
    assert (back["changed"], anna.has()) == ({"point": -10}, 0)
    again = pos.ask("reverse", entry=back["entry"])
    assert (again["changed"], anna.has()) == ({"point": 10}, 10)
    assert pos.refused("reverse", entry=again["entry"]).code == "not_reversible"
    pos.ask("reverse", entry=entry)
    assert anna.has() == 0


@pytest.mark.parametrize("amount", [50, 100])
def test_goodwill_up_to_a_hundred_is_the_cashier_s(open_shop: Open, amount: int) -> None:
    from besnik.store.models import AuditRecord, Entry
    from besnik.store.till.asks import Goodwill as Ask

    pos = open_shop(point_per_euro())
    anna = pos.join()
    ask = Ask(who=who(anna), amount=amount, reason="complaint")
    assert refused(at_till(pos, "cashier"), "goodwill", ask) == ""
    assert anna.has() == amount
    entry = Entry.objects.get(program=pos.program, kind="adjust")
    assert (entry.reason, entry.staff.role) == ("complaint", "cashier")
    record = AuditRecord.objects.filter(action="goodwill.give").latest("pk")
    assert record.detail["amount"] == amount


def test_goodwill_above_needs_a_pin_and_the_day_has_an_end(open_shop: Open, clock: Clock) -> None:
    from besnik.store.till.asks import Goodwill as Ask

    pos = open_shop(point_per_euro(goodwill=Goodwill(alone=100, a_day=250)))
    anna = pos.join()
    cashier = at_till(pos, "cashier")

    def give(amount: int, approver: str = "", reason: str = "complaint") -> str:
        approval = agreed(pos, approver) if approver else None
        ask = Ask(who=who(anna), amount=amount, reason=reason, approval=approval)
        return refused(at_till(pos, "cashier"), "goodwill", ask)

    assert give(101) == "needs_pin"
    assert give(101, "cashier") == "needs_pin"
    assert give(101, "lead") == ""
    assert give(10, reason=" ") == "reason"
    assert give(150) == "goodwill_limit", "101 of 250 were given"
    assert give(100) == ""
    assert give(50) == "goodwill_limit"
    clock.pass_(days=1)
    assert give(50) == ""
    assert anna.has() == 251
    assert cashier.role == "cashier"


def test_who_was_found_by_phone_may_pay(open_shop: Open) -> None:
    from besnik.store.till.asks import Redeem

    pos = open_shop(point_per_euro())
    anna = pos.join()
    anna.buy(1_000)
    ask = Redeem(who=who(anna), amount=10)
    assert refused(at_till(pos, "cashier"), "redeem", ask) == "copyable"
    assert refused(at_till(pos, "cashier", vouched=True), "redeem", ask) == ""


def test_the_pin_is_in_nothing_that_is_kept(open_shop: Open) -> None:
    from besnik.loyalty.idempotency import digest
    from besnik.store.models import Request

    pos = open_shop(point_per_euro())
    anna = pos.join(card="04A1B2C3D4E5F6")
    anna.buy(1_000)
    agreed(pos, "cashier")
    body = {
        "who": {"card": "04A1B2C3D4E5F6"},
        "amount": 1,
        "approval": {"username": f"cashier-{pos.program}", "pin": "4711"},
    }
    sent = pos.send("redeem", body)
    assert sent.status_code == 200
    row = Request.objects.latest("pk")
    asked = ["Redeem", pos.shop.pk, {key: body[key] for key in ("who", "amount")}]
    assert row.digest == digest(asked).hex(), "the digest is of the request without the PIN"
    assert row.created_at > dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
