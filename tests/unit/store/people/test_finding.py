"""Members found by whatever is at hand, in a handful of queries."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from besnik.store import people
from besnik.store.models import Card, Member, Program
from besnik.store.people import Details, NewCard, enrol, find

UID = "04DEADBEEF1280"


@pytest.fixture
def eleni(program: Program) -> Member:
    return enrol(
        program,
        name="Ευγενία Παπαδοπούλου",
        language="el",
        card=NewCard("uid", UID),
        details=Details(phone="069 123 4567"),
    )


def found(program: Program, text: str, role: str = "cashier") -> list[tuple[str, str]]:
    return [(line.ref, line.by) for line in find(program, text, role)]


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("0691234567", "phone"),
        ("+355 69 123 4567", "phone"),
        ("٠٦٩١٢٣٤٥٦٧", "phone"),
        ("ευγενια παπ", "name"),
        ("ΠΑΠΑΔΟΠΟΥΛΟΥ", "name"),
        ("παπ ευ", "name"),
        (UID, "card"),
        ("04:de:ad:be:ef:12:80", "card"),
        ("…1280", "card"),
        ("EF1280", "card"),
    ],
)
def test_a_member_is_found_by(program: Program, eleni: Member, text: str, by: str) -> None:
    assert found(program, text) == [(eleni.ref, by)]


def test_a_member_is_found_by_number_link_and_printed_code(program: Program, eleni: Member) -> None:
    code = people.print_code(eleni).data
    assert found(program, eleni.ref.upper()) == [(eleni.ref, "number")]
    assert found(program, people.link(eleni)) == [(eleni.ref, "link")]
    assert found(program, f"https://shop.example{people.link(eleni)}") == [(eleni.ref, "link")]
    assert found(program, people.grouped(code)) == [(eleni.ref, "code")]
    assert found(program, code.lower()) == [(eleni.ref, "code")]


@pytest.mark.parametrize(
    "text", ["", "  ", "069 123 4568", "ελενα", "FFFF", "/m/x/y", "%", "_", "'"]
)
def test_what_names_nobody_finds_nobody(program: Program, eleni: Member, text: str) -> None:
    assert found(program, text) == []


def test_another_program_finds_nobody(program: Program, eleni: Member) -> None:
    other = Program.objects.create(name="Elsewhere")
    for text in ("+355691234567", "ευγενια", UID, eleni.ref, people.link(eleni)):
        assert found(other, text) == [], text


def test_a_phone_is_shown_as_the_role_may_see_it(program: Program, eleni: Member) -> None:
    by_role = {
        role: find(program, "ευγενια", role)[0].phone
        for role in ("cashier", "lead", "manager", "owner", "auditor")
    }
    masked, whole = "•••4567", "+355691234567"
    assert by_role == {
        "cashier": masked,
        "lead": masked,
        "auditor": masked,
        "manager": whole,
        "owner": whole,
    }


def test_a_new_name_is_found_and_the_old_one_not(program: Program, eleni: Member) -> None:
    people.rename(eleni, "Ευγενία Γεωργίου")
    assert found(program, "γεωργιου") == [(eleni.ref, "name")]
    assert found(program, "παπαδοπουλου") == []


def test_the_demo_s_members_are_found_by_name(program: Program) -> None:
    names = {member.name: member.ref for member in Member.objects.all()}
    for name, ref in names.items():
        assert (ref, "name") in found(program, name)


@pytest.mark.parametrize(
    "text", ["0691234567", "ευγενια παπ", UID, "1280", "deadbeef", "23456789abcd"]
)
def test_a_search_is_a_handful_of_queries(program: Program, eleni: Member, text: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        find(program, text, "cashier")
    assert len(queries) <= 8


def test_a_phone_belongs_to_one_member(program: Program, eleni: Member) -> None:
    with pytest.raises(people.EnrolError) as caught:
        enrol(program, name="Somebody", language="en", details=Details(phone="+355691234567"))
    assert (caught.value.code, caught.value.member) == ("phone_known", eleni.ref)
    assert Member.objects.filter(name="Somebody").count() == 0


@pytest.mark.parametrize(
    ("details", "code"),
    [
        (Details(phone="12"), "phone_wrong"),
        (Details(email="nobody"), "email"),
        (Details(motive="fun"), "motive"),
        (Details(tags=("x" * 41,)), "tags"),
    ],
)
def test_details_that_cannot_be_kept_are_refused(
    program: Program, details: Details, code: str
) -> None:
    with pytest.raises(people.EnrolError) as caught:
        enrol(program, name="Somebody", language="en", details=details)
    assert caught.value.code == code


def test_a_lost_card_is_replaced_and_everything_stays(program: Program, eleni: Member) -> None:
    old = Card.objects.get(data=UID)
    new = people.replace_card(old, NewCard("uid", "04ABCDEF123480"))
    old.refresh_from_db()
    assert (old.state, old.replaced_by, new.state, new.member) == ("replaced", new, "active", eleni)
    assert found(program, "3480") == [(eleni.ref, "card")]
    with pytest.raises(people.ReplaceError):
        people.replace_card(old, NewCard("uid", "04ABCDEF123580"))
    with pytest.raises(people.EnrolError) as caught:
        people.replace_card(new, NewCard("uid", UID))
    assert caught.value.code == "card_known"
    new.refresh_from_db()
    assert new.state == "active"
