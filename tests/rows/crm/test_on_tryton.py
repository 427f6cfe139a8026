"""An owner connects a real Tryton: tested, counted, imported, settled, seen at a till."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rows.crm.conftest import Owner, import_all, wait_for
from rows.crm.test_till import till
from rows.owner.conftest import Office
from support.pos import Pos
from support.tryton import TrytonServer, running_tryton

ANNA, BEN = "04A1B2C3D4E590", "04A1B2C3D4E591"


@pytest.fixture(scope="module")
def tryton(environment: dict[str, str]) -> Iterator[TrytonServer]:
    """A Tryton for the tests of this module."""
    with running_tryton(environment) as server:
        yield server


def press_test(office: Office, tryton: TrytonServer, **changed: str) -> str:
    fields = {**tryton.settings, **tryton.secrets, **changed}
    answer = office.post("crm/connect/tryton/", **fields)
    address = answer.headers["Location"].removeprefix("/owner/")
    # It may take longer than the page that began it waits.
    wait_for(lambda: "Refresh" not in office.get(address).headers, 30)
    return office.read(address)


def test_a_shop_owner_sets_tryton_up(office: Office, tryton: TrytonServer, pos: Pos) -> None:
    from django.utils import timezone

    from besnik.store.models import Card, CrmDifference, CrmLink, Member

    owner = Owner(office)
    anna = tryton.add("Anna Arben", ANNA, shown="Oat milk")
    tryton.add("Ben", BEN)
    assert "It does not answer" in press_test(office, tryton, address="http://127.0.0.1:1")
    said = press_test(office, tryton, card=ANNA)
    assert "Tryton answers and lets us in" in said
    assert f"Card {ANNA} belongs to Anna Arben" in said
    assert "Oat milk" in said

    number = [field["name"] for field in owner.source().offered].index(tryton.field)
    office.post(
        "crm/fields/",
        **{
            **{f"field-{place}-role": "owner" for place in range(60)},
            "unit": "",
            f"field-{number}-show": "on",
            f"field-{number}-label": "Wishes",
            f"field-{number}-role": "cashier",
        },
    )
    counted = import_all(owner, dry=True)
    assert (counted.state, counted.made) == ("done", counted.seen)
    assert not CrmLink.objects.filter(program=office.program).exists()
    done = import_all(owner)
    assert (done.state, done.made) == ("done", counted.made)
    member = Card.objects.get(program=office.program, data=ANNA).member
    assert CrmLink.objects.get(member=member).external_id == anna

    tryton.person.does("party.party.write", [int(anna)], {"name": "Anna Berisha"})
    import_all(owner)
    found = CrmDifference.objects.get(program=office.program, kind="name")
    office.post(f"crm/differences/{found.pk}", deed="theirs")
    assert Member.objects.get(pk=member.pk).name == "Anna Berisha"

    office.post("crm/switch", on="1")
    pos.clock.now = timezone.now()
    pos.tap(ANNA)
    said = till(pos)
    assert "Anna Berisha" in said
    assert "Wishes Oat milk" in said
