"""A member who is being erased while something of them comes from the CRM stays erased."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from rows.crm.conftest import NotebookOwner, import_all
from rows.crm.test_import import BEN, CLEO

if TYPE_CHECKING:
    from besnik.store.models import Member

_UNDER_WAY_S = 0.7


@contextmanager
def being_erased(member: Member) -> Iterator[None]:
    """Enter it while somebody erases ``member``: it is done, but not yet committed."""
    from django.db import connections, transaction
    from django.utils import timezone

    from besnik.store.people import erase

    is_under_way = threading.Event()

    def erased() -> None:
        with transaction.atomic():
            erase(member, timezone.now())
            is_under_way.set()
            threading.Event().wait(_UNDER_WAY_S)
        connections.close_all()

    other = threading.Thread(target=erased)
    other.start()
    assert is_under_way.wait(30)
    try:
        yield
    finally:
        other.join()


def by_import(owner: NotebookOwner) -> None:
    import_all(owner)


def by_difference(owner: NotebookOwner) -> None:
    from besnik.crm import settling
    from besnik.store.models import CrmDifference

    (difference,) = CrmDifference.objects.all()
    settling.settle(owner.source(), difference, "again", owner.office.staff)


def by_card(owner: NotebookOwner) -> None:
    from besnik.crm import several

    several.look_again(owner.source(), CLEO)


@pytest.mark.parametrize("comes", [by_import, by_difference, by_card])
def test_what_comes_meanwhile_is_not_kept(
    owner: NotebookOwner, comes: Callable[[NotebookOwner], None]
) -> None:
    from besnik.store.models import Card, CrmDifference, CrmLink, CrmRecord

    ben = owner.notebook.add("Ben", BEN)
    owner.test()
    import_all(owner)
    owner.notebook.change(ben, name="Benjamin")
    import_all(owner)
    assert CrmDifference.objects.get().kind == "name"
    owner.notebook.give(ben, CLEO)
    with being_erased(Card.objects.get(data=BEN).member):
        comes(owner)
    assert not Card.objects.filter(data__in=[BEN, CLEO]).exists()
    for table in (CrmRecord, CrmLink, CrmDifference):
        assert not table._default_manager.exists()


def test_who_is_taken_in_again_is_not_taken_for_them(owner: NotebookOwner) -> None:
    from besnik.crm import readmitting
    from besnik.store.models import Card, CrmLink, Program
    from besnik.store.people import NewCard, enrol, leave_out

    ben = owner.notebook.add("Ben", BEN)
    owner.test()
    leave_out(owner.office.program, ben)
    program = Program.objects.get(pk=owner.office.program)
    other = enrol(program, name="Dora", language="en", card=NewCard("uid", BEN))
    with being_erased(other):
        assert readmitting.readmit(owner.source(), ben) == "taken"
    member = CrmLink.objects.get(external_id=ben).member
    assert (member.status, member.name) == ("active", "Ben")
    assert Card.objects.get(data=BEN).member == member
