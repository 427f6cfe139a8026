"""Links that are forgotten while the CRM answers: the answer is of people who are nobody's now."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction
from django.utils import timezone

from besnik.crm import creating, forgetting, pending, sources
from besnik.crm.creating import Newcomer, Newcomers
from besnik.crm.foreign import CrmSettingsError, Customer, Delivered, NewCustomer
from besnik.store.models import (
    CrmAnswer,
    CrmDelivery,
    CrmLink,
    CrmPending,
    CrmRecord,
    CrmSource,
    Member,
    Shop,
)
from besnik.store.people import NewCard, enrol
from support.hot_counter import CARD, HotCounter

ZANA = Customer("7", "Zana Krasniqi", (CARD,), 40)
_UNDER_WAY_S = 0.7

Answer = Callable[[CrmSource], object]


@pytest.fixture
def asked(orm: str) -> CrmSource:
    """A CRM that is in use, as it was when it was asked."""
    made = CrmSource(program=Shop.objects.get(slug="corner").program, adapter="tryton")
    sources.switch_on(made, timezone.now())
    return made


def forget(asked: CrmSource) -> None:
    """Say that its customers are others than before, and use it again."""
    source = CrmSource.objects.get(pk=asked.pk)
    sources.switch_off(source)
    forgetting.forget(source, timezone.now())
    sources.switch_on(source, timezone.now())


def newcomer() -> Newcomers:
    ben = Member.objects.get(name="Ben")
    row, _ = CrmDelivery.objects.get_or_create(
        program_id=ben.program_id, event_id="m1", member=ben, defaults={"at": timezone.now()}
    )
    return Newcomers((Newcomer(row.pk, ben.pk, NewCustomer("m1", "Ben", (CARD,))),), again=False)


def answers(asked: CrmSource) -> list[Answer]:
    """What the CRM may just be saying: of a new member, found or made, and of a tap that waits."""
    new = newcomer()
    made = Delivered("m1", "done", customer="7")
    return [
        lambda source: creating.take_known(source, new, {CARD: ZANA}, timezone.now()),
        lambda source: creating.take_made(source, new, [made], timezone.now()),
        lambda source: pending.take(source.program_id, {CARD: ZANA}, timezone.now(), source),
        lambda source: pending.take(source.program_id, {CARD: None}, timezone.now(), source),
    ]


@pytest.mark.parametrize("which", range(4))
def test_what_it_says_afterwards_is_of_nobody(
    asked: CrmSource, counter: HotCounter, which: int
) -> None:
    counter.tap()
    enrol(asked.program, name="Ben", language="en", card=NewCard("uid", "04DEADBEEF1281"))
    answer = answers(asked)[which]
    forget(asked)
    with pytest.raises(CrmSettingsError, match="it was changed while it was asked"):
        answer(asked)
    for table in (CrmLink, CrmRecord, CrmAnswer):
        assert not table._default_manager.exists()
    assert CrmPending.objects.get().state == "waiting", "whoever is asked now may know the card"
    answers(asked)[which](CrmSource.objects.get())
    assert CrmLink.objects.exists() or CrmAnswer.objects.exists()


def test_it_is_forgotten_before_it_is_written_or_after(
    asked: CrmSource, counter: HotCounter
) -> None:
    is_under_way = threading.Event()

    def forgotten() -> None:
        with transaction.atomic():
            forget(asked)
            is_under_way.set()
            threading.Event().wait(_UNDER_WAY_S)
        connections.close_all()

    counter.tap()
    owner = threading.Thread(target=forgotten)
    owner.start()
    assert is_under_way.wait(30)
    try:
        with pytest.raises(CrmSettingsError):
            pending.take(asked.program_id, {CARD: ZANA}, timezone.now(), asked)
    finally:
        owner.join()
    assert not CrmLink.objects.exists()
    assert CrmPending.objects.get().state == "waiting"
