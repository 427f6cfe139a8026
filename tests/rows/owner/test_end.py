"""L44: nobody is the hostage of a program: it ends with notice, and nothing is owed in the end."""

from __future__ import annotations

from besnik.loyalty.rewards import AmountOff
from besnik.store.jobs.runner import do_all
from rows.owner.conftest import Enter, words
from support.pos import Clock, Open
from support.programs import point_per_euro, reward

END = {"announced": "2026-06-02", "notice_days": "90", "sure": "on"}


def test_L44_the_end_of_a_program(open_shop: Open, enter: Enter, clock: Clock) -> None:
    from besnik.store.models import Entry

    pos = open_shop(point_per_euro(rewards=(reward(AmountOff(500), cost=50),)))
    anna, boris = pos.join(), pos.join()
    anna.buy(10_000)
    boris.buy(3_000)
    office = enter(pos)
    page = office.read("program/end/")
    assert "130 points" in page and "worth about €13.00" in page
    office.post("program/end/announce", **END)
    assert "can be used until 30 Aug 2026" in office.read("program/")

    clock.set("2026-06-02 10:00")
    assert anna.buy(1_000)["earned"] == {}, "nothing is earned from day 1 on"
    assert anna.has() == 100

    clock.set("2026-08-30 10:00")
    assert "1 day left" in office.read("program/end/")
    pos.ask("redeem", who=anna.who, reward="r")
    assert anna.has() == 50, "day 90 is good for using what one has"
    do_all(clock.now)
    assert "80 points" in office.read("program/end/")

    clock.set("2026-08-31 10:00")
    pos.refused("redeem", who=anna.who, reward="r")
    do_all(clock.now)
    broken = Entry.objects.filter(program=pos.program, kind="expire", reason="breakage")
    assert broken.count() == 2
    assert "You owe nobody anything" in office.read("program/end/")


def test_an_end_can_be_taken_back_until_it_came(
    open_shop: Open, enter: Enter, clock: Clock
) -> None:
    pos = open_shop(point_per_euro())
    office = enter(pos)
    office.post("program/end/announce", **END)
    office.post("program/end/recall")
    clock.set("2026-06-03 10:00")
    anna = pos.join()
    anna.buy(1_000)
    assert anna.has() == 10


def test_an_end_without_notice_or_in_the_past_is_refused(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    office = enter(pos)
    page = words(office.post("program/end/announce", 422, **{**END, "announced": "2026-05-31"}))
    assert "This day is over" in page
    office.post("program/end/announce", 422, announced="2026-06-02", notice_days="90")
    office.post("program/end/announce", 422, **{**END, "notice_days": "0"})
    assert pos.rules().sunset is None


def test_only_an_owner_ends_a_program(open_shop: Open, enter: Enter) -> None:
    pos = open_shop(point_per_euro())
    enter(pos, "manager").post("program/end/announce", 403, **END)
    assert "Only the owner" in enter(pos, "auditor").read("program/end/")
    assert pos.rules().sunset is None
