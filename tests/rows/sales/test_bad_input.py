"""What people and programs get wrong at the till: a clear answer, nothing lost, nothing doubled."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from besnik.loyalty.rewards import Access
from support.pos import Open
from support.programs import point_per_euro, reward

UID = "04A1B2C3D4E5F6"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount_minor": "12,50"}, "$.amount_minor"),
        ({"amount_minor": "۱۲۵۰"}, "$.amount_minor"),
        ({"amount_minor": 12.5}, "$.amount_minor"),
        ({"amount_minor": -1}, "$.amount_minor"),
        ({"amount_minor": 0}, "$.amount_minor"),
        ({"amount_minor": 10**13}, "$.amount_minor"),
        ({"amount_minor": True}, "$.amount_minor"),
        ({"lines": [{"id": "1", "amount_minor": -5}]}, "$.lines[0].amount_minor"),
        ({"lines": [{"id": "", "amount_minor": 5}]}, "$.lines[0].id"),
        ({"lines": [{"id": "1", "amount_minor": 5, "quantity": 0}]}, "$.lines[0].quantity"),
        ({"amount_minor": 100, "receipt": ""}, "$.receipt"),
        ({"amount_minor": 100, "receipt": "x" * 41}, "$.receipt"),
        ({"amount_minor": 100, "at": "2026-06-01T12:00:00"}, "$.at"),
        ({"amount_minor": 100, "amont": 5}, ""),
        ({"amount_minor": 100, "who": {"name": "Anna"}}, "$.who"),
    ],
)
def test_what_is_no_sale_says_where_it_is_wrong(
    open_shop: Open, body: dict[str, Any], field: str
) -> None:
    pos = open_shop(point_per_euro())
    refusal = pos.refused("accrue", **({"receipt": "1"} | body))
    assert (refusal.status, refusal.code) == (422, "fields")
    assert refusal.field == field


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "no_lines"),
        ({"lines": []}, "no_lines"),
        ({"amount_minor": 5, "lines": [{"id": "1", "amount_minor": 5}]}, "no_lines"),
        ({"lines": [{"id": "1", "amount_minor": 5}, {"id": "1", "amount_minor": 6}]}, "same_lines"),
        ({"amount_minor": 500, "tenders": [{"kind": "cash", "amount_minor": 50}]}, "tenders"),
        ({"amount_minor": 500, "at": "2026-06-01T12:06:00+02:00"}, "future"),
        ({"amount_minor": 500, "at": "2025-05-01T12:00:00+02:00"}, "too_old"),
        ({"amount_minor": 500, "who": {}}, "who"),
        ({"amount_minor": 500, "who": {"phone": "+355691234567", "card": UID}}, "who"),
        ({"amount_minor": 500, "who": {"phone": "12"}}, "phone_wrong"),
    ],
)
def test_what_makes_no_sense_says_what_to_do(
    open_shop: Open, body: dict[str, Any], code: str
) -> None:
    pos = open_shop(point_per_euro())
    refusal = pos.refused("accrue", **({"receipt": "1"} | body))
    assert (refusal.status, refusal.code) == (422, code)


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        (
            "accrue",
            {"receipt": "1", "amount_minor": 5, "who": {"phone": "+355691234567"}},
            "member",
        ),
        (
            "accrue",
            {"receipt": "1", "amount_minor": 5, "who": {"member": "222222222222"}},
            "member",
        ),
        ("accrue", {"receipt": "1", "amount_minor": 5, "who": {"tap": 10**9}}, "tap"),
        ("attach", {"receipt": "never", "who": {"phone": "+355691234567"}}, "member"),
        ("refund", {"receipt": "never"}, "receipt"),
        ("refund", {"receipt": "never", "shop": "nowhere"}, "shop"),
        ("reverse", {"entry": 10**12}, "entry"),
        ("reverse", {"receipt": "never"}, "receipt"),
        ("reverse", {"redemption": 10**12}, "entry"),
        ("commit", {"hold": "h99999"}, "hold"),
        ("commit", {"hold": "nonsense"}, "hold"),
        ("release", {"hold": "c1"}, "hold"),
        ("buy-membership", {"who": {"phone": "+355691234567"}}, "plan"),
    ],
)
def test_what_is_not_there_is_said_to_be_unknown(
    open_shop: Open, verb: str, body: dict[str, Any], code: str
) -> None:
    pos = open_shop(point_per_euro())
    refusal = pos.refused(verb, **body)
    assert (refusal.status, refusal.code) == (404, f"{code}_unknown")


def test_a_line_that_is_not_on_the_receipt(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    lines = [{"id": "a", "amount_minor": 1_000}, {"id": "b", "amount_minor": 2_000}]
    pos.ask("accrue", receipt="1", lines=lines, who=anna.who)
    refusal = pos.refused("refund", receipt="1", lines=["c"])
    assert (refusal.code, "c" in refusal.detail) == ("line_unknown", True)
    pos.ask("refund", receipt="1", lines=["a"])
    assert pos.refused("refund", receipt="1", lines=["a", "b"]).code == "line_returned"
    assert anna.has() == 20


def test_a_ten_times_slip_is_asked_about_before_it_is_booked(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    for amount in (450, 520, 480, 510, 490, 500):
        anna.buy(amount)
    assert pos.ask("preview", amount_minor=5_000, who=anna.who)["unusual"] is True
    assert pos.ask("preview", amount_minor=500, who=anna.who)["unusual"] is False


def test_a_double_click_is_one_sale(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    body = {"receipt": "1", "amount_minor": 1_000, "who": anna.who}
    key = {"Idempotency-Key": "click"}
    first, second = (pos.send("accrue", body, **key) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["entry"] == second.json()["entry"]
    assert anna.has() == 10
    quoted = pos.send("accrue", body, **{"Idempotency-Key": '"click"'})
    assert quoted.headers["Idempotent-Replayed"] == "true"


def test_a_refused_request_may_be_sent_again_with_its_key(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    key = {"Idempotency-Key": "early"}
    body = {"who": anna.who, "amount": 10}
    assert pos.send("redeem", body, **key).status_code == 409
    anna.buy(1_000)
    assert pos.send("redeem", body, **key).status_code == 200
    assert pos.send("redeem", body, **key).status_code == 200
    assert anna.has() == 0


def test_a_card_of_someone_else_is_noticed(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    anna, ben = pos.join(card=UID), pos.join("Ben")
    tap = pos.tap(UID)
    body = {"receipt": "1", "amount_minor": 1_000, "who": ben.who, "tap": tap.pk}
    assert pos.refused("accrue", **body).code == "tap_of_another"
    given = pos.ask("give-coupon", reward="r", who=anna.who) if pos.rules().rewards else None
    assert given is None
    anna.buy(5_000)
    held = pos.ask("hold", who=anna.who, amount=10)
    refusal = pos.refused("accrue", receipt="2", amount_minor=1, who=ben.who, holds=[held["hold"]])
    assert refusal.code == "not_yours"
    assert anna.file()["balances"]["point"]["reserved"] == 10
    assert ben.has() == 0


def test_a_tap_of_another_shop_is_not_here(open_shop: Open) -> None:
    pos = open_shop(point_per_euro())
    branch = pos.branch()
    pos.join(card=UID)
    there = branch.tap(UID)
    refusal = pos.refused("accrue", receipt="1", amount_minor=100, who={"tap": there.pk})
    assert refusal.code == "tap_unknown"


def test_somebody_who_left_is_nobody_s_customer(open_shop: Open) -> None:
    from besnik.store.models import Member

    pos = open_shop(point_per_euro())
    anna = pos.join()
    anna.buy(1_000)
    Member.objects.filter(ref=anna.ref).update(status="closed")
    for verb, more in (("accrue", {"receipt": "x", "amount_minor": 5}), ("redeem", {"amount": 1})):
        assert pos.refused(verb, who=anna.who, **more).code == "member_closed"
    assert anna.file()["status"] == "closed"
    Member.objects.filter(ref=anna.ref).update(status="erased")
    assert pos.refused("inquire", who={"member": anna.ref}).code == "member_unknown"


@pytest.mark.parametrize("what", ["points", "piece", "receipt"])
def test_two_tills_at_the_same_moment(open_shop: Open, what: str) -> None:
    """Six at once: what is there once is given once, and the others are told why not."""
    prize = reward(Access(), cost=1, stock=1) if what == "piece" else reward(Access(), cost=10)
    pos = open_shop(point_per_euro(rewards=(prize,)))
    tills = [pos, *(pos.branch() for _ in range(5))]
    people = [pos.join() for _ in tills]
    anna = people[0]
    for each in people:
        each.buy(1_000)
    found: list[tuple[int, str]] = []
    start = threading.Barrier(len(tills))

    def go(place: int) -> None:
        from django.db import connections

        who = people[place if what == "piece" else 0].who
        verb, body = "redeem", {"who": who, "reward": "r"}
        at = tills[place] if what != "receipt" else pos
        if what == "receipt":
            verb, body = "accrue", {"who": who, "receipt": "same", "amount_minor": 1_000}
        start.wait()
        try:
            answer = at.send(verb, body, **{"Idempotency-Key": f"race-{place}"})
            found.append((answer.status_code, answer.json().get("code", "")))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=(place,)) for place in range(len(tills))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = {"points": "insufficient", "piece": "sold_out", "receipt": "receipt_known"}[what]
    assert sorted(found) == [(200, ""), *[(409, said)] * 5]
    assert anna.has() >= 0
