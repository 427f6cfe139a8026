"""How a member gets the link: a code at the till, on record, and a new one if the phone is lost."""

from __future__ import annotations

import pytest
from django.test import Client

from rows.member.conftest import Own
from support.pos import Open, Pos
from support.programs import point_per_euro


def staff(pos: Pos, role: str) -> Client:
    from besnik.store.models import Staff

    person = Staff.objects.create_user(
        f"{role}-{pos.program}", None, program_id=pos.program, name=role, role=role
    )
    client = Client(HTTP_HOST="localhost")
    client.force_login(person)
    return client


def test_a_cashier_shows_the_code_and_it_is_on_record(open_shop: Open, own: Own) -> None:
    from besnik.store import people
    from besnik.store.models import AuditRecord, Member

    pos = open_shop(point_per_euro())
    anna = pos.join()
    code = people.print_code(Member.objects.get(ref=anna.ref)).data
    answer = staff(pos, "cashier").get(f"/members/{anna.ref}/page")
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert shown.count("<svg") >= 2 and people.grouped(code) in shown
    assert "Make a new code" not in shown
    # The address itself is only in the picture.
    assert own(anna.ref).address not in shown
    record = AuditRecord.objects.get(action="member.link")
    assert record.target == f"member:{anna.ref}"


def test_a_new_code_ends_the_old_one_and_is_for_shift_leads(open_shop: Open, own: Own) -> None:
    pos = open_shop(point_per_euro())
    anna = pos.join()
    old = own(anna.ref)
    renew = f"/members/{anna.ref}/page/renew"
    assert staff(pos, "cashier").post(renew).status_code == 403
    old.get()
    assert staff(pos, "lead").post(renew).status_code == 302
    old.get(status=404)
    own(anna.ref).get()


@pytest.mark.parametrize("what", ["page", "page/renew"])
def test_another_program_s_staff_see_nothing(open_shop: Open, what: str) -> None:
    pos, other = open_shop(point_per_euro()), open_shop(point_per_euro())
    anna = pos.join()
    client = staff(other, "owner")
    ask = client.post if what == "page/renew" else client.get
    assert ask(f"/members/{anna.ref}/{what}").status_code == 404
