"""The cashier's page shows what the owner picked of the CRM, by role, and how old it is."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from rows.crm.conftest import NotebookOwner, import_all
from rows.crm.test_fields_and_hook import pick
from rows.crm.test_import import ANNA
from rows.owner.conftest import Office, words
from support.pos import Pos

OLD = "it may have changed since"


@pytest.fixture
def anna(owner: NotebookOwner, pos: Pos) -> None:
    """Anna's notes are for cashiers, her last contact is for managers; she stands at the till."""
    owner.notebook.add(
        "Anna", ANNA, notes="Likes oat milk; call +355 69 123 4567", seen="2026-05-30"
    )
    owner.test()
    pick(owner, (0, "Wishes", "cashier"), (1, "Seen", "manager"))
    import_all(owner)
    owner.office.post("crm/switch", on="1")
    pos.clock.now = timezone.now()
    pos.tap(ANNA)


def till(pos: Pos, role: str = "cashier") -> str:
    staff = Office(pos.program, role).staff
    client = Client(HTTP_HOST="localhost")
    client.force_login(staff)
    return words(client.get(f"/cashier/{pos.shop.slug}/{pos.till.slug}/"))


def test_each_role_reads_what_is_theirs(owner: NotebookOwner, anna: None, pos: Pos) -> None:
    said = till(pos)
    assert "Wishes Likes oat milk; call •••4567" in said
    assert "30 May 2026" not in said
    assert "Seen 30 May 2026" in till(pos, "manager")
    assert "oat milk" not in till(pos, "auditor")
    assert OLD not in said


def test_old_ones_say_so(owner: NotebookOwner, anna: None, pos: Pos) -> None:
    from besnik.store.models import CrmRecord

    CrmRecord.objects.update(fetched_at=timezone.now() - dt.timedelta(hours=2))
    assert OLD in till(pos)
    CrmRecord.objects.update(fetched_at=timezone.now(), is_stale=True)
    assert OLD in till(pos)


def test_of_a_crm_that_is_off_nothing_is_shown(owner: NotebookOwner, anna: None, pos: Pos) -> None:
    owner.office.post("crm/switch")
    said = till(pos)
    assert "Anna" in said
    assert "Wishes" not in said


def test_the_screen_is_drawn_anew_when_a_field_changes(
    owner: NotebookOwner, anna: None, pos: Pos
) -> None:
    from besnik.site.cashier.context import till_context
    from besnik.store.models import CrmRecord

    staff = Office(pos.program, "cashier").staff
    before = till_context(pos.till, staff, "")["board"].key
    assert till_context(pos.till, staff, "")["board"].key == before
    CrmRecord.objects.update(fields={"notes": "No milk"})
    assert till_context(pos.till, staff, "")["board"].key != before
